"""What one browser has made and how it is played, without a page: takes with undo and redo, playback time, poses."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from motionclip.motion import Motion
from motionclip.motion.rotations import matrix_to_quat

#: Takes that are remembered; beyond it the oldest is forgotten.
MAX_TAKES = 200
#: Slowest and fastest playback.
MIN_SPEED, MAX_SPEED = 0.25, 2.0
#: Seconds over which the path that the view follows is averaged, so that a step does not sway it.
_PATH_WINDOW = 1.0


@dataclass(frozen=True, eq=False)
class Poses:
    """The joints of a body in T frames. World: metres, Y up.

    Attributes:
        quats: (T, J, 4) world rotations, unit quaternions (w, x, y, z).
        positions: (T, J, 3) world positions, metres.
        path: (T, 2) x and z of the point on the ground that the view follows, metres.
        fps: frames per second.
    """

    quats: NDArray
    positions: NDArray
    path: NDArray
    fps: float


def poses_of(fitted: Motion) -> Poses:
    """Returns the poses of a body in a motion on its own skeleton."""
    rotations, positions = fitted.world
    quats = matrix_to_quat(rotations).roll(1, dims=-1)  # (x, y, z, w) to (w, x, y, z)
    path = _moving_average(fitted.root[:, [0, 2]].float(), round(_PATH_WINDOW * fitted.fps))
    return Poses(
        quats.double().numpy(force=True), positions.double().numpy(force=True), path.numpy(force=True), fitted.fps
    )


def _moving_average(path: Tensor, width: int) -> Tensor:
    """Returns the average (T, 2) over ``width`` frames of a path (T, 2) that stands still before and after."""
    half = min(width // 2, len(path))
    padded = torch.cat([path[:1].expand(half, 2), path, path[-1:].expand(half, 2)])
    return F.avg_pool1d(padded.T[None], 2 * half + 1, stride=1)[0].T


#: The row of the timeline with what the whole body does.
WORDS = "Words"


@dataclass(frozen=True)
class Part:
    """A stretch of a take that has words of its own, or something else that was asked.

    Attributes:
        title: the words.
        start: seconds.
        end: seconds; that of ``start`` for a moment.
        row: of the timeline, by its name.
    """

    title: str
    start: float
    end: float
    row: str = WORDS


@dataclass(frozen=True, eq=False)
class Take:
    """A motion that was made, or read from a file.

    Attributes:
        title: a few words: the sentence, the file's name, or what was done.
        motion: on any human-like skeleton.
        poses: the same, of the default body.
        parts: the words of the motion, or of each shot of a story; what parts of the body do meanwhile, and what was
            pinned.
        under: the motion over which the tracks of its parts were laid; None without such.
    """

    title: str
    motion: Motion
    poses: Poses
    parts: tuple[Part, ...] = ()
    under: Motion | None = None


class TakeHistory:
    """Takes in the order in which they were made, one of them current."""

    def __init__(self) -> None:
        self._takes: list[Take] = []
        self._index = -1

    @property
    def takes(self) -> tuple[Take, ...]:
        """All that are remembered, those that were undone too."""
        return tuple(self._takes)

    @property
    def index(self) -> int:
        """Number of the current take, from 0; -1 before the first."""
        return self._index

    @property
    def current(self) -> Take | None:
        return self._takes[self._index] if self._takes else None

    def add(self, take: Take) -> None:
        """Makes a take the current one; takes that were undone are forgotten."""
        self._takes = [*self._takes[: self._index + 1], take][-MAX_TAKES:]
        self._index = len(self._takes) - 1

    def remove(self) -> None:
        """Forgets the current take; the one before it is current then, or else the one after."""
        if self._takes:
            del self._takes[self._index]
            self._index = max(self._index - 1, min(0, len(self._takes) - 1))

    def undo(self) -> None:
        """Goes back to the take before, if there is one."""
        self.go_to(self._index - 1)

    def redo(self) -> None:
        """Goes on to the take that was undone, if there is one."""
        self.go_to(self._index + 1)

    def go_to(self, index: int) -> None:
        """Makes the take with a number the current one, if there is one."""
        if 0 <= index < len(self._takes):
            self._index = index


@dataclass
class Player:
    """Playback time in a motion.

    Attributes:
        frames: of the motion.
        fps: of the motion.
        time: seconds from the first frame.
        playing: whether time runs.
        speed: seconds of the motion in a second.
        loop: whether it begins again after the last frame.
    """

    frames: int = 1
    fps: float = 30.0
    time: float = 0.0
    playing: bool = False
    speed: float = 1.0
    loop: bool = True

    @property
    def frame(self) -> int:
        """The frame that is shown."""
        # 1e-6: frame / fps * fps may be a little less than frame
        return min(int(self.time * self.fps + 1e-6), self.frames - 1)

    def load(self, frames: int, fps: float, *, keep_time: bool = False) -> None:
        """Takes another motion, from its first frame on, or from the time where the last one was."""
        self.frames, self.fps = frames, fps
        self.time = min(self.time, (frames - 1) / fps) if keep_time else 0.0

    def advance(self, seconds: float) -> None:
        """Lets time pass, if it runs; after the last frame it begins again, or stops there."""
        if not self.playing:
            return
        self.time += seconds * self.speed
        length = self.frames / self.fps
        if self.time >= length:
            self.playing = self.loop
            self.time = self.time % length if self.loop else (self.frames - 1) / self.fps

    def seek(self, frame: int) -> None:
        """Goes to a frame and stops there."""
        self.playing = False
        self.time = min(max(frame, 0), self.frames - 1) / self.fps

    def step(self, frames: int) -> None:
        """Goes on, or back, by some frames and stops there."""
        self.seek(self.frame + frames)

    def toggle(self) -> None:
        """Plays or stops; plays from the first frame if it stands at the last."""
        if not self.playing and self.frame == self.frames - 1:
            self.time = 0.0
        self.playing = not self.playing
