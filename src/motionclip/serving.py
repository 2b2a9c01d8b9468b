"""What the server and the studio share: how they read files from outside, within limits, which hosts are this machine,
and how they end.
"""

from __future__ import annotations

import faulthandler
import ipaddress
import signal
import sys
import threading
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import torch

from motionclip.errors import FormatError, MotionError, SkeletonError
from motionclip.formats import RIG_SUFFIXES, Rig, load_rig
from motionclip.gate.arrays import holds_objects
from motionclip.io import FORMATS, motion_bytes, motion_from_bytes, readable
from motionclip.isolation import IsolatedWorkers
from motionclip.motion import Motion, Skeleton
from motionclip.progress import ProgressCallback

#: Joints, frames, seconds and frames per second of an uploaded motion.
MAX_JOINTS, MAX_FRAMES, MAX_SECONDS = 512, 20_000, 300.0
MIN_FPS, MAX_FPS = 1.0, 1000.0
#: Frames times joints of a motion.
MAX_POSES = 2_000_000
#: Megabytes that reading a file may take.
READ_MB = 1000.0
#: Seconds after which a server that was told to stop is ended, whatever it does.
LAST_SECONDS = 9.0
#: What reading a motion needs, loaded once for all processes that read.
_PRELOAD = ("motionclip.warm",)
#: Frames of a film or a film strip.
MAX_RENDERED_FRAMES = 900
#: Seconds of a storyboard.
MAX_STORY_SECONDS = 120.0

#: Suffixes of the files that may be uploaded. An .amc has no skeleton without its .asf.
UPLOAD_SUFFIXES = tuple(sorted(set(readable()) - {".amc", ".pkl", ".pt"}))
#: Suffixes of rendered files, which take much longer to write than the rest.
RENDERED_SUFFIXES = tuple(known.suffix for known in FORMATS if known.group == "picture")


def read_upload(content: bytes, suffix: str, name: str) -> Motion:
    """Returns the motion of an uploaded file.

    Args:
        content: of the file.
        suffix: one of ``UPLOAD_SUFFIXES``.
        name: of the file, for messages.

    Raises:
        FormatError: if the file is damaged.
        MotionError: if it has more joints, frames or seconds than the limits allow.
        OSError: if no temporary file can be written.
    """
    if suffix == ".bvh" and content.upper().count(b"JOINT") > 2 * MAX_JOINTS:
        raise MotionError(f"more than {MAX_JOINTS} joints; expected fewer")
    if suffix == ".npy" and holds_objects(BytesIO(content)):
        raise FormatError(name, "it holds Python objects, which are not taken from strangers", "an array of numbers")
    motion = motion_from_bytes(content, suffix, name)
    check_size(motion.num_frames, motion.skeleton.num_joints)
    if not MIN_FPS <= motion.fps <= MAX_FPS or motion.duration > MAX_SECONDS:
        raise MotionError(
            f"a motion of {motion.duration:g} s at {motion.fps:g} frames per second; expected at most "
            f"{MAX_SECONDS:g} s, at {MIN_FPS:g} to {MAX_FPS:g} frames per second"
        )
    return motion


@dataclass(frozen=True)
class Upload:
    """A file that a client sent: its content, and the one of ``UPLOAD_SUFFIXES`` that its name ends in."""

    suffix: str
    content: bytes


class UploadReader:
    """Reads files from outside in processes of their own, which end when a file takes too long or too much memory.

    Args:
        workers: files that are read at once.
        seconds: for a file.
    """

    def __init__(self, workers: int, seconds: float = 20.0):
        self._workers = IsolatedWorkers(workers, seconds, READ_MB, _PRELOAD)

    def start(self) -> None:
        """Starts the processes, so that the first file does not wait for them."""
        self._workers.start()

    def read(self, content: bytes, suffix: str, name: str, cancelled: threading.Event | None = None) -> Motion:
        """Returns what :func:`read_upload` does.

        Raises:
            SizeError: if it takes more time or memory than the limits allow.
            CallerLeft: if it was cancelled.
            As :func:`read_upload`.
        """
        return _motion_of(self._workers.call(_read_parts, content, suffix, name, cancelled=cancelled))

    def read_rig(self, content: bytes, name: str, cancelled: threading.Event | None = None) -> Rig:
        """Returns the rig of an uploaded file, under the file's name.

        Raises:
            FormatError: if it is no rig.
            SkeletonError: if no human body is found in it, or its rest pose does not stand.
            SizeError, CallerLeft: as :meth:`read`.
        """
        self._workers.call(_check_rig, content, name, cancelled=cancelled)
        return read_rig(content, name)  # what was read within the limits is read so again

    def close(self) -> None:
        """Ends the processes."""
        self._workers.close()


def _read_parts(content: bytes, suffix: str, name: str) -> tuple[Any, ...]:
    """An uploaded motion as arrays, which cross the border of a process as bytes; tensors would be shared memory."""
    motion = read_upload(content, suffix, name)
    skeleton = motion.skeleton
    tree = (skeleton.names, skeleton.parents, skeleton.offsets.numpy(), skeleton.end_sites)
    return motion.rotations.numpy(), motion.root.numpy(), motion.fps, tree


def _motion_of(parts: tuple[Any, ...]) -> Motion:
    """The inverse of :func:`_read_parts`."""
    rotations, root, fps, (names, parents, offsets, end_sites) = parts
    skeleton = Skeleton(names, parents, torch.from_numpy(offsets), end_sites)
    return Motion(torch.from_numpy(rotations), torch.from_numpy(root), fps, skeleton)


def _check_rig(content: bytes, name: str) -> None:
    read_rig(content, name).body  # noqa: B018  # its mesh is read, too


def read_rig(content: bytes, name: str) -> Rig:
    """Returns the rig of the content of a file; raises as :meth:`UploadReader.read_rig`."""
    suffix = Path(name).suffix.lower()
    if suffix not in RIG_SUFFIXES:
        raise FormatError(name, f"a file that ends in {suffix!r}", f"one of {', '.join(RIG_SUFFIXES)} with a skeleton")
    with TemporaryDirectory(prefix="motionclip-") as folder:
        path = Path(folder) / f"rig{suffix}"
        path.write_bytes(content)
        try:
            return replace(load_rig(path), name=name)
        except FormatError as error:  # the temporary path means nothing to a user
            raise FormatError(name, error.problem, error.expected, error.line) from error
        except SkeletonError as error:
            raise SkeletonError(str(error).replace(str(path), name)) from error


def check_size(frames: float, joints: int) -> None:
    """Checks the size of a motion.

    Raises:
        MotionError: if it is above the limits.
    """
    if frames > MAX_FRAMES or joints > MAX_JOINTS or frames * joints > MAX_POSES:
        raise MotionError(
            f"a motion of {frames:.0f} frames and {joints} joints; expected at most {MAX_FRAMES} and "
            f"{MAX_JOINTS}, and {MAX_POSES} of both multiplied: crop it, or lower its rate"
        )


def file_bytes(motion: Motion, suffix: str, rig: Rig | None = None, progress: ProgressCallback | None = None) -> bytes:
    """Returns the content of a file of a motion, within the limits, on a rig if one is given.

    ``progress`` is called between the frames of a film, and may end it by an error.

    Raises:
        MotionError: if the motion has too many frames.
        As :func:`motionclip.io.motion_bytes`.
    """
    most = MAX_RENDERED_FRAMES if suffix in RENDERED_SUFFIXES else MAX_FRAMES
    if motion.num_frames > most:
        raise MotionError(
            f"{motion.num_frames} frames; a {suffix} here has at most {most}: crop the motion, or lower its rate"
        )
    return motion_bytes(motion, suffix, rig, progress)


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this machine's own, which no other machine reaches."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def host_name(header: str) -> str:
    """Returns the host of a Host header, without the port."""
    return header[: header.find("]") + 1] if header.startswith("[") else header.partition(":")[0]


def is_local_origin(origin: str) -> bool:
    """Whether an Origin header names a page of this machine; ``null``, as of a file or a sandbox, is none."""
    try:
        return is_loopback(urlsplit(origin).hostname or "")
    except ValueError:
        return False


def end_soon() -> None:
    """Ends this process after ``LAST_SECONDS``, whatever its threads do; their stacks are then shown."""
    faulthandler.dump_traceback_later(LAST_SECONDS, exit=True, file=sys.__stderr__ or 2)
    if hasattr(signal, "setitimer"):  # the interpreter forgets the former while it ends, which may take as long
        signal.setitimer(signal.ITIMER_REAL, LAST_SECONDS + 0.5)
