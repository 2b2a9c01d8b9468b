"""What the server and the studio share: size limits of motions from outside, and which hosts are this machine."""

from __future__ import annotations

import io
import ipaddress
import zipfile

from motionclip.errors import MotionError, SizeError
from motionclip.formats import Rig
from motionclip.io import FORMATS, motion_bytes, motion_from_bytes, readable
from motionclip.motion import Motion

#: Joints, frames, seconds and frames per second of an uploaded motion.
MAX_JOINTS, MAX_FRAMES, MAX_SECONDS = 512, 20_000, 300.0
MIN_FPS, MAX_FPS = 1.0, 1000.0
#: Frames times joints of a motion.
MAX_POSES = 2_000_000
#: Bytes that an uploaded archive may unpack to.
MAX_UNPACKED = 128 << 20
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
        SizeError: if it is an archive that unpacks to more than ``MAX_UNPACKED``.
        OSError: if no temporary file can be written.
    """
    _check_content(content, suffix)
    motion = motion_from_bytes(content, suffix, name)
    check_size(motion.num_frames, motion.skeleton.num_joints)
    if not MIN_FPS <= motion.fps <= MAX_FPS or motion.duration > MAX_SECONDS:
        raise MotionError(
            f"a motion of {motion.duration:g} s at {motion.fps:g} frames per second; expected at most "
            f"{MAX_SECONDS:g} s, at {MIN_FPS:g} to {MAX_FPS:g} frames per second"
        )
    return motion


def _check_content(content: bytes, suffix: str) -> None:
    """Raises an error for files that would take much memory or time to parse, before they are parsed."""
    if suffix == ".bvh" and content.upper().count(b"JOINT") > 2 * MAX_JOINTS:
        raise MotionError(f"more than {MAX_JOINTS} joints; expected fewer")
    if suffix == ".npz" and zipfile.is_zipfile(io.BytesIO(content)):
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                size = sum(entry.file_size for entry in archive.infolist())
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            return  # the reader says what is wrong
        if size > MAX_UNPACKED:
            raise SizeError(f"an archive that unpacks to more than {MAX_UNPACKED >> 20} MB")


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


def file_bytes(motion: Motion, suffix: str, rig: Rig | None = None) -> bytes:
    """Returns the content of a file of a motion, within the limits, on a rig if one is given.

    Raises:
        MotionError: if the motion has too many frames.
        As :func:`motionclip.io.motion_bytes`.
    """
    most = MAX_RENDERED_FRAMES if suffix in RENDERED_SUFFIXES else MAX_FRAMES
    if motion.num_frames > most:
        raise MotionError(
            f"{motion.num_frames} frames; a {suffix} here has at most {most}: crop the motion, or lower its rate"
        )
    return motion_bytes(motion, suffix, rig)


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
