"""A sentence becomes a motion."""

from __future__ import annotations

import viser

from motionclip.applications.text_to_motion import DEFAULT_GUIDANCE, DEFAULT_SECONDS, text_to_motion
from motionclip.studio.visitor import Visitor


def add_make(visitor: Visitor) -> None:
    """Adds the fields of a sentence."""
    gui, model = visitor.client.gui, visitor.model
    text = gui.add_text("Words", "a person walks", multiline=True, hint="What the person does.")
    seconds = gui.add_slider("Seconds", 0.5, model.max_seconds, 0.5, min(DEFAULT_SECONDS, model.max_seconds))
    seed = gui.add_number("Seed", 0, min=0, step=1, hint="Another seed gives another motion of the same words.")
    guidance = gui.add_slider(
        "Guidance", 0.0, 4.0, 0.25, DEFAULT_GUIDANCE, hint="Above 1 follows the words more closely."
    )
    make = gui.add_button("Make", icon=viser.Icon.RUN, color="blue")

    @make.on_click
    def _(_: object) -> None:
        said, length, number, pull = text.value, seconds.value, int(seed.value), guidance.value
        visitor.make(said, lambda job: text_to_motion(model, said, seconds=length, seed=number, guidance=pull))
