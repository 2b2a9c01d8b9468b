"""Options that several commands share: declared, explained and read in one place, without importing PyTorch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg
from tyro.constructors import PrimitiveConstructorSpec

import motionclip
from motionclip.errors import FormatError, ModelError, MotionClipError
from motionclip.io import is_motion_file, readable, writable
from motionclip.seeds import check_seed

if TYPE_CHECKING:
    from motionclip.applications.text_to_motion import Source
    from motionclip.model.pipeline import MotionCLIP
    from motionclip.motion import Motion
    from motionclip.motion.conventions import Conventions, Known

READABLE, WRITABLE = " ".join(readable()), " ".join(writable())
#: Suffixes of files that are often at hand where motions are, and are neither motions that are read nor words.
_OTHER_SUFFIXES = (".asf", ".blend", ".c3d", ".dae", ".json", ".mov", ".obj", ".pth", ".safetensors", ".trc", ".txt")
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

AsfFile = Annotated[Path | None, optional(Path, "FILE.asf", "Skeleton of an .amc file.", "the .asf beside it")]

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
        "Skeleton to write on: blender, mixamo, unreal or unity, or a .bvh, .glb or .vrm character of your own.",
        "the motion's own",
    ),
]

# How motions are made.

#: A random seed, checked before long work.
SeedNumber = Annotated[
    int,
    PrimitiveConstructorSpec(
        nargs=1,
        metavar="N",
        instance_from_str=lambda words: check_seed(int(words[0])),
        is_instance=lambda value: isinstance(value, int),
        str_from_instance=lambda value: [str(value)],
    ),
]
Seed = Annotated[SeedNumber, arg(metavar="N", help="Random seed: another seed gives another motion for the same text.")]
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
        threads: Number of processor threads of a computation.
        encoder_weights: Folder or file with the text encoder's weights, in place of those that are installed.
        bf16: Compute in bfloat16: faster on processors and GPUs that have it; joints are some millimetres elsewhere.
    """

    model: Annotated[str, arg(metavar="NAME|DIR")] = "base"
    device: Device = "cpu"
    threads: Annotated[
        int | None, optional(int, "N", default=f"${THREADS}, else 1, and all cores for many motions")
    ] = None
    encoder_weights: Annotated[Path | None, optional(Path, "PATH")] = None
    bf16: bool = False

    def load(self, *, many: bool = False) -> MotionCLIP:
        """Sets the number of threads of this process, and returns the model.

        Threads that share small work mostly wait for each other: one motion is made on one thread about as fast as on
        several, and much faster where other processes are busy.

        Args:
            many: whether many motions are encoded or made at once, which all cores then share.

        Raises:
            ModelError: if the model or its text encoder's weights are missing or damaged, or there is no such device.
            MotionClipError: if the number of threads is not a positive integer.
        """
        import torch

        threads = os.environ.get(THREADS) if self.threads is None else str(self.threads)
        if not threads:
            threads = "" if many else "1"
        if threads:
            if not threads.isdecimal() or int(threads) < 1:
                raise MotionClipError(f"{threads} threads; expected a whole number of 1 or more (--threads, {THREADS})")
            torch.set_num_threads(int(threads))
        return motionclip.load(
            self.model, device=torch_device(self.device), encoder_weights=self.encoder_weights, bf16=self.bf16
        )


@dataclass(frozen=True)
class SourceOptions:
    """What is known of a motion file that is read; the rest is found out.

    Attributes:
        source_fps: Frames per second of the source.
        up: Axis of the source that points up: x, y or z; with a minus as in --up=-z.
        unit: Unit of the source's lengths: m, cm, mm, inch, foot, mmd, cmu, or a number of metres.
        facing: Axis of the source that becomes +Z, to which a body looks.
        joints: Names of joints by body part; `motionclip info FILE --joints-template FILE.json` writes a map to edit.
    """

    source_fps: Annotated[float | None, optional(float, "FPS", default="its own")] = None
    up: Annotated[str | None, optional(str, "AXIS", default="as stated, else found from the body")] = None
    unit: Annotated[str | None, optional(str, "UNIT", default="as stated, else found from the body")] = None
    facing: Annotated[str | None, optional(str, "AXIS", default="the heading is left as it is")] = None
    joints: Annotated[Path | None, optional(Path, "FILE.json", default="recognised by names and shape")] = None

    def known(self) -> Known:
        """Returns the options as readers take them.

        Raises:
            FormatError: if the file of joints cannot be read.
        """
        from motionclip.formats.joint_map import read_joint_map
        from motionclip.motion.conventions import Known

        joints = {} if self.joints is None else read_joint_map(self.joints)
        return Known(self.source_fps, self.up, self.unit, self.facing, joints)


@dataclass(frozen=True)
class RigOptions:
    """What is known of the file of a rig.

    Attributes:
        up: Axis of the file of --rig that points up; then Y is up in what is written.
        unit: Unit of lengths in the file of --rig: m, cm, mm, inch, foot, mmd, cmu, or a number of metres.
        facing: Axis of the file of --rig that becomes +Z, to which a body looks.
        joints: Names of joints of --rig by body part; `motionclip info FILE --joints-template FILE.json` writes a map.
    """

    up: Annotated[str | None, optional(str, "AXIS", default="found from the rest pose, and kept")] = None
    unit: Annotated[str | None, optional(str, "UNIT", default="found from the body")] = None
    facing: Annotated[str | None, optional(str, "AXIS", default="kept")] = None
    joints: Annotated[Path | None, optional(Path, "FILE.json", default="recognised by names and shape")] = None

    def known(self) -> Known:
        """Returns the options as readers take them.

        Raises:
            FormatError: if the file of joints cannot be read.
        """
        return SourceOptions(None, self.up, self.unit, self.facing, self.joints).known()


#: The options of `RigOptions` without a prefix.
AboutRig = Annotated[RigOptions, arg(name="")]
#: The options of `SourceOptions` without a prefix.
AboutSource = Annotated[SourceOptions, arg(name="")]

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


def names_file(text: str, folder: Path = Path()) -> bool:
    """Whether an argument is the name of a file and not text: it ends like one, has a path separator, or is there."""
    return (
        is_motion_file(text)
        or text.lower().endswith((*writable(), *_OTHER_SUFFIXES))
        or bool(set(text) & set("/\\"))
        or os.path.isfile(folder / text)  # noqa: PTH113  # Path.is_file raises where a text is too long for a name
    )


def read_source(text: str, folder: Path = Path()) -> Source:
    """Returns the motion of the file that an argument names, or else the argument itself, which is text.

    Args:
        text: the argument.
        folder: that names of files are relative to.

    Raises:
        FormatError: if it names a file (`names_file`), and there is none or it cannot be read.
    """
    if not names_file(text, folder):
        return text
    if not is_motion_file(text) and not os.path.exists(folder / text):  # noqa: PTH110  # as above
        raise FormatError(text, "there is no such file", f"a motion file ({READABLE}), or words without / and \\")
    return motionclip.read_motion(folder / text)


def read_text(path: Path) -> str:
    """Returns the text of a file in UTF-8.

    Raises:
        FormatError: if it is missing, empty, or not UTF-8.
    """
    from motionclip.formats.files import read_bytes

    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(path, "this is not UTF-8 text", "a list in UTF-8, one entry a line") from error


def read_about(path: Path, known: Known, asf: Path | None = None) -> tuple[Motion, Conventions]:
    """Returns the motion of a file, and how its numbers were understood.

    Args:
        path: the file.
        known: what is known of it.
        asf: skeleton of an .amc file, if it does not lie beside it.

    Raises:
        FormatError: if it cannot be read, or ``asf`` is given for a file of another format.
        MotionError, SkeletonError: as :func:`motionclip.read_motion`.
    """
    from motionclip.io import read_with_conventions

    if asf is None:
        return read_with_conventions(path, known)
    if path.suffix.lower() != ".amc":
        raise FormatError(path, "--asf was given", "an .amc file")
    from motionclip.formats.asf_amc import record_amc
    from motionclip.motion.conventions import interpret

    return interpret(record_amc(path, known.fps, asf), known)


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
