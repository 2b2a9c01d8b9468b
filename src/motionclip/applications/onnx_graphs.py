"""The parts of a model that become ONNX graphs, what they take and give, and how a program puts them together."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from motionclip.applications.text_to_motion import DEFAULT_GUIDANCE
from motionclip.errors import MotionClipError
from motionclip.model.autoencoder import MotionAutoEncoder
from motionclip.model.features import Batch
from motionclip.model.pipeline import FLOW_STEPS, MotionCLIP
from motionclip.model.prior import LatentPrior
from motionclip.model.sphere import to_sphere
from motionclip.motion import CANONICAL
from motionclip.motion import rotations as rot
from motionclip.motion.contacts import CONTACT_JOINTS
from motionclip.towers.minilm import MAX_TOKENS, MiniLMTower

TOKENIZER = "tokenizer.json"

#: Sizes of the example that a graph is traced with; all differ, so that none is taken for another.
_TRACED = {"batch": 3, "frames": 42, "tokens": 9}


@dataclass(frozen=True)
class Port:
    """An input or output of a graph.

    Attributes:
        name: of the tensor.
        dtype: "float32", "int64" or "bool".
        shape: numbers, and names for what may have any size.
        meaning: what it holds, and in which unit.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]
    meaning: str

    def example(self) -> Tensor:
        """Values that can be traced."""
        sizes = [_TRACED[size] if isinstance(size, str) else size for size in self.shape]
        if self.dtype == "float32":
            return torch.rand(sizes)
        return torch.ones(sizes, dtype=getattr(torch, self.dtype))


@dataclass(frozen=True)
class Graph:
    """A part of the model that becomes one file.

    Attributes:
        name: of the file.
        module: what is traced.
        inputs: in the order in which the module takes them.
        outputs: in the order in which it gives them.
    """

    name: str
    module: nn.Module
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


class _Text(nn.Module):
    """Token numbers to the tower's embedding and the latent of the words."""

    def __init__(self, tower: nn.Module, head: nn.Module):
        super().__init__()
        self.tower, self.head = tower, head

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        embedding = self.tower(ids)
        return embedding, self.head(embedding)


class _Prior(nn.Module):
    """A step of the flow, and the latent that its state stands for."""

    def __init__(self, prior: LatentPrior):
        super().__init__()
        self.prior = prior

    def forward(
        self, x: Tensor, now: Tensor, then: Tensor, text: Tensor, seconds: Tensor, guidance: Tensor
    ) -> tuple[Tensor, Tensor]:
        moved = self.prior.step(x, now, then, text, seconds, guidance)
        return moved, to_sphere(moved)


class _Encoder(nn.Module):
    def __init__(self, autoencoder: MotionAutoEncoder):
        super().__init__()
        self.autoencoder = autoencoder

    def forward(self, sixd: Tensor, root: Tensor, mask: Tensor) -> Tensor:
        return self.autoencoder.encode(Batch(sixd, root, mask))


class _Decoder(nn.Module):
    def __init__(self, autoencoder: MotionAutoEncoder):
        super().__init__()
        self.autoencoder = autoencoder

    def forward(self, latent: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        decoded = self.autoencoder.decode(latent, mask)
        motion = rot.sixd_to_matrix(decoded.sixd), decoded.root
        return motion if decoded.contacts is None else (*motion, decoded.contacts.sigmoid())


def minilm_of(model: MotionCLIP) -> MiniLMTower:
    """The model's text tower.

    Raises:
        MotionClipError: if it is another than minilm.
    """
    if not isinstance(model.tower, MiniLMTower):
        raise MotionClipError(
            f"a model on the text tower {model.tower.name}; only those on {MiniLMTower.name} can be exported"
        )
    return model.tower


def graphs(model: MotionCLIP) -> list[Graph]:
    """The parts of a model that become files: text, prior (if there is one), encoder, decoder.

    Raises:
        MotionClipError: if the model's text tower is another than minilm.
    """
    tower = minilm_of(model)
    config, network = model.config, model.network
    size, frames = config.latent_dim, ("batch", "frames")
    latent = Port("latent", "float32", ("batch", size), "point of the latent space; a unit vector in preset base")
    mask = Port("mask", "bool", frames, "true for frames that are there; the others come last")
    root = Port("root", "float32", (*frames, 3), "path of the pelvis, metres, Y up")
    sixd = Port("sixd", "float32", (*frames, 24, 6), "local rotations: the first two columns of each matrix")
    turns = Port("rotations", "float32", (*frames, 24, 3, 3), "local rotation matrices, for column vectors")
    contacts = Port("contacts", "float32", (*frames, len(CONTACT_JOINTS)), "probability that a joint touches the floor")
    ids = Port("ids", "int64", ("batch", "tokens"), f"token numbers, padded with 0; at most {MAX_TOKENS}")
    words = Port("vector", "float32", ("batch", config.tower_dim), "the text tower's unit vector")
    knows_contacts = config.architecture == "residual"
    prior = [] if network.prior is None else [Graph("prior", _Prior(network.prior), *_prior_ports(config.num_scores))]
    return [
        Graph("text", _Text(tower.network, network.autoencoder.text_head), (ids,), (words, latent)),
        *prior,
        Graph("encoder", _Encoder(network.autoencoder), (sixd, root, mask), (latent,)),
        Graph(
            "decoder",
            _Decoder(network.autoencoder),
            (latent, mask),
            (turns, root, contacts) if knows_contacts else (turns, root),
        ),
    ]


def _prior_ports(scores: int) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    state = "state of the flow: standard normal noise at time 0, a motion at time 1"
    inputs = (
        Port("x", "float32", ("batch", scores), state),
        Port("now", "float32", (), "time of the flow before the step, 0 to 1"),
        Port("then", "float32", (), "time of the flow after the step"),
        Port("text", "float32", ("batch", scores + 1), "latent of the words, from the graph text"),
        Port("seconds", "float32", ("batch",), "length of the motion, seconds"),
        Port("guidance", "float32", (), "above 1 follows the words more closely; 1.5 is usual"),
    )
    outputs = (
        Port("x_then", "float32", ("batch", scores), state),
        Port("latent", "float32", ("batch", scores + 1), "point of the latent space that the state stands for"),
    )
    return inputs, outputs


def manifest(model: MotionCLIP, parts: list[Graph], precision: str) -> dict[str, object]:
    """What a program needs to know that has nothing but the files."""
    config = model.config
    return {
        "format": "motionclip-onnx",
        "version": 1,
        "precision": precision,
        "fps": config.fps,
        "max_frames": config.max_frames,
        "latent_dim": config.latent_dim,
        "conventions": "metres, Y up, facing +Z, left is +X, right-handed; matrices act on column vectors",
        "skeleton": {
            "names": CANONICAL.names,
            "parents": CANONICAL.parents,
            "offsets": CANONICAL.offsets.tolist(),
            "contacts": CONTACT_JOINTS,
        },
        "tokenizer": {
            "file": TOKENIZER,
            "kind": "WordPiece of lower-case words without accents",
            "first": "[CLS]",
            "last": "[SEP]",
            "unknown": "[UNK]",
            "most": MAX_TOKENS,
        },
        "graphs": {graph.name: _described(graph) for graph in parts},
        "words_to_motion": _steps(model),
        "motion_to_latent": [
            "encoder: sixd, root and mask of a motion at the model's fps that starts above the origin, facing +Z",
        ],
        "positions": "world rotation = parent's @ own; place = parent's + parent's world rotation @ offset; "
        "the first joint is at root",
        "left_out": "in Python, motions are corrected after decoding: turns faster than a body can make are slowed, "
        "and feet that touch the floor are held; the graphs end before that",
    }


def _described(graph: Graph) -> dict[str, object]:
    ports = {"inputs": graph.inputs, "outputs": graph.outputs}
    listed = {
        side: [{"name": p.name, "dtype": p.dtype, "shape": p.shape, "meaning": p.meaning} for p in described]
        for side, described in ports.items()
    }
    return {"file": f"{graph.name}.onnx", **listed}


def _steps(model: MotionCLIP) -> dict[str, object]:
    draws = model.network.prior is not None
    drawing = [
        f"x = {model.config.num_scores} standard normal numbers",
        f"for now, then in steps of 1 / {FLOW_STEPS} from 0 to 1: prior gives x and the latent",
    ]
    return {
        "flow_steps": FLOW_STEPS if draws else 0,
        "guidance": DEFAULT_GUIDANCE,
        "recipe": [
            "tokenize the sentence; text gives the latent of the words",
            *(drawing if draws else []),
            "decoder: the latent and a mask of seconds * fps times true",
        ],
    }
