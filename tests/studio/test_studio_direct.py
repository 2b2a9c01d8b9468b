"""Directing in the studio, in a real Chromium: a path is dragged, a joint pinned, a pose kept, time changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import motionclip
from motionclip.motion import CANONICAL
from motionclip.motion.retarget import on_canonical
from motionclip.studio.app import Studio
from motionclip.studio.marks import PathMarks, PinMarks
from motionclip.studio.panels import direct
from motionclip.studio.panels.direct import pointing_at
from motionclip.studio.takes import Part, Take, poses_of
from studio.pages import Page, open_page, until

PICTURES = os.environ.get("MOTIONCLIP_STUDIO_PICTURES")


@pytest.mark.slow
def test_a_motion_is_directed_and_put_in_another_time(
    studio: Studio, chromium: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths, pins = list[PathMarks](), list[PinMarks]()
    kept(monkeypatch, "PathMarks", paths)
    kept(monkeypatch, "PinMarks", pins)
    page = open_page(studio, chromium, (1280, 720) if PICTURES else (900, 640))
    pictures = Path(PICTURES) if PICTURES else tmp_path
    page.make("a person walks")
    page.press("Pause")
    page.seek(40)
    page.go("Direct")
    page.press("Lay a path")
    until(lambda: len(paths[0].points) > 3, "a path")
    page.settle()
    before = paths[0].points
    page.drag(*(page.pixel(in_scene(page, before[1], by)) for by in ((0.073, 0.073), (0.573, 0.273))))  # its square
    until(lambda: paths[0].points[1] == pytest.approx(np.add(before[1], (0.5, 0.2)), abs=0.02), "a disc is dragged")
    assert [paths[0].points[n] for n in (0, 2, 3, 4)] == [before[n] for n in (0, 2, 3, 4)]
    dragged = [(0.0, 0.0), (0.5, 1.0), (0.2, 2.0), (-0.4, 2.8), (-0.1, 3.6)]
    paths[0].show(dragged)
    page.seek(15)
    page.press("Keep the pose")
    page.says("pose at 0.5 s")
    page.seek(60)
    page.press("Pin the joint")
    until(lambda: len(pins[0]._handles) == 1, "a pin")
    page.settle()
    pin = pins[0]._handles[0]
    hand = np.array(pin.position)
    arrow = hand + page.session.scene._world.position + np.array([0.0, 0.27, 0.0])
    page.drag(page.pixel(arrow), page.pixel(arrow + np.array([0.0, 0.4, 0.0])))
    until(lambda: pin.position[1] == pytest.approx(hand[1] + 0.4, abs=0.05), "a pin is dragged up by its arrow")
    pin.position = (-0.1, 1.5, 2.2)
    page.settle()
    page.picture(pictures / "studio-direct.png")
    directed = made(page, "Direct", 2)
    hand = directed.motion.positions[60, CANONICAL.index("right_hand")]
    assert hand.tolist() == pytest.approx([-0.1, 1.5, 2.2], abs=0.02)
    assert directed.motion.root[-1, [0, 2]].tolist() == pytest.approx(dragged[-1], abs=0.15)
    assert directed.parts == (Part("right hand", 2.0, 2.0, "Asked"), Part("pose", 0.5, 0.5, "Asked"))
    page.says("right_hand at 2 s: 0.")
    page.press("None")
    page.press("Forget pins and poses")
    page.press("Pause")
    page.seek(30)
    laid = made(page, "From the playhead on", 3)
    assert laid.parts[-1] == Part("a person waves with the right hand", 1.0, 3.0, "Right arm")
    page.go("Time")
    slower = made(page, "All", 4)
    assert slower.motion.num_frames == pytest.approx(laid.motion.num_frames / 1.5, abs=2)
    made(page, "Mirror", 5)
    page.press("Undo")
    until(lambda: page.session.shown is slower, "undone")
    page.press("Make a loop")
    until(lambda: page.session.shown.title.endswith("loop"), "a loop")
    page.rest()
    page.says("A cycle of")
    page.picture(pictures / "studio-time.png")


def in_scene(page: Page, point: tuple[float, float], by: tuple[float, float]) -> np.ndarray:
    """Where a place beside a path's point (x, z) is in the scene (3,)."""
    return page.session.scene._world.position + np.array([point[0] + by[0], 0.0, point[1] + by[1]])


def kept(monkeypatch: pytest.MonkeyPatch, name: str, made: list[Any]) -> None:
    """Keeps the marks that a panel makes: a handle in WebGL cannot be found by a test, and is moved from here."""
    kind = getattr(direct, name)

    def make(*arguments: Any) -> Any:
        made.append(kind(*arguments))
        return made[-1]

    monkeypatch.setattr(direct, name, make)


def made(page: Page, button: str, takes: int) -> Take:
    """Presses a button and returns the take that it makes."""
    page.press(button)
    until(lambda: len(page.session.history.takes) == takes, f"a take by {button}")
    page.rest()
    assert page.session.shown is not None
    return page.session.shown


def test_where_a_joint_points_is_turned_by_its_handle(studio: Studio, walk: Path) -> None:
    motion = on_canonical(motionclip.read_motion(walk))
    poses = poses_of(studio._shared.body.fitted(motion))
    turned = motion.world[0][20, CANONICAL.index("head")]
    found = pointing_at(poses, 20, "head")
    assert found is not None and pointing_at(poses, 20, "pelvis") is None
    np.testing.assert_allclose(found, turned[:, 2].numpy(), atol=0.05)
