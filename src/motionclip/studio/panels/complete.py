"""More of the motion that is shown: it goes on, begins earlier, or has other frames in a gap."""

from __future__ import annotations

from collections.abc import Callable

import viser

import motionclip
from motionclip import Motion
from motionclip.studio.client import ClientSession, Job


def add_completion(session: ClientSession) -> None:
    """Adds the fields of what is to be there, and where."""
    gui, model = session.client.gui, session.model
    words = gui.add_text("Then", "", hint="What is done in it; left empty, what the motion suggests.")
    seconds = gui.add_number("More s", 2.0, min=0.5, max=5.0, step=0.5)
    after = gui.add_button("Go on", icon=viser.Icon.PLAYER_TRACK_NEXT)
    before = gui.add_button("Begin earlier", icon=viser.Icon.PLAYER_TRACK_PREV)
    start = gui.add_number("Gap from s", 1.0, min=0.0, step=0.1)
    end = gui.add_number("Gap to s", 2.0, min=0.0, step=0.1)
    fill = gui.add_button("Fill the gap", icon=viser.Icon.BANDAGE)

    def complete(title: str, make: Callable[[Motion, str | None, Job], Motion]) -> None:
        shown, text = session.shown_or_notify("Nothing to go on from"), words.value.strip() or None
        if shown is not None:
            session.make(f"{title}: {text}" if text else title, lambda job: make(shown.motion, text, job))

    def extend(title: str, *, earlier: bool) -> None:
        length = float(seconds.value)
        complete(
            title,
            lambda motion, text, job: motionclip.extend(
                model, motion, length, text=text, before=earlier, on_step=job.progress
            ),
        )

    after.on_click(lambda _: extend("goes on", earlier=False))
    before.on_click(lambda _: extend("begins earlier", earlier=True))

    @fill.on_click
    def _(_: object) -> None:
        gap = (float(start.value), float(end.value))
        complete(
            f"{gap[0]:g} to {gap[1]:g} s anew",
            lambda motion, text, job: motionclip.complete(model, motion, [gap], text=text, on_step=job.progress),
        )
