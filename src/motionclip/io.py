"""Motion files in and out: one record per format, and the functions that pick a format by the suffix of a file.

The records are the only place that knows which formats exist. The command line, the server, the studio and the data
sources take suffixes, media types and help texts from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

from motionclip.errors import FormatError, MotionClipError, MotionError, SkeletonError
from motionclip.progress import ProgressCallback

if TYPE_CHECKING:  # the command line shows the formats in its help, and does not wait for PyTorch
    from motionclip.formats import Rig
    from motionclip.motion import Motion
    from motionclip.motion.conventions import Conventions, Known, Recording

Group = Literal["skeleton", "body", "research", "picture"]


@dataclass(frozen=True)
class Format:
    """A file format for motions.

    Attributes:
        suffix: of its files, lower case, with the dot; may have two parts.
        group: what its files hold: joints, a skinned body, arrays for research code, or pictures.
        media_type: as HTTP names it.
        reader: "module:function" below motionclip, called with a path and frames per second, or None for the file's
            own; returns a Recording, or a Motion where files state axes and unit. None if it is not read.
        writer: the same, called with a motion and a path; None if it is not written.
        takes: the same, called with a path, for files that can hold several animations: their names. The reader then
            has an argument ``take`` for the name of one.
        judges_up: whether the reader finds itself which axis is up; it then has an argument ``up`` for a known one.
        package: the module that it needs beyond the package's own dependencies, if any.
        extra: the extra of motionclip that installs that module.
    """

    suffix: str
    group: Group
    media_type: str
    reader: str | None = None
    writer: str | None = None
    package: str | None = None
    extra: str | None = None
    takes: str | None = None
    judges_up: bool = False

    @property
    def is_available(self) -> bool:
        """Whether the package that it needs is installed."""
        return self.package is None or find_spec(self.package) is not None

    @property
    def is_film(self) -> bool:
        """Whether it is rendered frame by frame, and reports its progress."""
        return self.media_type.startswith("video/") or self.suffix in (".gif", ".webp")


def _gltf(suffix: str, media_type: str, writer: str | None = None) -> Format:
    reading = "formats.gltf_motion"
    return Format(suffix, "body", media_type, f"{reading}:read_gltf", writer, takes=f"{reading}:gltf_takes")


def _smpl(suffix: str, media_type: str) -> Format:
    reading = "formats.smpl_parameters"
    reader, takes = f"{reading}:record_smpl_parameters", f"{reading}:smpl_takes"
    return Format(suffix, "research", media_type, reader, takes=takes, judges_up=True)


def _usd(suffix: str, media_type: str) -> Format:
    return Format(suffix, "body", media_type, writer="formats.usd:write_usd", package="pxr", extra="usd")


def _film(suffix: str, media_type: str, package: str | None = None, extra: str | None = None) -> Format:
    writer = "render.video:write_video"
    return Format(suffix, "picture", media_type, writer=writer, package=package, extra=extra)


#: Every format, in the order in which they are offered. Functions are imported when their format is first used.
FORMATS = (
    Format(".bvh", "skeleton", "application/x-bvh", "formats.bvh:record_bvh", "formats.bvh:write_bvh"),
    Format(".amc", "skeleton", "application/x-amc", reader="formats.asf_amc:record_amc"),
    Format(".npz", "skeleton", "application/x-npz", "formats.npz:record_npz", "formats.npz:write_npz", judges_up=True),
    _smpl(".pkl", "application/x-pickle"),
    _smpl(".pt", "application/x-pytorch"),
    Format(".csv", "skeleton", "text/csv", "formats.joint_table:read_csv", "formats.joint_table:write_csv"),
    _gltf(".glb", "model/gltf-binary", writer="formats.gltf:write_glb"),
    _gltf(".gltf", "model/gltf+json"),
    _gltf(".vrm", "model/x-vrm"),
    _gltf(".vrma", "model/x-vrma", writer="formats.vrma:write_vrma"),
    Format(
        ".fbx",
        "body",
        "application/x-fbx",
        "formats.fbx:read_fbx",
        package="ufbx",
        extra="fbx",
        takes="formats.fbx:fbx_takes",
    ),
    _usd(".usd", "model/vnd.usd"),
    _usd(".usda", "model/vnd.usda"),
    _usd(".usdc", "model/vnd.usdc"),
    _usd(".usdz", "model/vnd.usdz+zip"),
    Format(".amass.npz", "research", "application/x-amass", writer="formats.amass:write_amass"),  # read as .npz
    Format(
        ".npy",
        "research",
        "application/x-npy",
        "formats.npy:record_npy",
        "formats.humanml3d:write_humanml3d",
        takes="formats.npy:npy_takes",
        judges_up=True,
    ),
    _film(".mp4", "video/mp4", package="av", extra="video"),
    _film(".webp", "image/webp"),
    _film(".gif", "image/gif"),
    Format(".png", "picture", "image/png", writer="render.stills:write_filmstrip"),
)


#: Suffixes of files of markers, and what is told to those who have some.
_MARKERS = (".c3d", ".trc")
_NO_SKELETON = (
    "joints: solve the markers for a skeleton first, as MotionBuilder, Vicon Shogun, OptiTrack Motive and OpenSim do, "
    "or MoSh++ for SMPL, and give its .bvh, .fbx or .npz"
)


def readable() -> tuple[str, ...]:
    """Suffixes of the formats that are read."""
    return tuple(known.suffix for known in FORMATS if known.reader)


def writable() -> tuple[str, ...]:
    """Suffixes of the formats that are written."""
    return tuple(known.suffix for known in FORMATS if known.writer)


def format_of(path: str | Path, verb: Literal["read", "written"]) -> Format:
    """The format of a file by the longest suffix that its name ends in.

    Raises:
        FormatError: if no format with that suffix can be read, or written.
    """
    file = split_take(path)[0] if verb == "read" else Path(path)
    name = file.name.lower()
    if verb == "read" and name.endswith(_MARKERS):
        raise FormatError(path, "this file has markers on the skin, which are no skeleton", _NO_SKELETON)
    known = [each for each in FORMATS if (each.reader if verb == "read" else each.writer)]
    fitting = [each for each in known if name.endswith(each.suffix)]
    if not fitting:
        expected = "one of " + ", ".join(sorted(each.suffix for each in known))
        if file.suffix.lower() == ".fbx":
            expected += "; Blender turns a .glb into FBX, as docs/formats.md says"
        raise FormatError(path, f"a file with suffix {file.suffix!r} cannot be {verb}", expected)
    return max(fitting, key=lambda each: len(each.suffix))


def is_motion_file(text: str | Path) -> bool:
    """Whether a name ends like a file that can be read, or like an animation in one, as in ``file.glb#Walk``."""
    return str(split_take(text)[0]).lower().endswith(readable())


def split_take(path: str | Path) -> tuple[Path, str | None]:
    """The file, and the animation that is named behind it, as in ``file.glb#Walk``; None if none is."""
    text = str(path)
    for suffix in (known.suffix for known in FORMATS if known.takes):
        start = text.lower().rfind(f"{suffix}#")
        if start >= 0 and not text.lower().endswith(readable()):
            middle = start + len(suffix)
            return Path(text[:middle]), text[middle + 1 :]
    return Path(text), None


def takes(path: str | Path) -> list[str]:
    """The names of the animations of a file; none for formats that hold one motion and no name.

    Raises:
        FormatError: if the file is missing or damaged, or cannot be read.
    """
    file = split_take(path)[0]
    listing = format_of(file, "read").takes
    return list(_function(listing)(file)) if listing else []


def animations(path: str | Path) -> dict[str, str]:
    """The names of the animations of a file, by what is written behind ``#`` for each: its name, or its number.

    None for formats that hold one motion and no name, and for a file that cannot be read: reading it says why.
    """
    try:
        names = takes(path)
    except MotionClipError:
        return {}
    file = Path(path)
    asked = [split_take(Path(f"{file}#{name}")) == (file, name) and names.count(name) == 1 for name in names]
    return {name if asked[number] else str(number + 1): name for number, name in enumerate(names)}


def read_motion(
    path: str | Path,
    *,
    fps: float | None = None,
    up: str | None = None,
    unit: str | float | None = None,
    facing: str | None = None,
    joints: Mapping[str, str] | None = None,
) -> Motion:
    """Returns the motion of a file on the file's own skeleton; metres, Y up, right-handed.

    What a file does not say of itself is found from the body, with a warning where the choice is unusual
    (:func:`read_with_conventions` returns all choices).

    Args:
        path: a file with one of the suffixes of :func:`readable`; an .amc needs its .asf beside it. Of several
            animations one is named behind the file, or numbered from 1: ``file.glb#Walk``, ``file.glb#2``.
        fps: frames per second of the source, in place of those of the file.
        up: the file's axis that points up, such as "z".
        unit: of the file's lengths: m, cm, mm, inch, foot, mmd, cmu, or a number of metres.
        facing: the file's axis that becomes +Z, to which a body looks.
        joints: role to joint name, of body parts that would not be recognised.

    Raises:
        FormatError: if the file is missing or damaged, or its suffix is of no format that can be read.
        MotionError: if a rate, an axis or a unit is none.
        SkeletonError: if a role or joint of ``joints`` does not exist, or they make no body.
    """
    from motionclip.motion.conventions import Known, warn_of

    motion, conventions = read_with_conventions(path, Known(fps, up, unit, facing, joints or {}))
    warn_of(path, conventions)
    return motion


def read_with_conventions(path: str | Path, known: Known | None = None) -> tuple[Motion, Conventions]:
    """Returns what :func:`read_motion` does, and how the file's numbers were understood; it does not warn.

    Args:
        path: as :func:`read_motion` takes it.
        known: what is known of the file.

    Raises:
        As :func:`read_motion`.
    """
    from motionclip.motion.conventions import Known, Recording, axis_of, interpret
    from motionclip.motion.motion import check_rate

    known = known or Known()
    if known.fps is not None:
        check_rate(known.fps)
    reading = format_of(path, "read")
    file, take = split_take(path)
    named: dict[str, Any] = {"take": take} if reading.takes else {}
    if reading.judges_up:
        named["up"] = None if known.up is None else axis_of(known.up)
    try:
        found: Motion | Recording = _function(reading.reader)(file, fps=known.fps, **named)
    except (MotionError, SkeletonError) as error:
        raise FormatError(path, f"what it holds is no motion: {error}", "a whole file of a moving skeleton") from error
    if not isinstance(found, Recording):
        found = Recording(found, up="+y", unit=1.0)
    return interpret(found, replace(known, up=None) if reading.judges_up else known)


def write_motion(
    motion: Motion, path: str | Path, rig: Rig | None = None, progress: ProgressCallback | None = None
) -> None:
    """Writes a motion in the format of the file's suffix, one of :func:`writable`.

    Args:
        motion: on any skeleton that can be retargeted.
        path: the file; it appears whole or not at all.
        rig: the skeleton to write it on, from :func:`load_rig`; for formats that hold a skeleton.
        progress: called with the number of rendered frames of a film and of all its frames; other formats are
            written at once.

    Raises:
        FormatError: if the suffix is of no format that can be written, or of none that can hold the rig.
        SkeletonError: for formats with a body and for rigs, if the skeleton cannot be retargeted.
    """
    check_writable(path, rig)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    known = format_of(path, "written")
    if rig is not None:
        rig.write(motion, path)
    elif known.is_film:
        _function(known.writer)(motion, path, progress)
    else:
        _function(known.writer)(motion, path)


def check_writable(path: str | Path, rig: Rig | None = None) -> None:
    """Checks, before long work, that :func:`write_motion` can write to the path.

    Raises:
        FormatError: if the suffix is unknown, the path is a folder, or the format cannot hold the rig.
    """
    suffix = format_of(path, "written").suffix
    if Path(path).is_dir():
        raise FormatError(path, "this is a folder", "the name of a file")
    if rig is not None and suffix not in rig.suffixes:
        raise FormatError(path, f"{suffix} cannot hold the rig {rig.name}", f"one of {', '.join(rig.suffixes)}")


def motion_bytes(
    motion: Motion, suffix: str, rig: Rig | None = None, progress: ProgressCallback | None = None
) -> bytes:
    """Returns the content of a file of a motion, as :func:`write_motion` writes it.

    Raises:
        As :func:`write_motion`; OSError if no temporary file can be written.
    """
    with TemporaryDirectory(prefix="motionclip-") as folder:
        path = Path(folder) / f"motion{suffix}"
        write_motion(motion, path, rig, progress)
        return path.read_bytes()


def motion_from_bytes(content: bytes, suffix: str, name: str) -> Motion:
    """Returns the motion of the content of a file, as :func:`read_motion` reads it.

    Args:
        content: of the file.
        suffix: one of :func:`readable`; not .amc, which needs a second file.
        name: of the file, for messages.

    Raises:
        FormatError: if it is damaged; OSError if no temporary file can be written.
    """
    with TemporaryDirectory(prefix="motionclip-") as folder:
        path = Path(folder) / f"motion{suffix}"
        path.write_bytes(content)
        try:
            return read_motion(path)
        except FormatError as error:  # the temporary path means nothing to whoever sent the file
            problem, expected = (
                text.replace(str(path), name).replace(path.name, name) for text in (error.problem, error.expected)
            )
            raise FormatError(name, problem, expected, error.line) from error


def _function(name: str | None) -> Callable[..., Any]:
    assert name is not None
    module, function = name.split(":")
    found: Callable[..., Any] = getattr(import_module(f"motionclip.{module}"), function)
    return found
