"""Options that constrain a motion: a path on the floor, poses at times, joints pinned to places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

import motionclip
from motionclip.cli.options import optional
from motionclip.errors import FormatError, MotionClipError

if TYPE_CHECKING:
    from motionclip.applications.direct import Constraint, Pin, PoseAt, RootPath

#: Stands for a coordinate that is free.
_FREE = "_"
#: Stands for the facing that a motion has by itself.
_AS_IT_DOES = "free"


@dataclass(frozen=True)
class ConstraintOptions:
    """What a motion is asked to do beside the words.

    Attributes:
        path: Path of the pelvis over the floor: a CSV file with the columns x, z and, if wanted, seconds; metres.
        poses: Full poses at times, such as 1.5=take.bvh@3.2: at 1.5 s the pose of take.bvh at 3.2 s. `first` and `last`
            are times, too.
        placed: Poses keep the place and the heading that they have in their files.
        path_facing: Degrees to the left of the path's direction: 0 along it, 180 backwards; `free` as the motion does.
        pins: Joints at places, such as right_hand=0.4,1.3,0.5@2 (x, y, z in metres at 2 s), or over a span, @2:3. An
            underscore for a number leaves it free and holds it over a span; y of a foot is the height of its sole.
            Behind a slash stands where fingers, toes or the face point: head=_,_,_/1,0,0@2.
    """

    path: Annotated[Path | None, optional(Path, "FILE.csv")] = None
    path_facing: Annotated[str, arg(metavar="DEGREES|free")] = "0"
    poses: Annotated[
        tuple[str, ...], arg(name="pose", metavar="TIME=FILE@TIME ...", help_behavior_hint="(optional)")
    ] = ()
    placed: bool = False
    pins: Annotated[
        tuple[str, ...], arg(name="pin", metavar="JOINT=X,Y,Z@TIME ...", help_behavior_hint="(optional)")
    ] = ()

    @property
    def is_asked(self) -> bool:
        """Whether there is any."""
        return self.path is not None or bool(self.poses or self.pins)

    def read(self, seconds: float) -> list[Constraint]:
        """Returns the constraints on a motion of so many seconds.

        Raises:
            FormatError: if a file cannot be read.
            MotionClipError: if an option is not of the form that its help says, or asks for what no body can do.
        """
        path = [] if self.path is None else [read_path(self.path, self.path_facing)]
        poses = [_read_pose(text, seconds, self.placed) for text in self.poses]
        return [*path, *poses, *map(read_pin, self.pins)]


#: The options of `ConstraintOptions` without a prefix.
Constraints = Annotated[ConstraintOptions, arg(name="")]


def read_path(path: Path, facing: str = "0") -> RootPath:
    """Returns the path of a CSV file with the columns x, z and, if wanted, seconds.

    Args:
        path: the file.
        facing: degrees from the path's direction, or `free`.

    Raises:
        DataError, FormatError: if it is no such table.
        OSError: if it cannot be read.
        MotionClipError: if it makes no path, or the facing is no number.
    """
    from motionclip.applications.direct import RootPath
    from motionclip.data.tables import read_table

    try:
        degrees = None if facing == _AS_IT_DOES else float(facing)
    except ValueError:
        raise MotionClipError(f"--path-facing {facing}; expected degrees, or {_AS_IT_DOES}") from None

    values = [_read_point(path, line, cells) for line, cells in read_table(path, needed=("x", "z"))]
    return RootPath.of(values, degrees)


def _read_point(path: Path, line: int, cells: Mapping[str, str]) -> tuple[float, ...]:
    """A row of a path's table: x, z and, if there is such a column, seconds."""
    if tuple(cells) not in (("x", "z"), ("x", "z", "seconds")):
        raise FormatError(path, f"cells of {', '.join(map(repr, cells))}", "x,z or x,z,seconds", line)
    try:
        return tuple(map(float, cells.values()))
    except ValueError as error:
        raise FormatError(path, f"not a number ({error})", "metres and seconds", line) from error


def _read_pose(text: str, seconds: float, placed: bool) -> PoseAt:
    from motionclip.applications.direct import PoseAt

    try:
        when, source = text.split("=", 1)
        file, at = source.rsplit("@", 1)
        time = {"first": 0.0, "last": seconds}.get(when)
        time, moment = float(when) if time is None else time, float(at)
    except ValueError:
        raise MotionClipError(f"--pose {text}; expected TIME=FILE@TIME, such as 1.5=take.bvh@3.2") from None
    return PoseAt.of(time, motionclip.read_motion(file), moment, placed=placed)


def read_pin(text: str) -> Pin:
    """Returns the pin of an argument such as ``right_hand=0.4,1.3,0.5@2`` or ``left_foot=_,0.2,_@1:2``.

    Raises:
        MotionClipError: if it is not of that form, or no body could do it.
    """
    from motionclip.applications.direct import Pin

    try:
        joint, rest = text.split("=", 1)
        spot, when = rest.rsplit("@", 1)
        place, *ahead = spot.split("/", 1)
        x, y, z = (None if number == _FREE else float(number) for number in place.split(","))
        directions = [(float(a), float(b), float(c)) for a, b, c in (text.split(",") for text in ahead)]
        start, *end = (float(time) for time in when.split(":", 1))
    except ValueError:
        raise MotionClipError(
            f"--pin {text}; expected JOINT=X,Y,Z@TIME or @START:END, such as right_hand=0.4,1.3,0.5@2"
        ) from None
    return Pin(joint, (x, y, z), start, end[0] if end else None, directions[0] if directions else None)


def errors_in_words(constraints: Sequence[Constraint], errors: Sequence[float]) -> Iterator[str]:
    """Yields a line for each constraint, with how many metres the motion is from it."""
    for constraint, error in zip(constraints, errors, strict=True):
        yield f"{constraint.title}: {100 * error:.1f} cm off"
