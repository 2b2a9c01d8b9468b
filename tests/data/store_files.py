"""What tests of prepared stores share."""

from dataclasses import dataclass
from pathlib import Path

from motionclip.data.clip import Clip
from motionclip.errors import FormatError


@dataclass(frozen=True)
class BadFile:
    """An item that cannot be read."""

    key: str = "bad"
    path: Path | None = None

    def read(self) -> Clip:
        raise FormatError("bad.bvh", "nothing", "a motion", line=3)


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of each file of a store."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def stop_after(count: int):
    """A progress callback that stops a preparation as a keyboard does."""

    def stop(done: int, of: int) -> None:
        if done == count:
            raise KeyboardInterrupt

    return stop
