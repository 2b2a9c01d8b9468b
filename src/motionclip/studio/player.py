"""The timeline: which frame is shown, and how time runs. Knows nothing of pages."""

from __future__ import annotations

from dataclasses import dataclass

#: How slow and how fast time may run.
SLOWEST, FASTEST = 0.25, 2.0


@dataclass
class Player:
    """Time in a motion of some frames.

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
        return min(int(self.time * self.fps + 1e-6), self.frames - 1)

    def load(self, frames: int, fps: float, *, keep_time: bool = False) -> None:
        """Another motion, from its first frame on, or from where the last one was."""
        self.frames, self.fps = frames, fps
        self.time = min(self.time, (frames - 1) / fps) if keep_time else 0.0

    def advance(self, seconds: float) -> None:
        """Lets time pass, if it runs; after the last frame it begins again, or stands still there."""
        if not self.playing:
            return
        self.time += seconds * self.speed
        length = self.frames / self.fps
        if self.time >= length:
            self.playing = self.loop
            self.time = self.time % length if self.loop else (self.frames - 1) / self.fps

    def seek(self, frame: int) -> None:
        """Shows a frame and stops there."""
        self.playing = False
        self.time = min(max(frame, 0), self.frames - 1) / self.fps

    def toggle(self) -> None:
        """Plays or stops; from the first frame on where it stood at the last."""
        if not self.playing and self.frame == self.frames - 1:
            self.time = 0.0
        self.playing = not self.playing
