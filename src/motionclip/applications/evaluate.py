"""The figures of a model on a split of prepared stores, data set by data set.

Reconstruction is measured on 2-second windows that tile the clips, retrieval and recognition on
whole clips (the middle of those longer than the model takes). docs/evaluation.md gives the formulas.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motionclip.applications.text_to_motion import text_to_motion
from motionclip.data.store import Store
from motionclip.data.windows import Segment, WindowSet
from motionclip.errors import DataError
from motionclip.metrics.linear import LinearAutoEncoder
from motionclip.metrics.physics import floor_speeds, penetration
from motionclip.metrics.reconstruction import reconstruction_errors
from motionclip.metrics.retrieval import Retrieval, accuracy, cosines, retrieval
from motionclip.model.features import Batch, pose, to_motions
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import CANONICAL, Motion
from motionclip.motion.contacts import CONTACT_JOINTS, foot_contacts
from motionclip.motion.skeleton import ANKLE_HEIGHT, FOOT_HEIGHT
from motionclip.training.batches import gather, gather_rows

WINDOW_SECONDS = 2.0
_CHUNK = 64
_PCA_WINDOWS = 12_000
_MIN_SECONDS = 0.7
_PHYSICS_CLIPS = 64
#: Height in metres above that of standing below which a foot joint counts as on the floor.
_LOW = 0.025

#: Called with a word for what is being measured.
OnStage = Callable[[str], None]


@dataclass(frozen=True)
class Reconstruction:
    """Means over windows; PCA has as many numbers as the latent and is fitted on the training split.

    Attributes:
        windows: how many 2-second windows.
        mpjpe_mm: mean joint position error, root-aligned.
        orientation_deg: mean error of local joint rotations.
        root_path_cm: mean error of the root path.
        pca_mpjpe_mm: mean joint position error of the linear auto-encoder; None without a training split.
    """

    windows: int
    mpjpe_mm: float
    orientation_deg: float
    root_path_cm: float
    pca_mpjpe_mm: float | None


@dataclass(frozen=True)
class Recognition:
    """The nearest of all content-and-style sentences of a data set, in percent.

    Attributes:
        clips: how many clips.
        sentences: how many sentences to choose from.
        sentence: share of clips whose own sentence is nearest.
        content: share of clips the content of whose nearest sentence is right.
        style: share of clips the style of whose nearest sentence is right.
    """

    clips: int
    sentences: int
    sentence: float
    content: float
    style: float


@dataclass(frozen=True)
class Physics:
    """Feet, of recorded clips and of as many generated ones for the same sentences.

    Attributes:
        recorded_skate_cm_s: mean horizontal speed of feet on the floor in recordings.
        generated_skate_cm_s: the same, generated.
        recorded_penetration_cm: mean depth of the lowest foot joint below its standing height.
        generated_penetration_cm: the same, generated.
    """

    recorded_skate_cm_s: float
    generated_skate_cm_s: float
    recorded_penetration_cm: float
    generated_penetration_cm: float


@dataclass(frozen=True)
class DatasetFigures:
    """All figures of one data set; a part that its clips do not allow is None."""

    dataset: str
    clips: int
    reconstruction: Reconstruction | None
    text_to_motion: Retrieval | None
    motion_to_text: Retrieval | None
    recognition: Recognition | None
    physics: Physics | None


@dataclass(frozen=True)
class Evaluation:
    """Figures of a model on a split."""

    split: str
    latent_dim: int
    datasets: tuple[DatasetFigures, ...]

    def to_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return dataclasses.asdict(self)


def evaluate(
    model: MotionCLIP, stores: Sequence[Store], split: str = "test", on_stage: OnStage = lambda stage: None
) -> Evaluation:
    """All figures; the same call gives the same figures.

    Raises:
        DataError: if the stores have no clips of the split.
    """
    windows = WindowSet(stores, split, {}, round(_MIN_SECONDS * model.config.fps))
    on_stage("fitting the linear baseline")
    linear = _fit_linear(model, stores)
    figures = []
    for dataset in sorted({segment.dataset for segment in windows.segments}):
        on_stage(dataset)
        figures.append(_dataset_figures(model, stores, windows, dataset, linear))
    return Evaluation(split, model.config.latent_dim, tuple(figures))


def _fit_linear(model: MotionCLIP, stores: Sequence[Store]) -> LinearAutoEncoder | None:
    try:
        train = WindowSet(stores, "train", {}, round(WINDOW_SECONDS * model.config.fps))
    except DataError:
        return None  # a store of test clips only
    rows = _thinned(train.tiles(round(WINDOW_SECONDS * model.config.fps)), _PCA_WINDOWS)
    batch = gather_rows(train, rows)
    return LinearAutoEncoder(_aligned(pose(batch.sixd, batch.root)[1]).flatten(1), model.config.latent_dim)


def _thinned(rows: Tensor, most: int) -> Tensor:
    return rows[:: -(-len(rows) // most)] if len(rows) > most else rows


def _aligned(positions: Tensor) -> Tensor:
    """Positions (B, T, J, 3) with the root joint of every frame at the origin."""
    return positions - positions[:, :, :1]


def _dataset_figures(
    model: MotionCLIP, stores: Sequence[Store], windows: WindowSet, dataset: str, linear: LinearAutoEncoder | None
) -> DatasetFigures:
    own = [index for index, segment in enumerate(windows.segments) if segment.dataset == dataset]
    described = [index for index in own if windows.segments[index].texts]
    labelled = [index for index in described if windows.segments[index].labelled]
    latents = _encode_segments(model, windows, described) if described else None
    to_motion, to_text = _retrieval(model, windows, described, latents) if latents is not None else (None, None)
    recognised = latents is not None and len(labelled) == len(described)
    return DatasetFigures(
        dataset,
        sum(windows.segments[index].whole for index in own),
        _reconstruction(model, windows, dataset, linear),
        to_motion,
        to_text,
        _recognition(model, windows, stores, described, latents) if recognised and latents is not None else None,
        _physics(model, windows, described) if described else None,
    )


@torch.inference_mode()
def _reconstruction(
    model: MotionCLIP, windows: WindowSet, dataset: str, linear: LinearAutoEncoder | None
) -> Reconstruction | None:
    tiles = windows.tiles(round(WINDOW_SECONDS * model.config.fps), dataset)
    if not len(tiles):
        return None
    batches = [gather_rows(windows, rows) for rows in tiles.split(_CHUNK)]
    errors = [reconstruction_errors(model.network.autoencoder, batch) for batch in batches]
    return Reconstruction(
        len(tiles),
        torch.cat([error.mpjpe_mm for error in errors]).mean().item(),
        torch.cat([error.orientation_deg for error in errors]).mean().item(),
        torch.cat([error.root_path_cm for error in errors]).mean().item(),
        None if linear is None else torch.cat([_linear_error(linear, batch) for batch in batches]).mean().item(),
    )


def _linear_error(linear: LinearAutoEncoder, batch: Batch) -> Tensor:
    """MPJPE (B,) in mm of the linear auto-encoder."""
    true = _aligned(pose(batch.sixd, batch.root)[1])
    distance = linear.reconstruct(true.flatten(1)).view_as(true) - true
    return torch.linalg.vector_norm(distance, dim=-1).mean(dim=(1, 2)) * 1000


@torch.inference_mode()
def _encode_segments(model: MotionCLIP, windows: WindowSet, segments: Sequence[int]) -> Tensor:
    parts = [segments[start : start + _CHUNK] for start in range(0, len(segments), _CHUNK)]
    draws = [windows.central(part, model.config.max_frames) for part in parts]
    return torch.cat([model.network.autoencoder.encode(gather(windows, draw)) for draw in draws])


def _retrieval(
    model: MotionCLIP, windows: WindowSet, segments: Sequence[int], latents: Tensor
) -> tuple[Retrieval, Retrieval]:
    """Text to motion and motion to text; clips that share a sentence all answer it."""
    texts = [windows.segments[index].texts[0] for index in segments]
    distinct = sorted(set(texts))
    number = {text: index for index, text in enumerate(distinct)}
    right = torch.nn.functional.one_hot(torch.tensor([number[text] for text in texts]), len(distinct)).bool()
    similarity = cosines(latents, model.embed_text(distinct))  # (clips, sentences)
    return retrieval(similarity.T, right.T), retrieval(similarity, right)


def _recognition(
    model: MotionCLIP, windows: WindowSet, stores: Sequence[Store], segments: Sequence[int], latents: Tensor
) -> Recognition:
    clips: list[Segment] = [windows.segments[index] for index in segments]
    dataset = clips[0].dataset
    known = {
        entry.captions[0].text: (entry.category, entry.style)
        for store in stores
        for entry in store.entries
        if entry.dataset == dataset
    }
    sentences = sorted(known)
    similarity = cosines(latents, model.embed_text(sentences))
    nearest = [known[sentences[index]] for index in similarity.argmax(dim=1).tolist()]
    return Recognition(
        len(clips),
        len(sentences),
        accuracy(similarity, torch.tensor([sentences.index(clip.texts[0]) for clip in clips])),
        100 * sum(clip.category == content for clip, (content, _) in zip(clips, nearest, strict=True)) / len(clips),
        100 * sum(clip.style == style for clip, (_, style) in zip(clips, nearest, strict=True)) / len(clips),
    )


def _physics(model: MotionCLIP, windows: WindowSet, segments: Sequence[int]) -> Physics:
    chosen = list(segments)[:: -(-len(segments) // _PHYSICS_CLIPS)]
    draw = windows.central(chosen, model.num_frames(WINDOW_SECONDS * 2))
    batch = gather(windows, draw)
    recorded = to_motions(batch.sixd, batch.root, model.config.fps)
    recorded = [motion.frames(0, int(real.sum())) for motion, real in zip(recorded, batch.mask, strict=True)]
    sentences = [windows.segments[index].texts[0] for index in chosen]
    generated = text_to_motion(model, sentences, seconds=WINDOW_SECONDS * 2)
    return Physics(_skate(recorded), _skate(generated), _depth(recorded), _depth(generated))


def _skate(motions: Sequence[Motion]) -> float:
    """Foot skate over all low frames of all motions, cm/s."""
    speeds = [floor_speeds(_feet(motion), _low(motion), motion.fps) for motion in motions]
    return torch.cat(speeds).mean().nan_to_num().item()


def _depth(motions: Sequence[Motion]) -> float:
    """Mean depth of the lowest foot joint below its height in standing, cm."""
    heights = torch.tensor([ANKLE_HEIGHT, FOOT_HEIGHT] * 2)[:, None] * torch.tensor([0.0, 1.0, 0.0])
    return sum(penetration(_feet(motion) - heights) for motion in motions) / len(motions)


def _feet(motion: Motion) -> Tensor:
    return motion.positions[:, CANONICAL.indices(CONTACT_JOINTS)]


def _low(motion: Motion) -> Tensor:
    return foot_contacts(motion.positions, motion.fps, clearance=_LOW, speed=float("inf"))
