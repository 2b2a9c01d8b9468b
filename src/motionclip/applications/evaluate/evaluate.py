"""The figures of a model on a split of prepared stores, data set by data set.

Each family of figures is in a file of :mod:`motionclip.applications.measures`; docs/evaluation.md gives the formulas.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from motionclip.applications.evaluate.clips import Clips, encode_clips
from motionclip.applications.evaluate.generation import (
    Edited,
    Generation,
    Interpolation,
    measure_editing,
    measure_generation,
    measure_interpolation,
)
from motionclip.applications.evaluate.reconstruction import Reconstruction, fit_linear, measure_reconstruction
from motionclip.applications.evaluate.retrieval import Protocol, measure_babel, measure_recognition, measure_retrieval
from motionclip.data.store import Store
from motionclip.data.windows import WindowSet
from motionclip.encoders import CachedEncoder, load_text_encoder
from motionclip.metrics.evaluator import Evaluator
from motionclip.metrics.recognition import Recognition
from motionclip.model.pipeline import MotionCLIP

#: The text encoder that says which sentences are alike, whatever the model's own is.
YARDSTICK = "minilm"

_MIN_SECONDS = 0.7

#: Called with a word for what is being measured.
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
    """Figures of a model on a split."""

    split: str
    latent_dim: int
    datasets: tuple[DatasetFigures, ...]

    def to_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return dataclasses.asdict(self)


def evaluate(
    model: MotionCLIP,
    stores: Sequence[Store],
    split: str = "test",
    *,
    evaluator: Evaluator | None = None,
    on_stage: OnStage = lambda stage: None,
) -> Evaluation:
    """All figures; the same call gives the same figures.

    Args:
        model: what is measured.
        stores: prepared data; their ``train`` split is looked at for the linear baseline alone.
        split: which clips to measure on.
        evaluator: judges generated, edited and interpolated motions; without it those figures are left out.
        on_stage: called before each part.

    Raises:
        DataError: if the stores have no clips of the split.
        ModelError: if the weights of MiniLM, which says how alike sentences are, are not installed.
    """
    windows = WindowSet(stores, split, {}, round(_MIN_SECONDS * model.config.fps))
    on_stage("fitting the linear baseline")
    measure = _Measure(model, stores, split, windows, evaluator, on_stage)
    figures = tuple(measure.dataset(name) for name in sorted({segment.dataset for segment in windows.segments}))
    return Evaluation(split, model.config.latent_dim, figures)


class _Measure:
    """What all data sets are measured with."""

    def __init__(
        self,
        model: MotionCLIP,
        stores: Sequence[Store],
        split: str,
        windows: WindowSet,
        evaluator: Evaluator | None,
        on_stage: OnStage,
    ):
        self._model, self._stores, self._split, self._windows = model, stores, split, windows
        self._evaluator, self._on_stage = evaluator, on_stage
        self._linear = fit_linear(model, stores)
        self._yardstick = CachedEncoder(load_text_encoder(YARDSTICK))

    def dataset(self, name: str) -> DatasetFigures:
        """All figures of a data set."""
        self._on_stage(f"{name}: reconstruction")
        reconstruction = measure_reconstruction(self._model, self._windows, name, self._linear)
        whole = sum(segment.whole for segment in self._windows.segments if segment.dataset == name)
        clips = Clips(self._windows, name, self._model.config.max_frames)
        figures = DatasetFigures(name, whole, reconstruction)
        return self._described(figures, clips) if len(clips) else figures

    def _described(self, figures: DatasetFigures, clips: Clips) -> DatasetFigures:
        """The figures with those that need words."""
        model, name, judge = self._model, figures.dataset, self._evaluator
        self._on_stage(f"{name}: recognition and retrieval")
        latents = encode_clips(model, clips)
        recognised = measure_recognition(model, clips, latents, self._stores)
        recognised += measure_babel(model, self._stores, self._split, name)
        found = measure_retrieval(model, clips, latents, self._yardstick)
        self._on_stage(f"{name}: text to motion, and feet")
        generation = measure_generation(model, clips, latents, judge)
        self._on_stage(f"{name}: editing and interpolation")
        return dataclasses.replace(
            figures,
            recognition=recognised,
            retrieval=found,
            generation=generation,
            editing=() if judge is None else measure_editing(model, clips, judge, self._stores),
            interpolation=measure_interpolation(model, clips, judge),
        )
