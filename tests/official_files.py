"""A checkpoint in the authors' names and shapes, on torch's own layers, with the opt.yaml of their training."""

import math
from pathlib import Path

import torch
import yaml
from torch import Tensor, nn

WIDTH, CHANNELS = 512, 150

#: Names as their training writes them; the values are those of the released text model, but for the layers.
OPTIONS = {
    "activation": "gelu",
    "align_pose_frontview": False,
    "archiname": "transformer",
    "batch_size": 20,
    "clip_image_losses": ["cosine"],
    "clip_lambdas": {"image": {"cosine": 1.0}, "text": {"cosine": 1.0}},
    "datapath": "./data/amass_db/amass_30fps_db.pt",
    "device": 0,
    "glob": True,
    "glob_rot": [math.pi, 0, 0],
    "jointstype": "vertices",
    "latent_dim": WIDTH,
    "losses": ["rc", "rcxyz", "vel"],
    "modelname": "cvae_transformer_rc_rcxyz_vel",
    "modeltype": "cvae",
    "normalize_encoder_output": False,
    "num_frames": 60,
    "num_layers": 2,
    "pose_rep": "rot6d",
    "translation": True,
    "vertstrans": False,
}


class Positions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        angles = torch.arange(5000.0).double()[:, None] / 10_000 ** (torch.arange(0, WIDTH, 2).double() / WIDTH)
        code = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
        self.register_buffer("pe", code[:, None].float())


class Encoder(nn.Module):
    def __init__(self, layers: int) -> None:
        super().__init__()
        self.muQuery = nn.Parameter(torch.randn(1, WIDTH))
        self.sigmaQuery = nn.Parameter(torch.randn(1, WIDTH))
        self.skelEmbedding = nn.Linear(CHANNELS, WIDTH)
        self.sequence_pos_encoder = Positions()
        layer = nn.TransformerEncoderLayer(WIDTH, 4, 1024, activation="gelu")
        self.seqTransEncoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Features (B, T, 150) and mask (B, T) to latents (B, 512)."""
        queries = [query.expand(1, len(x), -1) for query in (self.muQuery, self.sigmaQuery)]
        tokens = torch.cat([*queries, self.skelEmbedding(x.transpose(0, 1))])
        tokens = tokens + self.sequence_pos_encoder.pe[: len(tokens)]
        padding = torch.cat([torch.zeros(len(x), 2, dtype=torch.bool), ~mask], dim=1)
        return self.seqTransEncoder(tokens, src_key_padding_mask=padding)[0]


class Decoder(nn.Module):
    def __init__(self, layers: int) -> None:
        super().__init__()
        self.actionBiases = nn.Parameter(torch.randn(1, WIDTH))
        self.sequence_pos_encoder = Positions()
        layer = nn.TransformerDecoderLayer(WIDTH, 4, 1024, activation="gelu")
        self.seqTransDecoder = nn.TransformerDecoder(layer, layers)
        self.finallayer = nn.Linear(WIDTH, CHANNELS)

    def forward(self, z: Tensor, mask: Tensor) -> Tensor:
        """Latents (B, 512) and mask (B, T) to features (B, T, 150)."""
        queries = self.sequence_pos_encoder.pe[: mask.shape[1]].expand(-1, len(z), -1)
        return self.finallayer(self.seqTransDecoder(queries, z[None], tgt_key_padding_mask=~mask)).transpose(0, 1)


class Published(nn.Module):
    """Weights as after training: no bias is 0, no norm is 1, and no two layers are alike."""

    def __init__(self, layers: int = 2) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(layers), Decoder(layers)
        generator = torch.Generator().manual_seed(0)
        for parameter in self.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.data = parameter.data + 0.02 * noise if parameter.ndim > 1 else 0.2 * noise + parameter.data
        self.eval().requires_grad_(False)

    def tensors(self) -> dict[str, Tensor]:
        return dict(self.state_dict())


def write_options(folder: Path, **changes: object) -> Path:
    path = folder / "opt.yaml"
    path.write_text(yaml.safe_dump(OPTIONS | changes))
    return path


def write_checkpoint(folder: Path, tensors: object) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "checkpoint_0100.pth.tar"
    torch.save(tensors, path)
    return path
