"""Files out: what is shown, in every format, on a program's rig or a character of the user's own."""

from __future__ import annotations

import re
from pathlib import PurePath

import viser

from motionclip.applications.loop import make_loop
from motionclip.formats import RIG_SUFFIXES, Rig, load_rig
from motionclip.io import FORMATS, check_writable
from motionclip.motion import in_place
from motionclip.motion.retarget import RIGS
from motionclip.serving import file_bytes
from motionclip.studio.client import ClientSession, Job
from motionclip.studio.panels.controls import set_value
from motionclip.studio.takes import Take

#: The choice of the canonical skeleton, and the default body, among the rigs.
_NO_RIG = "ours"


def add_export(session: ClientSession) -> None:
    """Adds a button for each format that can be written here, and the character to write on, who is shown, too."""
    gui = session.client.gui
    own_rigs: dict[str, Rig] = {}  # the last one that was read, by its file's name
    hint = "On whose skeleton: bvh, csv, npz, and glb and usd where the rig has a skin."
    rig = gui.add_dropdown("Rig", (_NO_RIG, *RIGS), hint=hint)
    upload = gui.add_upload_button(
        f"Your own character ({' '.join(RIG_SUFFIXES)})", icon=viser.Icon.USER, mime_type=",".join(RIG_SUFFIXES)
    )
    loop = gui.add_checkbox("Looped", False, hint="Only the cycle that closes best; it runs into its own start.")
    stay = gui.add_checkbox("In place", False, hint="Without the path over the ground, for games that move the body.")

    def use_rig(loaded: Rig) -> None:
        own_rigs.clear()
        own_rigs[loaded.name] = loaded
        rig.options = (_NO_RIG, *RIGS, loaded.name)
        set_value(rig, loaded.name)
        session.wear(loaded)

    @rig.on_update
    def _(event: viser.GuiEvent[viser.GuiDropdownHandle[str]]) -> None:
        if event.client is not None:  # chosen by the user, not set by use_rig
            session.wear(own_rigs.get(rig.value))

    def export(suffix: str) -> None:
        shown, chosen, own = session.shown_or_notify("Nothing to export"), rig.value, own_rigs.get(rig.value)
        cycle, without_path = loop.value, stay.value
        if shown is None:
            return

        def work(job: Job) -> tuple[str, bytes]:
            name = file_name(shown, suffix)
            target = None if chosen == _NO_RIG else own or load_rig(chosen)
            check_writable(name, target)
            motion = make_loop(shown.motion).motion if cycle else shown.motion
            motion = in_place(motion) if without_path else motion
            return name, file_bytes(motion, suffix, target, job.progress)

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
