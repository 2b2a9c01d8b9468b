"""Options that several commands share: declared, explained and read in one place, without importing PyTorch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

import motionclip
from motionclip.errors import FormatError, ModelError, MotionClipError
from motionclip.io import is_motion_file, readable, writable

if TYPE_CHECKING:
    from motionclip.applications.text_to_motion import Source
    from motionclip.model.pipeline import MotionCLIP
    from motionclip.motion import Motion

READABLE, WRITABLE = " ".join(readable()), " ".join(writable())
#: Environment variable with the default of `--threads`.
THREADS = "MOTIONCLIP_THREADS"


def optional(kind: type, metavar: str, help: str | None = None, default: str | None = None) -> object:
    """Returns the declaration of an option that may be left out, in which case its value is None.

    Args:
        kind: type of a value that is given; an error about it then does not mention None.
        metavar: name of the value in the help.
        help: explanation; that of the command's docstring if not given.
        default: what happens without the option, in words.
    """
    hint = "(optional)" if default is None else f"(default: {default})"
    return arg(constructor=kind, metavar=metavar, help=help, help_behavior_hint=hint)


# Arguments.

_FILE = f"Motion file ({READABLE})"
MotionFile = Annotated[Path, Positional, arg(metavar="FILE", help=f"{_FILE}; an .amc needs its .asf beside it.")]
MotionFiles = Annotated[
    tuple[Path, ...],
    Positional,
    arg(metavar="FILE [FILE ...]", help=f"{_FILE}, one or more.", help_behavior_hint="(required)"),
]
#: Text or the name of a motion file, for `read_source`.
TextOrFile = Annotated[str, Positional, arg(metavar="TEXT|FILE", help=f"Quoted text, or a motion file ({READABLE}).")]
OptionalTextOrFile = Annotated[str | None, optional(str, "TEXT|FILE")]

# What is written.

OutFile = Annotated[Path, arg(metavar="FILE", help=f"File to write; its suffix chooses the format ({WRITABLE}).")]
Formats = Annotated[
    tuple[str, ...],
    arg(
        metavar="FORMAT [FORMAT ...]",
        help=f"Formats to write each motion in: {' '.join(suffix[1:] for suffix in writable())}.",
        help_behavior_hint="(default: bvh)",
    ),
]
Picture = Annotated[Path | None, optional(Path, "FILE.png")]
JsonFile = Annotated[
    Path | None, arg(name="json"), optional(Path, "FILE.json", "Also write the results to a JSON file.")
]
RigName = Annotated[
    str | None,
    optional(
        str,
        "RIG",
        "Skeleton to write on: blender, mixamo, unreal or unity, or a .bvh or .glb file with a character of your own.",
        "the motion's own",
    ),
]

# How motions are made.

Seed = Annotated[int, arg(metavar="N", help="Random seed: another seed gives another motion for the same text.")]
Guidance = Annotated[
    float,
    arg(
        metavar="SCALE",
        help="Classifier-free guidance scale: above 1 follows the text closer, with less variety.",
    ),
]
Seconds = Annotated[
    float | None,
    optional(float, "SECONDS", "Length of each motion.", "that of a given motion; 4 for text alone"),
]

# The model and its data.

Stores = Annotated[
    tuple[Path, ...], arg(metavar="STORE [STORE ...]", help="Stores made by `motionclip prepare`, one or more.")
]
Library = Annotated[Path | None, optional(Path, "DIR")]
Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class ModelOptions:
    """The model of a command, and where it computes.

    Attributes:
        model: Name of a shipped model, a model folder, or a run folder of `motionclip train`.
        device: Where to compute; `auto` takes a GPU if there is one.
        threads: Number of processor threads.
        encoder_weights: Folder or file with the text encoder's weights, in place of the Hugging Face hub.
    """

    model: Annotated[str, arg(metavar="NAME|DIR")] = "base"
    device: Device = "cpu"
    threads: Annotated[int | None, optional(int, "N", default=f"${THREADS}, else what PyTorch chooses")] = None
    encoder_weights: Annotated[Path | None, optional(Path, "PATH")] = None

    def load(self) -> MotionCLIP:
        """Sets the number of threads of this process, and returns the model.

        Raises:
            ModelError: if the model or its text encoder's weights are missing or damaged, or there is no such device.
            MotionClipError: if the number of threads is not a positive integer.
        """
        import torch

        threads = os.environ.get(THREADS) if self.threads is None else str(self.threads)
        if threads:
            if not threads.isdecimal() or int(threads) < 1:
                raise MotionClipError(f"{threads} threads; expected a whole number of 1 or more (--threads, {THREADS})")
            torch.set_num_threads(int(threads))
        return motionclip.load(self.model, device=torch_device(self.device), encoder_weights=self.encoder_weights)


#: The options of `ModelOptions` without a prefix: `--model`, not `--options.model`.
Model = Annotated[ModelOptions, arg(name="")]


def torch_device(name: Device) -> str:
    """Returns the device that a value of `--device` stands for.

    Raises:
        ModelError: if PyTorch finds no GPU for `cuda`.
    """
    import torch

    if name == "cuda" and not torch.cuda.is_available():
        raise ModelError("--device cuda, but PyTorch finds no GPU; expected cpu, or a build of PyTorch for this GPU")
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return name


def read_source(text: str) -> Source:
    """Returns the motion of the file that an argument names, or else the argument itself, which is text.

    Raises:
        FormatError: if it ends like a motion file, and there is none or it cannot be read.
    """
    return motionclip.read_motion(text) if is_motion_file(text) else text


def read_motions(files: Sequence[Path]) -> list[Motion]:
    """Returns the motions of files.

    Raises:
        FormatError: if one cannot be read.
        MotionClipError: if there is none.
    """
    if not files:
        raise MotionClipError("no file; expected one or more motion files, such as walk.bvh")
    return [motionclip.read_motion(path) for path in files]


def check_picture(path: Path | None) -> None:
    """Checks, before long work, that a picture can be written to the path.

    Raises:
        FormatError: if not.
    """
    if path is not None and (path.suffix.lower() != ".png" or path.is_dir()):
        raise FormatError(path, "this is not the name of a picture", "a name that ends in .png")
