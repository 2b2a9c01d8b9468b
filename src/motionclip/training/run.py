"""The run folder: what was run, on what, and how it went."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from motionclip.errors import ModelError
from motionclip.training.presets import TrainConfig

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch.utils.tensorboard import SummaryWriter

_PACKAGES = ("motionclip", "torch", "numpy", "roma", "safetensors", "tokenizers")


def _commit() -> str:
    """The commit of the code, marked where files differ from it; `unknown` outside a repository."""
    here = Path(__file__).parent
    command = ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _environment(data: list[str]) -> dict[str, object]:
    return {
        "commit": _commit(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
        "machine": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "data": data,
    }


class Run:
    """A folder of `config.json`, `environment.json`, `metrics.jsonl`, pictures, TensorBoard events and states.

    Raises:
        ModelError: if the folder holds a run of another configuration, or one and ``resume`` is false.
    """

    def __init__(self, folder: Path, config: TrainConfig, data: list[str], *, resume: bool):
        self.folder = folder
        text = json.dumps(config.to_dict(), indent=2) + "\n"
        path = folder / "config.json"
        if path.exists():
            self._check_same(path, text, resume)
        (folder / "pictures").mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        (folder / "environment.json").write_text(json.dumps(_environment(data), indent=2) + "\n")
        self._writer = self._tensorboard()

    def _check_same(self, path: Path, text: str, resume: bool) -> None:
        if not resume:
            raise ModelError(f"{self.folder} holds a run already; resume it with --resume, or choose another folder")
        if path.read_text() != text:
            raise ModelError(f"{path} differs from this run's configuration; resume with the same one, or start anew")

    def _tensorboard(self) -> SummaryWriter | None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:  # an extra: the JSON lines hold the same figures
            return None
        return SummaryWriter(str(self.folder / "tensorboard"))

    def state_path(self, phase: str) -> Path:
        """Where the resumable state of a phase lies."""
        return self.folder / "state" / f"{phase}.safetensors"

    def forget_after(self, phase: str, step: int) -> None:
        """Drop the metrics of a phase after ``step``: a resumed run writes them again."""
        path = self.folder / "metrics.jsonl"
        if not path.exists():
            return
        rows = [line for line in path.read_text().splitlines() if _before(line, phase, step)]
        temporary = path.with_name(path.name + ".tmp")
        temporary.write_text("".join(row + "\n" for row in rows))
        temporary.replace(path)

    def log(self, phase: str, step: int, values: dict[str, float]) -> None:
        """Add a row of figures."""
        with (self.folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps({"phase": phase, "step": step} | values) + "\n")
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(f"{phase}/{name}", value, step)

    def picture(self, name: str, step: int, image: Image) -> None:
        """Keep a picture, as a file and in TensorBoard."""
        image.save(self.folder / "pictures" / f"{name}_{step:06d}.png")
        if self._writer is not None:
            import numpy as np

            self._writer.add_image(name, np.asarray(image.convert("RGB")), step, dataformats="HWC")


def _before(line: str, phase: str, step: int) -> bool:
    row = json.loads(line)
    return bool(row["phase"] != phase or row["step"] <= step)
