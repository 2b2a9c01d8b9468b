"""From one motion to another."""

from __future__ import annotations

from functools import partial

import viser

from motionclip.applications.interpolate import interpolate
from motionclip.studio.session import Take
from motionclip.studio.visitor import Visitor
from motionclip.studio.work import Job

#: Motions from A to B, both among them.
_STEPS = 21


class Blend:
    """Two motions and those between them.

    Args:
        visitor: whose.
    """

    def __init__(self, visitor: Visitor):
        self._visitor = visitor
        self._ends: dict[str, Take] = {}
        self._between: list[Take] = []
        gui = visitor.client.gui
        self._buttons = {
            end: gui.add_button(f"{end}: what is shown", icon=viser.Icon.TARGET_ARROW, hint=f"Makes it {end}.")
            for end in "AB"
        }
        self._slider = gui.add_slider("A to B", 0, 100, 100 // (_STEPS - 1), 0, disabled=True)
        keep = gui.add_button("Keep what is shown", icon=viser.Icon.DEVICE_FLOPPY)
        for end, button in self._buttons.items():
            button.on_click(partial(self._set, end))
        self._slider.on_update(lambda event: self._look() if event.client is not None else None)
        keep.on_click(lambda _: self._keep())

    def _set(self, end: str, _: object) -> None:
        shown, visitor = self._visitor.shown, self._visitor
        if shown is None:
            visitor.tell("Nothing to blend", "make a motion first, or read a file")
            return
        self._ends[end] = shown
        self._buttons[end].label = f"{end}: {shown.title}"
        if len(self._ends) == 2:
            self._slider.disabled = True
            visitor.do("from A to B", self._made, self._show)

    def _made(self, job: Job) -> list[Take]:
        a, b = self._ends["A"].motion, self._ends["B"].motion
        motions = interpolate(self._visitor.model, a, b, _STEPS)
        shares = [100 * step // (_STEPS - 1) for step in range(_STEPS)]
        return [self._visitor.take(f"{share} % from A to B", m) for share, m in zip(shares, motions, strict=True)]

    def _show(self, between: list[Take]) -> None:
        self._between = between
        self._slider.disabled = False
        self._look()

    def _look(self) -> None:
        if self._between:
            self._visitor.look_at(self._between[round(self._slider.value / 100 * (_STEPS - 1))], keep_time=True)

    def _keep(self) -> None:
        visitor = self._visitor
        if visitor.shown is not None and visitor.shown is not visitor.session.current:
            visitor.add(visitor.shown)
