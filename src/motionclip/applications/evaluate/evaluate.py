"""Evaluation: the figures of a model on a split of prepared stores, data set by data set.

Each family of figures has a file of this package; docs/evaluation.md gives the formulas.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from motionclip.applications.evaluate.clips import Clips, embed_clips, encode_clips
from motionclip.applications.evaluate.generation import (
    Edited,
    Generation,
    Interpolation,
    measure_editing,
    measure_generation,
    measure_interpolation,
)
from motionclip.applications.evaluate.reconstruction import Reconstruction, fit_linear, measure_reconstruction
from motionclip.applications.evaluate.retrieval import (
    Protocol,
    measure_actions,
    measure_babel,
    measure_recognition,
    measure_retrieval,
)
from motionclip.data.store import Store
from motionclip.data.windows import WindowSet
from motionclip.encoders import CachedEncoder, load_text_encoder
from motionclip.metrics.evaluator import Evaluator
from motionclip.metrics.recognition import Recognition
from motionclip.model.pipeline import MotionCLIP

#: The text encoder that says how alike two sentences are, whatever the model's own is.
REFERENCE_ENCODER = "minilm"

_MIN_SECONDS = 0.7

#: Called with a line on what is being measured.
OnStage = Callable[[str], None]


@dataclass(frozen=True)
class DatasetFigures:
    """All figures of one data set; a part that its clips or the missing evaluator do not allow is None or empty."""

    dataset: str
    clips: int
    reconstruction: Reconstruction | None
    recognition: tuple[Recognition, ...] = ()
    retrieval: tuple[Protocol, ...] = ()
    generation: Generation | None = None
    editing: tuple[Edited, ...] = ()
    interpolation: Interpolation | None = None


@dataclass(frozen=True)
class Evaluation:
    """The figures of a model on a split."""

    split: str
    latent_dim: int
    datasets: tuple[DatasetFigures, ...]

    def to_dict(self) -> dict[str, object]:
        """Returns plain values, for JSON."""
        return dataclasses.asdict(self)


def evaluate(
    model: MotionCLIP,
    stores: Sequence[Store],
    split: str = "test",
    *,
    evaluator: Evaluator | None = None,
    on_stage: OnStage = lambda stage: None,
) -> Evaluation:
    """Returns all figures; the same call gives the same figures.

    Args:
        model: from :func:`motionclip.load`.
        stores: prepared data; their ``train`` split is used for the linear baseline alone.
        split: which clips to measure on.
        evaluator: networks that judge generated, edited and interpolated motions; without them those figures are left
            out.
        on_stage: called before each part.

    Raises:
        DataError: if the stores have no clips of the split.
        ModelError: if the weights of MiniLM, which says how alike sentences are, are not installed.
    """
    windows = WindowSet(stores, split, {}, round(_MIN_SECONDS * model.config.fps))
    on_stage("fitting the linear baseline")
    linear = fit_linear(model, stores)
    reference = CachedEncoder(load_text_encoder(REFERENCE_ENCODER))
    datasets = []
    for name in sorted({segment.dataset for segment in windows.segments}):
        on_stage(f"{name}: reconstruction")
        whole = sum(segment.whole for segment in windows.segments if segment.dataset == name)
        figures = DatasetFigures(name, whole, measure_reconstruction(model, windows, name, linear))
        clips = Clips(windows, name, model.config.max_frames)
        if len(clips):
            on_stage(f"{name}: recognition and retrieval")
            embeddings = embed_clips(model, clips)
            recognized = measure_recognition(model, clips, embeddings, stores)
            recognized += measure_actions(model, windows, name) + measure_babel(model, stores, split, name)
            retrieved = measure_retrieval(model, clips, embeddings, reference)
            on_stage(f"{name}: text to motion, and feet")
            generation = measure_generation(model, clips, encode_clips(model, clips), evaluator)
            on_stage(f"{name}: editing and interpolation")
            figures = dataclasses.replace(
                figures,
                recognition=recognized,
                retrieval=retrieved,
                generation=generation,
                editing=() if evaluator is None else measure_editing(model, clips, evaluator, stores),
                interpolation=measure_interpolation(model, clips, evaluator),
            )
        datasets.append(figures)
    return Evaluation(split, model.config.latent_dim, tuple(datasets))
