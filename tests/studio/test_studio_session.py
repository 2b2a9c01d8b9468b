"""Keys, takes side by side, the dark look and a saved session, in a real Chromium."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from motionclip.body import Body, default_body
from motionclip.formats.gltf import write_body_glb
from motionclip.io import read_motion
from motionclip.studio.app import Studio
from studio.pages import Page, open_page, until
from studio.takes import take

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
    page.go("Make")
    drop(page, saved)
    until(lambda: [take.title for take in session.history.takes] == [second.title], "the saved take")

    page.tab.close()
    until(lambda: studio.sessions == (), "the page is forgotten")
    again = open_page(studio, chromium, (900, 560))
    again.says("File brings back the 1 of the page before")
    again.go("File")
    again.press("Bring back the last page's takes")
    until(lambda: [take.title for take in again.session.history.takes] == [second.title], "the take of the page before")


def drop(page: Page, path: Path) -> None:
    """Drops a file on the page, as a hand does."""
    page.tab.evaluate(
        """([name, numbers]) => {
            const held = new DataTransfer();
            held.items.add(new File([new Uint8Array(numbers)], name));
            const event = new DragEvent('drop', { dataTransfer: held, bubbles: true, cancelable: true });
            if (document.body.dispatchEvent(event)) throw new Error('the browser would leave the page for the file');
        }""",
        [path.name, list(path.read_bytes())],
    )


@pytest.mark.slow
def test_a_character_of_ones_own_plays_and_is_exported_looped_and_in_place(
    studio: Studio, chromium: Any, tmp_path: Path
) -> None:
    page = open_page(studio, chromium, (1280, 720) if PICTURES else (900, 560))
    pictures, session = Path(PICTURES) if PICTURES else tmp_path, page.session
    page.make("a person walks")
    drawn = session._drawn
    hero = tmp_path / "hero.vrm"
    hero.write_bytes(tall_character(tmp_path))
    page.go("Export")
    page.tab.locator("input[type=file][accept*='.vrm']").last.set_input_files(str(hero))
    until(lambda: session.character is not None, "the character is shown")
    page.rest()
    assert session._drawn[0].positions[:, :, 1].max() > 1.2 * drawn[0].positions[:, :, 1].max()
    page.tab.get_by_label("Looped").check()
    page.tab.get_by_label("In place").check()
    page.settle()
    page.picture(pictures / "studio-character.png")
    with page.tab.expect_download() as download:
        page.press(".bvh")
    download.value.save_as(tmp_path / "cycle.bvh")
    cycle = read_motion(tmp_path / "cycle.bvh")
    assert cycle.num_frames < session.shown.motion.num_frames
    assert float((cycle.root[:, [0, 2]] - cycle.root[0, [0, 2]]).abs().max()) < 0.01

    page.field("Rig").click()
    page.tab.get_by_role("option", name="ours").click()
    until(lambda: session.character is None, "the default body again")
    page.go("Edit")
    page.tab.get_by_text("Go on, or fill a gap", exact=True).click()
    page.write("More s", "0.5")
    length = session.shown.motion.duration
    page.press("Go on")
    until(lambda: session.shown.title == "goes on", "a longer motion")
    assert session.shown.motion.duration == pytest.approx(length + 0.5, abs=0.05)


def tall_character(folder: Path) -> bytes:
    """A GLB file of the default body, half as tall again."""
    body = default_body()
    skeleton = replace(body.skeleton, offsets=1.5 * body.skeleton.offsets)
    tall = Body(1.5 * body.vertices, body.weights, body.faces, skeleton)
    write_body_glb(tall, tall.fitted(take("still").motion), folder / "tall.glb")
    return (folder / "tall.glb").read_bytes()
