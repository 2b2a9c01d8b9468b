"""One family of errors: each says what was wrong, what was expected and what to do."""

from __future__ import annotations

from pathlib import Path


class MotionClipError(Exception):
    """Base of every error that motionclip raises on bad input."""


class SkeletonError(MotionClipError):
    """A skeleton is not a tree, has duplicate names, or lacks a joint that is needed."""


class MotionError(MotionClipError):
    """A motion has the wrong shapes, non-finite values, or a span that it does not contain."""


class FormatError(MotionClipError):
    """A file is damaged, or is not what its suffix says.

    Args:
        path: the file.
        problem: what was found.
        expected: what should stand there, or what to do.
        line: 1-based line of the problem, for text formats.
    """

    def __init__(self, path: str | Path, problem: str, expected: str, line: int | None = None):
        self.path, self.problem, self.expected, self.line = Path(path), problem, expected, line
        where = f"{path}" if line is None else f"{path}, line {line}"
        super().__init__(f"{where}: {problem}; expected {expected}")

    def __reduce__(self) -> tuple[type[FormatError], tuple[Path, str, str, int | None]]:
        return type(self), (self.path, self.problem, self.expected, self.line)  # it crosses borders of processes


class SizeError(MotionClipError):
    """A file takes more memory or time than a limit allows."""


class TextError(MotionClipError):
    """Words that cannot be encoded: not text, empty, or too long."""


class ImageError(MotionClipError):
    """A picture that cannot be encoded: not RGB in whole numbers, or empty."""


class DataError(MotionClipError):
    """A data source, a caption file or a prepared store is missing, damaged or does not fit."""


class ModelError(MotionClipError):
    """A checkpoint, a preset or a configuration is missing, damaged or does not fit."""


class ProcessError(MotionClipError):
    """Another process of a training job is gone or does not answer.

    Args:
        problem: what this process saw of it.
    """

    def __init__(self, problem: str):
        super().__init__(
            f"another process of this job ended or does not answer ({problem}); what torchrun reports names the first "
            "that ended; the same command with --resume goes on from the last checkpoint"
        )
