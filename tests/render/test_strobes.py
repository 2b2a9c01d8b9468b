"""Stroboscopic stills: where the body was, the older the fainter."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from motionclip.body import default_body
from motionclip.errors import MotionError
from motionclip.motion import CANONICAL, Motion
from motionclip.render import strobe

RED = (0.9, 0.1, 0.1)


def sliding(frames: int, distance: float) -> Motion:
    """A T-pose that slides along +X, seen from its side."""
    root = torch.zeros(frames, 3)
    root[:, 1], root[:, 0] = -default_body().sole, torch.linspace(0, distance, frames)
    return Motion(torch.eye(3).expand(frames, 24, 3, 3), root, 30.0, CANONICAL)


def redness(picture: Image.Image) -> NDArray[np.int64]:
    values = np.asarray(picture).astype(int)
    return values[..., 0] - values[..., 1:].max(-1)


def test_a_travelling_body_is_shown_along_its_path_and_gets_clearer() -> None:
    red = redness(strobe([sliding(40, 12.0)], moments=4, size=(400, 80), colour=RED))
    columns = red.max(0)
    runs = np.split(columns, np.flatnonzero(np.diff((columns > 12).astype(int))) + 1)
    clearest = [run.max() for run in runs if run.min() > 12]
    assert len(clearest) == 4
    assert clearest == sorted(clearest)
    assert clearest[0] < 0.5 * clearest[-1]


def test_a_body_in_place_stays_in_one_place() -> None:
    still, once = (np.asarray(strobe([sliding(n, 0.0)], size=(80, 80), colour=RED)).astype(int) for n in (40, 1))
    changed = np.abs(still - once).max(-1) > 2
    assert changed.mean() < 0.03  # the edges of the body: neither bodies nor shadows add up


def test_several_motions_stand_side_by_side_with_captions() -> None:
    picture = strobe([sliding(9, 2.0)] * 2, ["one", "two"], moments=3, size=(90, 60))
    values = np.asarray(picture)
    assert np.array_equal(values[:60, :90], values[:60, 90:])
    assert picture.size[0] == 180 and picture.size[1] > 70
    assert strobe([sliding(9, 2.0)], size=(90, 60)).size == (90, 60)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"moments": 0}, "0 moments"),
        ({"moments": 65}, "1 to 64"),
        ({"size": (9, 60)}, "9 x 60"),
        ({"titles": ["a", "b"]}, "2 titles"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options: dict[str, object], says: str) -> None:
    with pytest.raises(MotionError, match=says):
        strobe([sliding(3, 0.0)], **options)  # type: ignore[arg-type]


def test_the_floor_of_a_long_path_reaches_to_its_ends() -> None:
    def contrast(distance: float) -> float:
        """How much the floor's tiles differ under the first body, of which one sees little."""
        picture = np.asarray(strobe([sliding(40, distance)], moments=4, size=(800, 200))).astype(float)
        return float(np.ptp(picture[-30:, :120].mean(axis=(0, 2))))

    assert contrast(30.0) > 0.3 * contrast(10.0)
