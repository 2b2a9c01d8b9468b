"""A motion file: what is done in it, a part of it, and what the model keeps of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

import viser

from motionclip.applications.recognize import Recognition, label_set, recognize
from motionclip.applications.reconstruct import reconstruct
from motionclip.errors import FormatError, SkeletonError
from motionclip.formats import Rig, load_rig
from motionclip.io import FORMATS, check_writable
from motionclip.motion import Motion, crop
from motionclip.motion.retarget import RIGS
from motionclip.serving import UPLOAD_SUFFIXES, file_bytes, read_upload
from motionclip.studio.client import Visitor
from motionclip.studio.panels.controls import set_value
from motionclip.studio.session import Take

# What is shown, as a file.


_OWN = "ours"


class Export:
    """A button for each format that can be written here, and on whose skeleton.

    Args:
        visitor: whose.
    """

    def __init__(self, visitor: Visitor):
        self._visitor = visitor
        self._own_rig: Rig | None = None
        gui = visitor.client.gui
        hint = "On whose skeleton: bvh, csv, npz, and glb and usd where the rig has a skin."
        self._rig = gui.add_dropdown("Rig", (_OWN, *RIGS), hint=hint)
        own = gui.add_upload_button("A rig of your own (.bvh .glb)", icon=viser.Icon.UPLOAD, mime_type=".bvh,.glb")
        own.on_upload(lambda _: self._read_rig(own.value))
        for label, suffixes in groups().items():
            group = gui.add_button_group(label, suffixes)
            group.on_click(lambda event: self._export(event.target.value))

    def _read_rig(self, file: viser.UploadedFile) -> None:
        self._visitor.do("rig", lambda job: read_rig(file), self._use_rig)

    def _use_rig(self, rig: Rig) -> None:
        self._own_rig = rig
        self._rig.options = (_OWN, *RIGS, rig.name)
        set_value(self._rig, rig.name)

    def _export(self, suffix: str) -> None:
        shown, rig, own = self._visitor.shown, self._rig.value, self._own_rig
        if shown is None:
            self._visitor.tell("Nothing to export", "make a motion first, or read a file")
            return

        def work(job: object) -> tuple[str, bytes]:
            name = file_name(shown, suffix)
            target = None if rig == _OWN else own if own is not None and own.name == rig else load_rig(rig)
            check_writable(name, target)
            return name, file_bytes(shown.motion, suffix, target)

        self._visitor.do(f"export as {suffix}", work, self._send)

    def _send(self, made: tuple[str, bytes]) -> None:
        self._visitor.client.send_file_download(*made, save_immediately=True)


def groups() -> dict[str, tuple[str, ...]]:
    """Every format that can be written here, by what it is for."""
    usable = [known for known in FORMATS if known.writer and known.is_available]
    return {
        group.capitalize(): tuple(known.suffix for known in usable if known.group == group)
        for group in dict.fromkeys(known.group for known in usable)
    }


def file_name(take: Take, suffix: str) -> str:
    """A plain name for the file of a take."""
    return (re.sub(r"[^a-z0-9]+", "-", take.title.lower()).strip("-") or "motion") + suffix


def read_rig(file: viser.UploadedFile) -> Rig:
    """The rig of an uploaded file, under the file's name.

    Raises:
        FormatError: if it is no rig.
        SkeletonError: if its joints are of no known family, or its rest pose does not stand.
    """
    name = Path(file.name).name
    suffix = Path(name).suffix.lower()
    if suffix not in (".bvh", ".glb"):
        raise FormatError(name, f"a file that ends in {suffix!r}", "a .bvh or .glb file with a skeleton")
    with TemporaryDirectory(prefix="motionclip-") as folder:
        path = Path(folder) / f"rig{suffix}"
        path.write_bytes(file.content)
        try:
            return replace(load_rig(path), name=name)
        except FormatError as error:  # its path says nothing to a user
            raise FormatError(name, error.problem, error.expected, error.line) from error
        except SkeletonError as error:
            raise SkeletonError(str(error).replace(str(path), name)) from error


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
            f"Read a file ({' '.join(UPLOAD_SUFFIXES)})", icon=viser.Icon.UPLOAD, mime_type=",".join(UPLOAD_SUFFIXES)
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
            if suffix not in UPLOAD_SUFFIXES:
                raise FormatError(name, f"a file that ends in {suffix!r}", f"one of {', '.join(UPLOAD_SUFFIXES)}")
            return read_upload(file.content, suffix, name)

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
