"""What a user does in a page of the studio."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from motionclip.studio.app import Studio
from motionclip.studio.board import pixels
from motionclip.studio.client import ClientSession

#: Seconds; on a busy machine without a graphics card a page takes a minute to appear.
_PATIENCE = 120.0
#: Three frames: messages are taken at the start of one, and fields and pictures of it come after.
_DRAWN = "() => new Promise(d => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(d))))"


def until(true: Callable[[], Any], what: str) -> None:
    """Waits until something is so."""
    end = time.monotonic() + _PATIENCE
    while not true():
        assert time.monotonic() < end, f"it did not come to pass: {what}"
        time.sleep(0.05)


@dataclass
class Page:
    """One page, and the session behind it.

    Attributes:
        tab: Playwright's page.
        session: what the studio knows of it.
    """

    tab: Any
    session: ClientSession

    def go(self, tab: str) -> None:
        self.tab.get_by_role("tab", name=tab, exact=True).click()

    def press(self, button: str) -> None:
        self.tab.get_by_role("button", name=button, exact=True).first.click()

    def write(self, label: str, text: str) -> None:
        """Fills the field beside a label that is seen, and waits until the studio has heard of it."""
        self.field(label).fill(text)
        self.settle()

    def field(self, label: str) -> Any:
        """Where text or a number is typed, beside a label that is seen."""
        row = f'//label[normalize-space()="{label}"]/ancestor::div[contains(@class,"mantine-Flex-root")][1]'
        inputs = '//*[self::textarea or self::input[not(@type="hidden")]]'
        return self.tab.locator(f"xpath={row}{inputs}").locator("visible=true").first

    def pixel(self, place: np.ndarray) -> tuple[float, float]:
        """Where a place (3,) of the scene is on the page, in pixels."""
        (x, y), box = (
            pixels(self.session.client.camera, place[None])[0],
            self.tab.locator("canvas").first.bounding_box(),
        )
        return box["x"] + x, box["y"] + y

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Moves the mouse from one place to another with its button down, as a hand does: in steps."""
        mouse = self.tab.mouse
        mouse.move(*start)
        self.settle()
        mouse.down()
        for share in (0.1, 0.4, 0.7, 1.0):
            mouse.move(*(a + share * (b - a) for a, b in zip(start, end, strict=True)))
            self.settle()
        mouse.up()
        self.settle()

    def settle(self) -> None:
        """Waits for what the page says a little after it was typed, and until it has drawn what it was told."""
        self.tab.wait_for_timeout(400)
        self.tab.evaluate(_DRAWN)

    def rest(self) -> None:
        """Waits until nothing is being done for the page."""
        until(lambda: not self.session.pending, "the work ends")

    def make(self, words: str) -> None:
        """Types a sentence and waits for its motion."""
        before = self.session.shown
        self.go("Make")
        self.write("Words", words)
        self.press("Make")
        until(lambda: self.session.shown is not before, f"a motion of {words!r}")
        self.rest()

    def says(self, text: str) -> None:
        """Waits for a text on the page."""
        self.tab.get_by_text(text).first.wait_for(timeout=1000 * _PATIENCE)

    def picture(self, path: Path, mouse: tuple[float, float] = (300, 30)) -> Path:
        """A picture of the page, without the browser's own remark on its graphics card."""
        remark = self.tab.get_by_text("Software WebGL rendering detected")
        if remark.count():
            self.tab.locator(".mantine-Notification-closeButton").first.click()
            remark.first.wait_for(state="detached")
        self.tab.mouse.move(*mouse)  # away from what shows a hint, if nowhere else
        self.settle()
        self.settle()
        self.tab.screenshot(path=str(path))
        return path


def open_page(studio: Studio, browser: Any, size: tuple[int, int] = (1000, 640)) -> Page:
    """A page in a browser context of its own, ready for use."""
    known = {id(session) for session in studio.sessions}
    tab = browser.new_context(viewport={"width": size[0], "height": size[1]}, accept_downloads=True).new_page()
    tab.set_default_timeout(1000 * _PATIENCE)
    tab.goto(studio.address)
    tab.get_by_role("tab", name="Export", exact=True).wait_for(timeout=1000 * _PATIENCE)
    (session,) = [session for session in studio.sessions if id(session) not in known]
    return Page(tab, session)
