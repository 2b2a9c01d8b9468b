"""The paper's network and losses, stated slowly and plainly: what the product's are held against.

Written from the paper and nothing of the package: torch's own transformer layers with dense
cross-attention to the one memory token, every vertex skinned, every mean spelled out.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def positions(count: int, width: int) -> Tensor:
    code = torch.zeros(count, width, dtype=torch.float64)
    for place in range(count):
        for pair in range(width // 2):
            angle = place / 10_000 ** (2 * pair / width)
            code[place, 2 * pair], code[place, 2 * pair + 1] = math.sin(angle), math.cos(angle)
    return code


class PlainNetwork(nn.Module):
    def __init__(self, width: int, heads: int, feedforward: int, layers: tuple[int, int], prefix: int, channels: int):
        super().__init__()
        sizes = {"d_model": width, "nhead": heads, "dim_feedforward": feedforward, "dropout": 0.0}
        encoder_layer = nn.TransformerEncoderLayer(**sizes, activation="gelu", batch_first=True)
        decoder_layer = nn.TransformerDecoderLayer(**sizes, activation="gelu", batch_first=True)
        self.embed = nn.Linear(channels, width)
        self.prefix = nn.Parameter(torch.randn(prefix, width))
        self.encoder = nn.TransformerEncoder(encoder_layer, layers[0], enable_nested_tensor=False)
        self.decoder = nn.TransformerDecoder(decoder_layer, layers[1])
        self.head = nn.Linear(width, channels)

    def encode(self, x: Tensor, mask: Tensor) -> Tensor:
        tokens = torch.cat([self.prefix.expand(len(x), -1, -1), self.embed(x)], dim=1)
        tokens = tokens + positions(tokens.shape[1], tokens.shape[2])
        real = torch.cat([torch.ones(len(x), len(self.prefix), dtype=torch.bool), mask], dim=1)
        return self.encoder(tokens, src_key_padding_mask=~real)[:, 0]

    def decode(self, z: Tensor, mask: Tensor) -> Tensor:
        queries = positions(mask.shape[1], z.shape[1]).expand(len(z), -1, -1)
        return self.head(self.decoder(queries, z[:, None], tgt_key_padding_mask=~mask))


def rotations(sixd: Tensor) -> Tensor:
    """6D (..., 6), two columns, to matrices: Gram-Schmidt, step by step."""
    first = F.normalize(sixd[..., :3], dim=-1)
    second = sixd[..., 3:] - (first * sixd[..., 3:]).sum(dim=-1, keepdim=True) * first
    second = F.normalize(second, dim=-1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], dim=-1)


def skinned(sixd: Tensor, rest: Tensor, parents: tuple[int, ...], vertices: Tensor, weights: Tensor) -> Tensor:
    """Vertices (B, T, V, 3) of poses (B, T, J, 6), the root at the origin; rest (J, 3) joint positions."""
    local, turned, placed = rotations(sixd), [], []
    for joint, parent in enumerate(parents):
        if parent < 0:
            turned.append(local[:, :, joint])
            placed.append(torch.zeros_like(sixd[:, :, joint, :3]))
        else:
            turned.append(turned[parent] @ local[:, :, joint])
            offset = turned[parent] @ (rest[joint] - rest[parent])
            placed.append(placed[parent] + offset)
    moved = 0.0
    for joint in range(len(parents)):
        around = (vertices - rest[joint]) @ turned[joint].transpose(-1, -2)
        moved = moved + weights[:, joint, None] * (around + placed[joint][:, :, None])
    return moved


def losses(
    x: Tensor, decoded: Tensor, z: Tensor, mask: Tensor, text: Tensor, image: Tensor, body: tuple
) -> dict[str, Tensor]:
    """L_recon's three means and the two cosines of section 3.2; x and decoded (B, T, 150)."""
    said = [[], [], []]
    vertices, others = (skinned(value[..., :144].unflatten(-1, (24, 6)), *body) for value in (x, decoded))
    for clip in range(len(x)):
        frames = int(mask[clip].sum())
        said[0].append((x[clip, :frames] - decoded[clip, :frames]).square().flatten())
        changes = [value[clip, 1:frames] - value[clip, : frames - 1] for value in (x, decoded)]
        said[1].append((changes[0] - changes[1]).square().flatten())
        said[2].append((vertices[clip, :frames] - others[clip, :frames]).square().flatten())
    means = [torch.cat(values).mean() for values in said]
    cosines = [1 - F.cosine_similarity(z, other).mean() for other in (text, image)]
    names = ("features", "feature_velocity", "vertices", "cosine", "image_cosine")
    return dict(zip(names, means + cosines, strict=True))
