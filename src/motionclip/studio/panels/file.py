"""A motion file: what is done in it, a part of it, and what the model keeps of it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import PurePath

import viser

from motionclip.applications.labels import label_set
from motionclip.applications.recognize import Recognition, recognize
from motionclip.applications.reconstruct import reconstruct
from motionclip.errors import FormatError
from motionclip.motion import Motion, crop
from motionclip.server.uploads import SUFFIXES, Upload, read_upload
from motionclip.studio.session import Take
from motionclip.studio.visitor import Visitor

_LABELS = ("bandai", "babel60", "babel120")
_TOP = 4


class File:
    """Reads a file and looks into the motion that is shown.

    Args:
        visitor: whose.
    """

    def __init__(self, visitor: Visitor):
        self._visitor = visitor
        gui = visitor.client.gui
        upload = gui.add_upload_button(
            f"Read a file ({' '.join(SUFFIXES)})", icon=viser.Icon.UPLOAD, mime_type=",".join(SUFFIXES)
        )
        gui.add_divider()
        self._labels = gui.add_dropdown("Labels", _LABELS, hint="What recognition chooses from.")
        look = gui.add_button("What is done here?", icon=viser.Icon.EYE)
        self._answer = gui.add_html("")
        gui.add_divider()
        self._start = gui.add_number("From s", 0.0, min=0.0, step=0.1)
        self._end = gui.add_number("To s", visitor.model.max_seconds, min=0.0, step=0.1)
        cut = gui.add_button("Cut out", icon=viser.Icon.CUT)
        through = gui.add_button("Encode and decode", icon=viser.Icon.TRANSFORM, hint="What the model keeps of it.")
        upload.on_upload(lambda _: self._read(upload.value))
        look.on_click(lambda _: self._recognize())
        cut.on_click(lambda _: self._cut())
        through.on_click(lambda _: self._reconstruct())

    def _read(self, file: viser.UploadedFile) -> None:
        name = PurePath(file.name).name
        suffix = PurePath(name).suffix.lower()

        def work(job: object) -> Motion:
            if suffix not in SUFFIXES:
                raise FormatError(name, f"a file that ends in {suffix!r}", f"one of {', '.join(SUFFIXES)}")
            return read_upload(Upload(suffix, file.content), name)

        self._visitor.do(name, lambda job: self._visitor.take(name, work(job)), self._opened)

    def _opened(self, take: Take) -> None:
        self._visitor.add(take)
        self._recognize()

    def _shown(self) -> Motion | None:
        if self._visitor.shown is None:
            self._visitor.tell("No motion", "read a file first, or make a motion")
            return None
        return self._visitor.shown.motion

    def _recognize(self) -> None:
        motion, labels = self._shown(), self._labels.value
        if motion is not None:
            self._visitor.do(
                "what is done",
                lambda job: recognize(self._visitor.model, [motion], label_set(labels), top=_TOP)[0],
                self._show,
            )

    def _show(self, found: Recognition) -> None:
        rows = [(guess.label, f"{guess.confidence:.0%}") for guess in found.guesses]
        times = [(run.label, f"{run.start:.1f} to {run.end:.1f} s") for run in found.timeline]
        self._answer.content = _table(rows) + (_table(times) if len(times) > 1 else "")

    def _cut(self) -> None:
        motion, start, end = self._shown(), float(self._start.value), float(self._end.value)
        if motion is not None:
            self._visitor.make(f"{start:g} to {end:g} s", lambda job: crop(motion, start, min(end, motion.duration)))

    def _reconstruct(self) -> None:
        motion = self._shown()
        if motion is not None:
            self._visitor.make(
                "encoded and decoded", lambda job: reconstruct(self._visitor.model, motion, on_piece=job.step)
            )


def _table(rows: Sequence[tuple[str, str]]) -> str:
    """A table of two columns in HTML."""
    lines = "".join(f"<tr><td>{escape(a)}</td><td style='text-align: right'>{escape(b)}</td></tr>" for a, b in rows)
    return f"<table style='margin: 0 0.9em; font-size: 0.85em; width: 92%'>{lines}</table>"
