"""The run folder: configuration, environment, metrics, images, and the state that a run resumes from."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn

from motionclip.data.paraphrases import Group
from motionclip.data.store import MANIFEST, Store
from motionclip.errors import ModelError
from motionclip.formats.files import replacing, save_tensors
from motionclip.gate.documents import DocumentError, parse, parse_object
from motionclip.gate.tensors import read_tensors
from motionclip.training.config import TrainConfig
from motionclip.training.distributed import DistributedContext

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch.utils.tensorboard import SummaryWriter


T = TypeVar("T")

#: Versions that `environment.json` records.
_PACKAGES = ("motionclip", "torch", "numpy", "roma", "safetensors", "tokenizers")
#: AdamW's state of a parameter.
_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


def save_state(path: Path, step: int, modules: dict[str, nn.Module], optimizer: torch.optim.Optimizer) -> None:
    """Write the weights of modules and the moments of the optimizer, with the step in the metadata.

    Under a temporary name that is renamed, so that a kill at any moment leaves the last whole file.
    """
    tensors = {
        f"{kind}/{name}": value.cpu() for kind, module in modules.items() for name, value in module.state_dict().items()
    }
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{index}/{name}": state[name].cpu() for name in _MOMENTS}
    save_tensors(path, tensors, {"step": str(step)})


def load_state(path: Path, modules: dict[str, nn.Module], optimizer: torch.optim.Optimizer) -> int:
    """Read a state back into modules and the optimizer; returns its step.

    Raises:
        ModelError: if the file is damaged or belongs to another configuration.
    """
    try:
        tensors, about = read_tensors(path)
        step = int(about["step"])
        for kind, module in modules.items():
            module.load_state_dict(_under(tensors, kind))
        moments, state = _under(tensors, "optimizer"), optimizer.state_dict()
        count = sum(len(group["params"]) for group in state["param_groups"])
        state["state"] = {
            index: {name: moments[f"{index}/{name}"] for name in _MOMENTS}
            for index in range(count)
            if f"{index}/step" in moments  # a parameter without gradient has none
        }
        optimizer.load_state_dict(state)
    except (RuntimeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} cannot be resumed from: {error}; train into a new folder") from error
    return step


def _under(tensors: dict[str, Tensor], kind: str) -> dict[str, Tensor]:
    prefix = kind + "/"
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


class RunFolder:
    """A folder of `config.json`, `environment.json`, `metrics.jsonl`, images, TensorBoard events and states.

    `config.json` holds the configuration, the number of processes and the hashes of the stores' manifests and of the
    paraphrases, `environment.json` one record for each start of the run. All processes of a job may read the folder;
    only the first one writes, the others' calls do nothing.

    Raises:
        ModelError: if the folder holds a run of another configuration or data, or one and ``resume`` is false.
    """

    def __init__(
        self,
        folder: Path,
        config: TrainConfig,
        stores: Sequence[Store],
        distributed: DistributedContext,
        *,
        paraphrases: Sequence[Group] = (),
        resume: bool,
    ):
        self.folder, self.config, self.distributed, self._writer = folder, config, distributed, None
        recorded = dataclasses.asdict(config) | {
            "data": [hashlib.sha256((store.folder / MANIFEST).read_bytes()).hexdigest() for store in stores],
            "paraphrases": hashlib.sha256(json.dumps(paraphrases).encode()).hexdigest() if paraphrases else None,
            "processes": distributed.size,
        }
        distributed.check_alike(
            json.dumps(recorded), "configuration or data; give each node the same command and stores"
        )
        if not distributed.first:
            return
        self._record(recorded, resume)
        self._record_start(stores)
        (folder / "pictures").mkdir(exist_ok=True)
        for left in (folder / "state").glob(".*.safetensors"):  # half written when a process was killed
            left.unlink()
        self._writer = self._tensorboard()

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def _record(self, config: dict[str, object], resume: bool) -> None:
        path, text = self.folder / "config.json", json.dumps(config, indent=2) + "\n"
        if path.exists():
            if not resume:
                raise ModelError(
                    f"{self.folder} holds a run already; resume it with --resume, or choose another folder"
                )
            self._compare(path, parse_object(text))
        with replacing(path) as temporary:
            temporary.write_text(text)

    def _compare(self, path: Path, config: dict[str, object]) -> None:
        found = _read(path, dict[str, Any])
        if found == config:
            return
        if found.get("processes") != self.distributed.size:
            raise ModelError(
                f"{path} is a run of {found.get('processes')} processes, this is one of {self.distributed.size}, which "
                "makes another batch; resume with as many, or start anew"
            )
        other = ", ".join(sorted(name for name in found.keys() | config if found.get(name) != config.get(name)))
        raise ModelError(f"{path} differs from this run in {other}; resume with the same, or start anew")

    def _record_start(self, stores: Sequence[Store]) -> None:
        starts = self.folder / "environment.json"
        records = _read(starts, list[dict[str, Any]]) if starts.exists() else []
        record = {
            "commit": _commit(),
            "python": platform.python_version(),
            "packages": {name: version(name) for name in _PACKAGES},
            "machine": f"{platform.system()} {platform.machine()}",
            "cores": os.cpu_count(),
            "processes": self.distributed.size,
            "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
            "stores": [str(store.folder) for store in stores],
        }
        with replacing(starts) as path:
            path.write_text(json.dumps([*records, record], indent=2) + "\n")

    def _tensorboard(self) -> SummaryWriter | None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:  # an extra: the JSON lines hold the same figures
            return None
        return SummaryWriter(str(self.folder / "tensorboard"))

    def state_path(self, phase: str) -> Path:
        """Where the resumable state of a phase lies."""
        return self.folder / "state" / f"{phase}.safetensors"

    def forget_after(self, phases: Sequence[str], step: int) -> None:
        """Drop the metrics of some phases after ``step``: a resumed run writes them again."""
        path = self.folder / "metrics.jsonl"
        if not self.distributed.first or not path.exists():
            return
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        kept = [line for line in lines if _is_kept(line, phases, step)]
        with replacing(path) as temporary:
            temporary.write_text("".join(line + "\n" for line in kept))

    def log(self, phase: str, step: int, values: dict[str, float]) -> None:
        """Add a row of figures."""
        if not self.distributed.first:
            return
        with (self.folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps({"phase": phase, "step": step} | values) + "\n")
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(f"{phase}/{name}", value, step)

    def save(self, phase: str, step: int, modules: dict[str, nn.Module], optimizer: torch.optim.Optimizer) -> None:
        """Save the state of a phase, in place of the one before."""
        if self.distributed.first:
            save_state(self.state_path(phase), step, modules, optimizer)

    def log_image(self, name: str, step: int, image: Image) -> None:
        """Add an image, as a file in `pictures` and in TensorBoard."""
        if not self.distributed.first:
            return
        with replacing(self.folder / "pictures" / f"{name}_{step:06d}.png") as path:
            image.save(path)
        if self._writer is not None:
            import numpy as np

            pixels = np.asarray(image.convert("RGB"))
            self._writer.add_image(name, pixels, step, dataformats="HWC")


def _is_kept(line: str, phases: Sequence[str], step: int) -> bool:
    try:
        row = parse(line, _Row)
    except DocumentError:  # the half line of a killed run
        return False
    return row.phase not in phases or row.step <= step


@dataclass(frozen=True)
class _Row:
    """What tells the rows of ``metrics.jsonl`` apart."""

    phase: str
    step: int


def _read(path: Path, schema: type[T]) -> T:
    try:
        return parse(path.read_bytes(), schema)
    except DocumentError as error:
        raise ModelError(f"{path} is damaged: {error}; train into a new folder") from error


def _commit() -> str:
    """The commit of the code, marked where files differ from it; `unknown` outside a repository."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
