"""Trains the two small models that the tests share, from procedural motions alone: a few minutes on one core.

    python tests/models/make.py

`tests/models/tiny` is a model of preset `tiny`, `tests/models/evaluator` an evaluator network. Both know the movements
of :mod:`motionclip.data.synthetic` well enough that a sentence is nearest to its own motion. Run it again when the
network or the layout of its files changes; the tests ask for no figure that other weights of this kind would miss.
"""

import shutil
import tempfile
from pathlib import Path

from motionclip.cli.main import main

HERE = Path(__file__).parent


def make(folder: Path) -> None:
    store, run = str(folder / "store"), folder / "run"
    steps = ["--batch-size", "32", "--autoencoder.steps", "800", "--head.steps", "200", "--prior.steps", "1000"]
    assert main(["prepare", "synthetic:200", "--out", store]) == 0
    assert main(["train", "--preset", "tiny", "--data", store, "--out", str(run), *steps]) == 0
    shutil.rmtree(HERE / "tiny", ignore_errors=True)
    shutil.copytree(run / "model", HERE / "tiny")
    steps = ["--classifier-steps", "150", "--pair-steps", "150"]
    assert main(["train-evaluator", "--data", store, "--out", str(HERE / "evaluator"), *steps]) == 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        make(Path(temporary))
