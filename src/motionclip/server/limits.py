"""Limits of one request, which stand in the OpenAPI document, and of what the server holds at once.

Sizes of motions are limited in :mod:`motionclip.serving`.
"""

from __future__ import annotations

from dataclasses import dataclass

from motionclip.errors import MotionClipError

#: Characters of a text.
MAX_TEXT = 1000
#: Labels or sentences of a request.
MAX_TEXTS = 200
#: Uploaded files of a request.
MAX_FILES = 8
#: Motions of an interpolation, shots of a storyboard, hits of a search.
MAX_STEPS, MAX_SHOTS, MAX_HITS = 32, 32, 100
#: Gaps to fill, moments to hold.
MAX_GAPS = 8
#: Points of a path or a curve, pins, takes.
MAX_POINTS, MAX_PINS, MAX_TAKES = 256, 32, 32


@dataclass(frozen=True)
class Limits:
    """What the server holds at once; beyond it, it answers 503 with Retry-After.

    Attributes:
        body_mb: megabytes of a request; a larger one is answered with 413, before it is read if it says its length.
        seconds: time for a request, from the end of its head to its last answer.
        head_seconds: time for the head of a request, from the connection on or the answer before.
        file_seconds: time for reading a file.
        connections: open connections; fewer where the system allows fewer file handles.
        requests: requests that are answered at once.
        waiting: texts that wait to be made into motions.
        jobs: other work that waits: edits, films, uploads.
        workers: computations at once for other work, and files that are read at once.
        batch: texts that are made into motions together, at most.
        gather_ms: milliseconds for which a text waits for others when no motion is being made.

    Raises:
        MotionClipError: if one is not a positive number.
    """

    body_mb: float = 10.0
    seconds: float = 60.0
    head_seconds: float = 10.0
    file_seconds: float = 20.0
    connections: int = 2048
    requests: int = 512
    waiting: int = 256
    jobs: int = 16
    workers: int = 2
    batch: int = 64
    gather_ms: float = 4.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 < value < float("inf"):
                raise MotionClipError(f"a limit {name} of {value}; expected a positive number")

    @property
    def body_bytes(self) -> int:
        return int(self.body_mb * 1e6)

    @property
    def held_bytes(self) -> int:
        """Bytes of all bodies together."""
        return 8 * self.body_bytes
