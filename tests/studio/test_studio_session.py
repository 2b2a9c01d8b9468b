"""Keys, takes side by side, the dark look and a saved session, in a real Chromium."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from motionclip.studio.app import Studio
from studio.pages import open_page, until

PICTURES = os.environ.get("MOTIONCLIP_STUDIO_PICTURES")


@pytest.mark.slow
def test_choose_with_keys_save_and_open_again(studio: Studio, chromium: Any, tmp_path: Path) -> None:
    page = open_page(studio, chromium, (1280, 720) if PICTURES else (900, 560))
    pictures, session, keyboard = Path(PICTURES) if PICTURES else tmp_path, page.session, page.tab.keyboard
    page.write("Takes", "3")
    page.write("Words", "a person jumps")
    page.field("Words").press("Enter")
    until(lambda: len(session.lineup) == 3, "three takes side by side")
    page.rest()
    page.says("3 takes, the best first")
    page.picture(pictures / "studio-takes.png")
    second = session.lineup[1]
    page.press("2")
    until(lambda: session.shown is second and not session.lineup, "the second is chosen")
    assert session.history.takes == (second,)

    page.tab.mouse.click(60, 60)  # away from the fields: keys are the page's
    keyboard.press("Space")
    until(lambda: not session.player.playing, "it pauses")
    before = session.player.frame
    keyboard.press("ArrowRight")
    until(lambda: session.player.frame == (before + 1) % session.player.frames, "one frame on")
    keyboard.press("Home")
    until(lambda: session.player.frame == 0, "the first frame")
    keyboard.press("d")
    until(lambda: session.is_dark, "the dark look")
    page.picture(pictures / "studio-dark.png")

    page.go("File")
    with page.tab.expect_download() as download:
        page.press("Save all takes")
    saved = tmp_path / "mine.takes"
    download.value.save_as(saved)
    page.tab.mouse.click(60, 60)
    keyboard.press("Delete")
    until(lambda: not session.history.takes, "the take is forgotten")
    page.tab.locator("input[type=file]").nth(1).set_input_files(str(saved))
    until(lambda: [take.title for take in session.history.takes] == [second.title], "the saved take")
