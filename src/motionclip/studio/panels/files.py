"""Files in and out: a motion file, what is done in it and a part of it; and what is shown as a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import PurePath

import viser

import motionclip
from motionclip import Motion
from motionclip.applications.recognize import Recognition, label_set
from motionclip.errors import FormatError
from motionclip.formats import Rig, load_rig
from motionclip.io import FORMATS, check_writable
from motionclip.motion import crop
from motionclip.motion.retarget import RIGS
from motionclip.serving import UPLOAD_SUFFIXES, file_bytes
from motionclip.studio.client import ClientSession, Job
from motionclip.studio.panels.controls import set_value
from motionclip.studio.session_file import SUFFIX, pack, unpack
from motionclip.studio.takes import Take

_LABEL_SETS = ("bandai", "babel60", "babel120")
#: Labels that are shown.
_TOP = 4
#: The choice of the canonical skeleton among the rigs.
_NO_RIG = "ours"


def add_file(session: ClientSession) -> None:
    """Adds a button that reads a file, and a look into the motion that is shown."""
    gui = session.client.gui
    upload = gui.add_upload_button(
        f"Read a file ({' '.join(UPLOAD_SUFFIXES)})", icon=viser.Icon.UPLOAD, mime_type=",".join(UPLOAD_SUFFIXES)
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
    add_session_file(session)

    @upload.on_upload
    def _(_: object) -> None:
        file = upload.value
        name, suffix = PurePath(file.name).name, PurePath(file.name).suffix.lower()

        def work(job: Job) -> Take:
            if suffix not in UPLOAD_SUFFIXES:
                raise FormatError(name, f"a file that ends in {suffix!r}", f"one of {', '.join(UPLOAD_SUFFIXES)}")
            motion = session.shared.reader.read(file.content, suffix, name, cancelled=job.cancelled)
            return session.new_take(name, motion)

        def show(take: Take) -> None:
            session.add(take)
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


def add_session_file(session: ClientSession) -> None:
    """Adds buttons that save all takes to one file, and read them from it."""
    gui = session.client.gui
    save = gui.add_button(
        "Save all takes", icon=viser.Icon.DEVICE_FLOPPY, hint="To one file, to go on with them later."
    )
    upload = gui.add_upload_button(f"Open saved takes ({SUFFIX})", icon=viser.Icon.FOLDER_OPEN, mime_type=SUFFIX)

    @save.on_click
    def _(_: object) -> None:
        if session.shown_or_notify("Nothing to save") is not None:
            takes = session.history.takes
            name = f"motionclip{SUFFIX}"
            session.run(name, lambda job: pack(takes), lambda content: send(name, content))

    def send(name: str, content: bytes) -> None:
        session.client.send_file_download(name, content, save_immediately=True)

    @upload.on_upload
    def _(_: object) -> None:
        file = upload.value
        name = PurePath(file.name).name

        def work(job: Job) -> list[Take]:
            def read(content: bytes) -> Motion:
                return session.shared.reader.read(content, ".npz", name, cancelled=job.cancelled)

            return [session.new_take(*saved) for saved in unpack(file.content, name, read)]

        def show(takes: list[Take]) -> None:
            for take in takes:
                session.add(take)

        session.run(name, work, show)


def _html_table(rows: Sequence[tuple[str, str]]) -> str:
    lines = "".join(f"<tr><td>{escape(a)}</td><td style='text-align: right'>{escape(b)}</td></tr>" for a, b in rows)
    return f"<table style='margin: 0 0.9em; font-size: 0.85em; width: 92%'>{lines}</table>"


def add_export(session: ClientSession) -> None:
    """Adds a button for each format that can be written here, and the rig to write on."""
    gui = session.client.gui
    own_rigs: dict[str, Rig] = {}  # the last one that was read, by its file's name
    hint = "On whose skeleton: bvh, csv, npz, and glb and usd where the rig has a skin."
    rig = gui.add_dropdown("Rig", (_NO_RIG, *RIGS), hint=hint)
    upload = gui.add_upload_button("A rig of your own (.bvh .glb)", icon=viser.Icon.UPLOAD, mime_type=".bvh,.glb")

    def use_rig(loaded: Rig) -> None:
        own_rigs.clear()
        own_rigs[loaded.name] = loaded
        rig.options = (_NO_RIG, *RIGS, loaded.name)
        set_value(rig, loaded.name)

    def export(suffix: str) -> None:
        shown, chosen, own = session.shown_or_notify("Nothing to export"), rig.value, own_rigs.get(rig.value)
        if shown is None:
            return

        def work(job: Job) -> tuple[str, bytes]:
            name = file_name(shown, suffix)
            target = None if chosen == _NO_RIG else own or load_rig(chosen)
            check_writable(name, target)
            return name, file_bytes(shown.motion, suffix, target, job.progress)

        def send(file: tuple[str, bytes]) -> None:
            session.client.send_file_download(*file, save_immediately=True)

        session.run(f"export as {suffix}", work, send)

    @upload.on_upload
    def _(_: object) -> None:
        file = upload.value
        name = PurePath(file.name).name
        session.run("rig", lambda job: session.shared.reader.read_rig(file.content, name, job.cancelled), use_rig)

    for label, suffixes in writable_groups().items():
        gui.add_button_group(label, suffixes).on_click(lambda event: export(event.target.value))


def writable_groups() -> dict[str, tuple[str, ...]]:
    """Returns the suffixes of every format that can be written here, by group."""
    usable = [known for known in FORMATS if known.writer and known.is_available]
    return {
        group.capitalize(): tuple(known.suffix for known in usable if known.group == group)
        for group in dict.fromkeys(known.group for known in usable)
    }


def file_name(take: Take, suffix: str) -> str:
    """Returns a plain name for the file of a take."""
    return (re.sub(r"[^a-z0-9]+", "-", take.title.lower()).strip("-") or "motion") + suffix
