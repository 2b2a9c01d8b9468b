"""Applications, training and evaluation on a second device, against the CPU: run by tests/test_second_device.py.

python tests/second_device/check.py refusals|applications|training|evaluation STORE FOLDER
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import device as second

second.register()

import torch  # noqa: E402

import motionclip  # noqa: E402
from motionclip.applications.evaluate import evaluate  # noqa: E402
from motionclip.applications.search import index_library, search  # noqa: E402
from motionclip.data.store import Store  # noqa: E402
from motionclip.metrics.evaluator import load_evaluator  # noqa: E402
from motionclip.model.pipeline import MotionCLIP  # noqa: E402
from motionclip.training import phases, validation  # noqa: E402
from motionclip.training.config import PRESETS, TrainConfig  # noqa: E402
from motionclip.training.trainer import train  # noqa: E402

TESTS = Path(__file__).parents[1]
sys.path.append(str(TESTS / "training"))
from small import CONFIG, DigestEncoder, changed  # noqa: E402

WALK, RUN = "a person walks", "a person runs"


def with_val(folder: Path) -> Store:
    """The store, its first clips for validation."""
    store = Store.open(folder)
    entries = [dataclasses.replace(entry, split="val" if n < 4 else "train") for n, entry in enumerate(store.entries)]
    return dataclasses.replace(store, entries=tuple(entries))


def applications(store: Path, folder: Path) -> None:
    near, far = motionclip.load(), motionclip.load(device=second.NAME)
    assert far.device.type == second.NAME
    walk = motionclip.text_to_motion(near, WALK, seconds=2.0)
    calls: dict[str, Callable[[MotionCLIP], motionclip.Motion]] = {
        "text_to_motion": lambda model: motionclip.text_to_motion(
            model, "a person spins", seconds=2.0, seed=3, guidance=6.0
        ),
        "edit": lambda model: motionclip.edit(model, walk, minus=WALK, plus=RUN),
        "restyle": lambda model: motionclip.restyle(model, walk, "elderly"),
        "interpolate": lambda model: motionclip.interpolate(model, walk, RUN, 3)[1],
        "complete": lambda model: motionclip.complete(model, walk, [(0.8, 1.2)], text="a person jumps", steps=2),
        "reconstruct": lambda model: motionclip.reconstruct(model, walk),
    }
    for name, call in calls.items():
        difference = float((call(far).positions - call(near).positions).abs().max())
        assert difference < 1e-3, f"{name}: {difference} m"
    assert far.fingerprint == near.fingerprint
    far.save(folder / "saved")
    index = index_library(far, store, folder=folder / "index")
    assert search(far, index, [WALK, walk])


def losses(config: TrainConfig, store: Path, out: Path, device: str, stop: int = 0) -> list[float]:
    """The losses of the steps of a run, which goes on if it was stopped."""
    found: list[float] = []

    def follow(phase: str, step: int, steps: int, loss: float | None) -> None:
        if loss is not None:
            found.append(loss)
        if stop and len(found) == stop:
            raise InterruptedError

    with suppress(InterruptedError):
        train(config, [with_val(store)], out, DigestEncoder(), device=device, resume=True, on_step=follow)
    return found


def training(store: Path, folder: Path) -> None:
    phases._START_WINDOWS, validation._WINDOWS = 64, 16
    paper = changed(
        PRESETS["paper"].with_text_encoder("digest", 32, sees_images=True),
        model={"feedforward": 64, "encoder_layers": 1, "decoder_layers": 1, "dropout": 0.0},
        windows={"seconds": (1.0,), "frame_choice": "extreme", "mirror": True},
        autoencoder={"epochs": 0, "steps": 2, "batch_size": 4},
    )
    for name, config in {"base": CONFIG, "paper": paper}.items():
        near = losses(config, store, folder / f"{name}, cpu", "cpu")
        torch.testing.assert_close(losses(config, store, folder / name, second.NAME), near, atol=1e-5, rtol=1e-3)
    begun = losses(CONFIG, store, folder / "stopped", second.NAME, stop=4)
    assert len(begun) == 4
    assert losses(CONFIG, store, folder / "stopped", second.NAME)  # from the last checkpoint


def evaluation(store: Path, folder: Path) -> None:
    model = motionclip.load(TESTS / "models" / "tiny", device=second.NAME)
    evaluator = load_evaluator(TESTS / "models" / "evaluator")
    assert evaluate(model, [with_val(store)], "val", evaluator=evaluator).datasets


def refusals(store: Path, folder: Path) -> None:
    far, near = torch.ones(3, device=second.NAME), torch.ones(3)
    mixtures: dict[str, Callable[[], object]] = {
        "a sum": lambda: far + near,
        "an index into the CPU": lambda: near[far.long()],
        "selection by an index on the CPU": lambda: far.index_select(0, torch.tensor([1])),
        "a generator": lambda: torch.randn(3, device=second.NAME, generator=torch.Generator()),
    }
    for name, mix in mixtures.items():
        try:
            mix()
        except RuntimeError:
            continue
        raise AssertionError(f"{name} was not refused")
    allowed = far * torch.tensor(2.0) + far[torch.tensor([0, 1, 2])]
    torch.testing.assert_close(allowed.cpu(), 3 * near)


if __name__ == "__main__":
    torch.set_num_threads(1)
    with second.OtherDevice():
        globals()[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
