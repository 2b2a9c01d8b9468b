"""Trunks follow the lines of their source, exactly or, where a neck is too short, within two degrees."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from motions import smooth_motion

from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import retarget, retarget_report

WILD = smooth_motion()
MILD = replace(WILD, rotations=rot.rotvec_to_matrix(0.3 * rot.matrix_to_rotvec(WILD.rotations)))


def stretched(**factors: float) -> Motion:
    """The movement of a body with some longer bones."""
    offsets = CANONICAL.offsets.clone()
    for joint, factor in factors.items():
        offsets[CANONICAL.index(joint)] *= factor
    return replace(MILD, skeleton=replace(CANONICAL, offsets=offsets))


@pytest.mark.parametrize(
    "factors",
    [{"spine2": 1.5}, {"left_collar": 0.7, "right_collar": 0.7}, {"left_shoulder": 1.4, "right_shoulder": 1.4}],
)
def test_lines_are_exact_for_other_proportions(factors: dict[str, float]) -> None:
    source = stretched(**factors)
    assert retarget_report(source, retarget(source)).trunk_max < 0.2


def test_a_head_that_no_tilt_reaches_is_reached_by_a_shrug() -> None:
    """A body bent double to the side, whose head, on a longer neck, is tucked under."""
    turned = torch.eye(3).repeat(40, 24, 1, 1)
    share = torch.linspace(0, 3.1416, 40).sin()[:, None]
    for joint, turn in (("neck", [1.5, 0.0, 0.5]), ("spine2", [0.9, 0.0, 0.3])):
        turned[:, CANONICAL.index(joint)] = rot.rotvec_to_matrix(share * torch.tensor([turn]))
    source = replace(stretched(head=4.0), rotations=turned, root=MILD.root[:1].repeat(40, 1))
    found = retarget(source)
    assert retarget_report(source, found).trunk_max < 2.0
    steps = rot.geodesic_angle(found.world[0][1:], found.world[0][:-1])
    assert torch.rad2deg(steps[:, CANONICAL.indices(["spine3", "left_collar", "right_collar"])]).max() < 15


def test_a_longer_neck_bends_no_chest_double() -> None:
    """A head that is held forward on a long neck."""
    turned = MILD.rotations.clone()
    turned[:, CANONICAL.index("neck")] = rot.rotvec_to_matrix(torch.tensor([0.6, 0.0, 0.0]))
    source = replace(stretched(head=3.0), rotations=turned)
    found = retarget(source)
    assert retarget_report(source, found).trunk_max < 2.0
    chest = CANONICAL.index("spine3")
    assert torch.rad2deg(rot.geodesic_angle(found.world[0][:, chest], source.world[0][:, chest])).max() < 40
