"""Files in: a motion file or saved takes, what is done in a motion, and a part of it; and all takes as a file."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import PurePath

import viser

import motionclip
from motionclip import Motion
from motionclip.applications.recognize import Recognition, label_set
from motionclip.errors import FormatError
from motionclip.motion import crop
from motionclip.serving import UPLOAD_SUFFIXES
from motionclip.studio.client import ClientSession, Job
from motionclip.studio.session_file import SUFFIX, pack, unpack
from motionclip.studio.takes import Take

_LABEL_SETS = ("bandai", "babel60", "babel120")
#: Labels that are shown.
_TOP = 4
#: What can be opened.
_SUFFIXES = (*UPLOAD_SUFFIXES, SUFFIX)


def add_file(session: ClientSession) -> None:
    """Adds a button that opens a motion or saved takes, and a look into the motion that is shown."""
    gui = session.client.gui
    upload = gui.add_upload_button(
        "Open a file, or drop one anywhere", icon=viser.Icon.UPLOAD, mime_type=",".join(_SUFFIXES)
    )
    gui.add_divider()
    labels = gui.add_dropdown("Labels", _LABEL_SETS, hint="What recognition chooses from.")
    look = gui.add_button("What is done here?", icon=viser.Icon.EYE)
    answer = gui.add_html("")
    gui.add_divider()
    start = gui.add_number("From s", 0.0, min=0.0, step=0.1)
    end = gui.add_number("To s", session.model.max_seconds, min=0.0, step=0.1)
    cut = gui.add_button("Cut out", icon=viser.Icon.CUT)
    through = gui.add_button("Encode and decode", icon=viser.Icon.TRANSFORM, hint="What the model keeps of it.")
    gui.add_divider()
    add_saving(session)

    @upload.on_upload
    def _(_: object) -> None:
        file = upload.value
        name, suffix = PurePath(file.name).name, PurePath(file.name).suffix.lower()

        def work(job: Job) -> list[Take]:
            def read(content: bytes, suffix: str = ".npz") -> Motion:
                return session.shared.reader.read(content, suffix, name, cancelled=job.cancelled)

            if suffix == SUFFIX:
                return [session.new_take(*saved) for saved in unpack(file.content, name, read)]
            if suffix not in UPLOAD_SUFFIXES:
                raise FormatError(name, f"a file that ends in {suffix!r}", f"one of {', '.join(_SUFFIXES)}")
            return [session.new_take(name, read(file.content, suffix))]

        def show(takes: list[Take]) -> None:
            for take in takes:
                session.add(take)
            if suffix != SUFFIX:
                recognize()

        session.run(name, work, show)

    def recognize() -> None:
        shown, chosen = session.shown_or_notify("No motion"), labels.value
        if shown is not None:
            session.run(
                "what is done",
                lambda job: motionclip.recognize(session.model, [shown.motion], label_set(chosen), top=_TOP)[0],
                show_answer,
            )

    def show_answer(found: Recognition) -> None:
        guesses = [(guess.label, f"{guess.confidence:.0%}") for guess in found.guesses]
        timeline = [(part.label, f"{part.start:.1f} to {part.end:.1f} s") for part in found.timeline]
        answer.content = _html_table(guesses) + (_html_table(timeline) if len(timeline) > 1 else "")

    look.on_click(lambda _: recognize())

    @cut.on_click
    def _(_: object) -> None:
        shown, first, last = session.shown_or_notify("No motion"), float(start.value), float(end.value)
        if shown is not None:
            motion = shown.motion
            session.make(f"{first:g} to {last:g} s", lambda job: crop(motion, first, min(last, motion.duration)))

    @through.on_click
    def _(_: object) -> None:
        shown = session.shown_or_notify("No motion")
        if shown is not None:
            session.make("encoded and decoded", lambda job: reconstruct(job, shown.motion))

    def reconstruct(job: Job, motion: Motion) -> Motion:
        return motionclip.reconstruct(session.model, motion, on_piece=job.progress)


def add_saving(session: ClientSession) -> None:
    """Adds buttons that save all takes to one file, and that bring back those of the page that was closed last."""
    gui = session.client.gui
    save = gui.add_button(
        "Save all takes", icon=viser.Icon.DEVICE_FLOPPY, hint="To one file, to go on with them later."
    )
    back = gui.add_button(
        "Bring back the last page's takes", icon=viser.Icon.HISTORY, hint="What was there before it was closed."
    )

    @save.on_click
    def _(_: object) -> None:
        if session.shown_or_notify("Nothing to save") is not None:
            takes = session.history.takes
            name = f"motionclip{SUFFIX}"
            session.run(name, lambda job: pack(takes), lambda content: send(name, content))

    def send(name: str, content: bytes) -> None:
        session.client.send_file_download(name, content, save_immediately=True)

    @back.on_click
    def _(_: object) -> None:
        takes = session.shared.left_takes
        if not takes:
            session.notify("Nothing to bring back", "no page was closed that had a take")
        for take in takes:
            session.add(take)


def _html_table(rows: Sequence[tuple[str, str]]) -> str:
    lines = "".join(f"<tr><td>{escape(a)}</td><td style='text-align: right'>{escape(b)}</td></tr>" for a, b in rows)
    return f"<table style='margin: 0 0.9em; font-size: 0.85em; width: 92%'>{lines}</table>"
