"""The studio in a real Chromium: made, seen, scrubbed, edited, exported; docs/studio.md shows the pictures."""

from __future__ import annotations

import errno
import os
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from motionclip.io import read_motion
from motionclip.motion import CANONICAL
from motionclip.studio.app import Studio
from motionclip.studio.board import in_scene
from studio.pages import Page, open_page, until

#: Where pictures go: `MOTIONCLIP_STUDIO_PICTURES=docs/pictures` makes those of docs/studio.md.
PICTURES = os.environ.get("MOTIONCLIP_STUDIO_PICTURES")


@pytest.mark.slow
def test_from_a_sentence_to_an_exported_file(studio: Studio, chromium: Any, walk: Path, tmp_path: Path) -> None:
    page = open_page(studio, chromium, (1280, 720) if PICTURES else (900, 560))
    asked: list[str] = []
    page.tab.on("request", lambda request: asked.append(request.url))
    pictures = Path(PICTURES) if PICTURES else tmp_path

    page.make("a person walks like an old man")
    assert page.session.shown is not None and page.session.shown.motion.skeleton is CANONICAL
    until(lambda: page.session.player.frame > 5, "it plays at once")
    page.press("Pause")
    until(lambda: not page.session.player.playing, "it stands still")
    early = scrubbed(page, 20)
    until(lambda: np.abs(scrubbed(page, 95) - early).max() > 60, "the body is elsewhere, though the page is not")
    page.picture(pictures / "studio-make.png")

    edited(page, pictures)
    blended(page, pictures)
    page.go("Story")
    page.press("Make the story")
    until(lambda: page.session.shown and page.session.shown.title.startswith("story"), "a story")
    page.rest()
    assert page.session.shown.motion.duration == pytest.approx(9.0, abs=0.1)
    page.press("Pause")
    page.picture(pictures / "studio-story.png")
    read(page, walk, pictures)
    mapped(page, pictures)
    exported(page, pictures)
    assert all(url.startswith((studio.address, "data:", "blob:")) for url in asked)


def scrubbed(page: Page, frame: int) -> np.ndarray:
    """Goes to a frame and returns what the scene shows, (H, W) grey."""
    page.seek(frame)
    size = page.tab.viewport_size
    clip = {"x": 0, "y": 0, "width": size["width"] - 400, "height": size["height"] - 200}
    picture = Image.open(BytesIO(page.tab.screenshot(clip=clip))).convert("L")
    return np.asarray(picture, np.int16)


def edited(page: Page, pictures: Path) -> None:
    """Change, undo, redo."""
    walk = page.session.history.current
    page.go("Edit")
    page.write("Minus", "a person walks like an old man")
    page.write("Plus", "a young woman walks")
    page.press("Change")
    until(lambda: len(page.session.history.takes) == 2, "an edit")
    page.rest()
    changed = page.session.history.current
    assert float((changed.motion.positions - walk.motion.positions).norm(dim=-1).mean()) > 0.02
    page.press("Undo")
    until(lambda: page.session.shown is walk, "undo")
    page.press("Redo")
    until(lambda: page.session.shown is changed, "redo")
    page.picture(pictures / "studio-edit.png")


def blended(page: Page, pictures: Path) -> None:
    """From the edited walk to a wave, and half of the way kept."""
    page.go("Blend")
    page.press("A: what is shown")
    page.make("wave with both hands")
    page.go("Blend")
    page.press("B: what is shown")
    until(lambda: page.session.shown.title.endswith("from A to B"), "the first of those between")
    page.rest()
    page.write("A to B", "50")
    until(lambda: page.session.shown.title == "50 % from A to B", "half of the way")
    page.press("Keep what is shown")
    until(lambda: len(page.session.history.takes) == 4, "a take")
    page.picture(pictures / "studio-blend.png")


def read(page: Page, walk: Path, pictures: Path) -> None:
    """A file is shown and recognized."""
    page.go("File")
    page.tab.locator("input[type=file]").first.set_input_files(str(walk))
    until(lambda: page.session.shown.title == "walk.bvh", "the file's motion")
    page.rest()
    page.says("%")
    assert page.session.shown.motion.num_frames == read_motion(walk).num_frames
    page.picture(pictures / "studio-file.png")


def mapped(page: Page, pictures: Path) -> None:
    """Neighbours, and a click on a ball of the map."""
    page.go("Map")
    page.press("Nearest to what is shown")
    page.tab.get_by_role("button", name=re.compile(r"^0\.\d\d ")).first.wait_for()
    page.tab.get_by_label("Map of the library").check()
    until(lambda: "/map/balls" in page.session.client.scene._handle_from_node_name, "the map is drawn")
    page.settle()
    first, last = page.session.history.takes[0], page.session.history.takes[-1]
    assert page.session.shown is last
    x, y = on_screen(page, first.title)
    page.tab.mouse.move(x, y)
    until(lambda: "/preview" in page.session.client.scene._handle_from_node_name, "a small body does it")
    page.rest()
    page.picture(pictures / "studio-map.png", mouse=(x, y))
    assert page.session.shown is last
    page.tab.mouse.click(x, y)
    until(lambda: page.session.shown.title == first.title, "the motion of the ball")
    page.tab.get_by_label("Map of the library").uncheck()
    page.settle()


def on_screen(page: Page, title: str) -> tuple[float, float]:
    """Where the ball of a take is on the page, in pixels."""
    shown = page.session.collection.map()
    number = [point.title for point in shown.points].index(title)
    return page.pixel(in_scene(shown.positions)[number])


def exported(page: Page, pictures: Path) -> None:
    """Files of the motion that is shown, for others to open."""
    page.go("Export")
    page.settle()
    with page.tab.expect_download() as download:
        page.press(".glb")
    content = Path(download.value.path()).read_bytes()
    assert content[:4] == b"glTF" and len(content) == int.from_bytes(content[8:12], "little")
    assert download.value.suggested_filename == "a-person-walks-like-an-old-man.glb"
    page.field("Rig").click()
    page.tab.get_by_role("option", name="mixamo").click()
    page.settle()
    with page.tab.expect_download() as download:
        page.press(".bvh")
    assert b"mixamorig:Hips" in Path(download.value.path()).read_bytes()
    page.picture(pictures / "studio-export.png")
    page.press(".gif")
    page.says("cannot hold the rig mixamo")
    page.rest()


@pytest.mark.slow
def test_two_pages_at_once_and_what_is_too_much_for_them(
    studio: Studio, chromium: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (open_page(studio, chromium, (900, 560)) for _ in range(2))
    first.make("a person jumps")
    assert second.session.shown is None and second.session.history.takes == ()
    second.make("a person runs")
    assert [one.title for one in first.session.history.takes] == ["a person jumps"]
    assert [one.title for one in second.session.history.takes] == ["a person runs"]
    for page in (first, second):
        page.press("Pause")

    huge, broken = tmp_path / "huge.bvh", tmp_path / "broken.bvh"
    with huge.open("wb") as file:
        file.truncate(100 << 20)
    broken.write_text("HIERARCHY\nROOT hips\n{\n  OFFSET what\n")
    first.go("File")
    files = first.tab.locator("input[type=file]").first
    files.set_input_files(str(huge))
    first.says("104.9 MB; expected at most 20 MB")
    until(lambda: first.tab.get_by_role("button", name="Open a file").is_enabled(), "the button works again")
    files.set_input_files(str(broken))
    first.says("broken.bvh: there is no line MOTION")
    first.make("a person walks")

    second.go("Make")
    second.write("Words", "walk " * 20_000)
    second.press("Make")
    second.says("shorten it")
    second.make("a person walks")

    with monkeypatch.context() as patch:
        patch.setattr("motionclip.io.write_motion", full_disk)
        second.go("Export")
        second.press(".glb")
        second.says("No space left")
        second.rest()
    with second.tab.expect_download():
        second.press(".glb")
    assert len(first.session.history.takes) == len(second.session.history.takes) == 2


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")
