"""Blocks of the timeline: dragged with the mouse in a real Chromium, and what becomes of the motion."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import motionclip
from motionclip.errors import MotionError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion
from motionclip.studio.app import Studio
from motionclip.studio.arrange import Clip, blocks, carried, dragged, joined, rearranged, with_tracks
from motionclip.studio.takes import Part
from studio.pages import Page, open_page, until
from studio.takes import take

PICTURES = os.environ.get("MOTIONCLIP_STUDIO_PICTURES")
THREE = (Clip(0.0, 2.0), Clip(2.0, 4.0), Clip(4.0, 6.0))


def no_step(_done: int, _total: int) -> None:
    """Nobody waits."""


@pytest.mark.parametrize(
    ("number", "span", "order", "moved"),
    [
        (0, (2.5, 4.5), [1, 0, 2], THREE[0]),  # its middle is past that of the second
        (2, (-1.0, 1.0), [2, 0, 1], THREE[2]),
        (1, (2.0, 3.0), [0, 1, 2], Clip(2.0, 3.0)),  # its right edge
        (1, (2.7, 4.001), [0, 1, 2], Clip(2.7, 4.0)),  # its left edge, the other by less than a hand means
        (2, (4.0, 7.5), [0, 1, 2], Clip(4.0, 6.0, after=1.5)),
        (0, (-1.0, 2.0), [0, 1, 2], Clip(0.0, 2.0, before=1.0)),
    ],
)
def test_a_dragged_block_goes_elsewhere_or_gets_other_edges(
    number: int, span: tuple[float, float], order: list[int], moved: Clip
) -> None:
    found, clips = dragged(THREE, number, *span)
    assert found == order and clips[order.index(number)] == moved
    assert [clip for clip in clips if clip != moved] == [THREE[index] for index in order if index != number]


@pytest.mark.parametrize(
    ("span", "problem"),
    [((2.3, 4.3), "stays where it is"), ((2.0, 2.2), "0.20 s; expected at least"), ((2.0, 10.0), "6.0 s longer")],
)
def test_what_changes_nothing_or_too_much_is_refused(span: tuple[float, float], problem: str) -> None:
    with pytest.raises(MotionError, match=problem):
        dragged(THREE, 1, *span)


@pytest.fixture(scope="module")
def story(model: MotionCLIP) -> Motion:
    return motionclip.storyboard(model, [motionclip.Shot("a person walks", 2), motionclip.Shot("a person waves", 2)])


def test_a_cut_is_blended_with_the_frames_behind_it_and_the_rest_stays(model: MotionCLIP, story: Motion) -> None:
    motion, starts = joined(model, story, [Clip(0.0, 1.0), Clip(2.0, story.duration)], no_step)
    assert starts == pytest.approx([0.0, 1.0]) and motion.duration == pytest.approx(story.duration - 1.0, abs=0.04)
    torch.testing.assert_close(motion.rotations[:30], story.rotations[:30])
    torch.testing.assert_close(motion.rotations[-20:, 1:], story.rotations[-20:, 1:], atol=1e-4, rtol=0)
    fastest = max(float(torch.diff(each.positions, dim=0).norm(dim=-1).max()) for each in (story, motion))
    assert fastest < 1.5 * float(torch.diff(story.positions, dim=0).norm(dim=-1).max())


def test_clips_in_their_order_are_the_motion_itself(model: MotionCLIP, story: Motion) -> None:
    motion, starts = joined(model, story, [Clip(0.0, 2.0), Clip(2.0, story.duration)], no_step)
    assert starts == [0.0, 2.0]
    torch.testing.assert_close(motion.positions, story.positions)


def test_more_is_made_where_a_block_gets_longer(model: MotionCLIP, story: Motion) -> None:
    motion, _ = joined(model, story, [Clip(0.0, story.duration, after=1.0, words="a person waves")], no_step)
    assert motion.duration == pytest.approx(story.duration + 1.0, abs=0.04)
    torch.testing.assert_close(motion.positions[: story.num_frames], story.positions, atol=1e-4, rtol=0)


def test_what_was_laid_over_a_block_goes_along_and_what_is_cut_out_does_not() -> None:
    parts = [Part("wave", 2.2, 3.4, "Right arm"), Part("head", 0.5, 0.5, "Asked"), Part("nod", 4.1, 5.0, "Head")]
    clips = [THREE[1], replace(THREE[2], start=4.5)]
    found = carried(parts, clips, [(0.0, 2.0), (2.0, 3.5)])
    assert found == [Part("wave", pytest.approx(0.2), pytest.approx(1.4), "Right arm")]


def test_a_track_is_laid_anew_where_it_is_dragged(model: MotionCLIP, story: Motion) -> None:
    parts = (Part("walk", 0.0, 2.0), Part("a person waves with the right hand", 0.5, 2.0, "Right arm"))
    shown = replace(take("story"), motion=with_tracks(model, story, parts), parts=parts, under=story)
    motion, moved, under = rearranged(model, shown, 1, 2.0, 3.5, no_step)
    assert moved[1] == replace(parts[1], start=2.0, end=3.5) and under is story
    torch.testing.assert_close(motion.positions[:55], story.positions[:55])  # where it was, there is nothing
    assert float((motion.positions - story.positions)[75:90].norm(dim=-1).max()) > 0.1
    with pytest.raises(MotionError, match="block 2 of 2"):
        rearranged(model, shown, 2, 0.0, 1.0, no_step)


@pytest.mark.slow
def test_blocks_edges_and_the_playhead_are_dragged_with_the_mouse(
    studio: Studio, chromium: Any, tmp_path: Path
) -> None:
    page = open_page(studio, chromium, (1280, 720) if PICTURES else (900, 640))
    session, pictures = page.session, Path(PICTURES) if PICTURES else tmp_path
    page.go("Story")
    page.press("One fewer")
    page.tab.get_by_text("Shot 3", exact=True).wait_for(state="detached")
    page.press("Make the story")
    until(lambda: session.shown is not None, "a story")
    page.rest()
    page.press("Pause")
    first = session.shown
    assert first is not None and [part.title for part in blocks(first)] == [
        "a person walks",
        "a person waves with both hands",
    ]

    left, top, width, _ = page.box(timeline(page))
    seconds = top + 7  # the middle of their row
    page.drag((left + 0.2 * width, seconds), (left + 0.5 * width, seconds))
    until(lambda: session.player.time == pytest.approx(0.5 * first.motion.duration, abs=0.1), "the playhead")

    x, y, wide = block(page, 1)
    page.tab.mouse.move(x + wide - 3, y)
    page.tab.mouse.down()
    page.tab.mouse.move(x + wide * 0.6, y)
    page.tab.mouse.move(x + wide * 0.5, y)
    page.tab.screenshot(path=str(pictures / "studio-timeline.png"))
    page.tab.mouse.up()
    until(lambda: session.shown is not first, "a shorter wave")
    page.rest()
    shorter = session.shown
    assert shorter is not None and shorter.motion.duration == pytest.approx(first.motion.duration - 1.5, abs=0.1)
    assert np.allclose(shorter.motion.positions[:60], first.motion.positions[:60], atol=1e-4)

    x, y, wide = block(page, 0)
    page.drag((x + wide / 2, y), (x + 1.4 * wide, y))
    until(lambda: session.shown is not shorter, "another order")
    page.rest()
    assert session.shown is not None
    assert [part.title for part in session.shown.parts] == ["a person waves with both hands", "a person walks"]
    page.tab.keyboard.press("Control+z")
    until(lambda: session.shown is shorter, "undone")


def timeline(page: Page) -> str:
    """Selects the timeline of what is shown, and not that of the motion before, which the page shows a while longer."""
    assert page.session.shown is not None
    return f"[data-seconds='{page.session.shown.motion.duration:.4f}']"


def block(page: Page, number: int) -> tuple[float, float, float]:
    """Left edge, middle and width of a block of what is shown, pixels."""
    assert page.session.shown is not None
    part, whole = blocks(page.session.shown)[number], page.box(timeline(page))
    left, top, width, height = page.box(f"{timeline(page)} [data-part='{number}'][title='{part.title}']")
    seconds = page.session.shown.motion.duration
    assert (left - whole.left) / whole.width == pytest.approx(part.start / seconds, abs=0.01)
    assert width / whole.width == pytest.approx((part.end - part.start) / seconds, abs=0.01)
    return left, top + height / 2, width
