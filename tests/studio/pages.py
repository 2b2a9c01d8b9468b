"""What a user does in a page of the studio."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from motionclip.studio.app import Studio
from motionclip.studio.board import pixels
from motionclip.studio.client import ClientSession

T = TypeVar("T")

#: Seconds; on a busy machine without a graphics card a page takes minutes to appear.
_PATIENCE = 600.0
#: Until the page has sent what it has to say, by its own clock: viser holds back what is said within 50 ms of the last
#: thing, and of two that are held back loses the first; the studio's scripts wait for a mouse that rests for 120 ms.
_SAID = "() => new Promise(d => setTimeout(d, 250))"
#: Three frames: messages are taken at the start of one, and fields and pictures of it come after.
_DRAWN = "() => new Promise(d => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(d))))"
#: Where an element is in two frames in a row: left, top, width, height; null where it moves, or there is none.
_BOX = """async (selector) => {
    const look = async () => {
        await new Promise(requestAnimationFrame);
        const box = document.querySelector(selector)?.getBoundingClientRect();
        return box ? [box.x, box.y, box.width, box.height] : null;
    };
    const [before, now] = [await look(), await look()];
    return String(before) === String(now) ? now : null;
}"""


def until(true: Callable[[], T], what: str) -> T:
    """Waits until something is so, and returns what was found."""
    end = time.monotonic() + _PATIENCE
    while not (found := true()):
        assert time.monotonic() < end, f"it did not come to pass: {what}"
        time.sleep(0.05)
    return found


class Box(NamedTuple):
    """Where something is on a page, pixels."""

    left: float
    top: float
    width: float
    height: float


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
        named = self.tab.get_by_role("tab", name=tab, exact=True)
        named.click()
        named.and_(self.tab.get_by_role("tab", selected=True)).wait_for()

    def press(self, button: str) -> None:
        """Presses a button, and waits until the page has sent that."""
        self.tab.get_by_role("button", name=button, exact=True).first.click()
        self.tab.evaluate(_SAID)

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
        (x, y), canvas = pixels(self.session.client.camera, place[None])[0], self.box("canvas")
        return canvas.left + x, canvas.top + y

    def box(self, selector: str) -> Box:
        """Where an element is, as soon as it is there and two frames in a row show it at the same place.

        A single look may find none, or the one before: the timeline is drawn anew all the time.
        """
        return Box(*until(lambda: self.tab.evaluate(_BOX, selector), f"{selector} rests at one place of the page"))

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

    def seek(self, frame: int) -> None:
        """Goes to a frame by the timeline's field, and waits until it is shown."""
        self.write("Frame", str(frame))
        player = self.session.player
        until(lambda: player.frame == frame and not player.playing, f"the time stands at frame {frame}")
        self.settle()

    def settle(self) -> None:
        """Waits until the studio has heard what the page says, and the page has drawn what it was told.

        A picture that the studio asks for comes after all that the page said before, and shows all that it was told.
        """
        self.tab.evaluate(_SAID)
        self.session.client.get_render(8, 8, timeout=_PATIENCE)
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
        remark = self.tab.locator(".mantine-Notification-root", has_text="Software WebGL rendering detected")
        if remark.count():
            remark.locator(".mantine-Notification-closeButton").click()
            remark.wait_for(state="detached")
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
