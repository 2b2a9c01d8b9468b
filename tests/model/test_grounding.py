"""A body that pushes a standing foot back moves forward; without contact nothing changes."""

import torch

from motionclip.model.features import pose
from motionclip.model.grounding import plant_feet
from motionclip.motion import CANONICAL
from motionclip.motion import rotations as rot
from motionclip.motion.contacts import CONTACT_JOINTS

FRAMES = 20


def swinging_leg() -> tuple[torch.Tensor, torch.Tensor]:
    """A body whose left hip swings back while its root stays."""
    turns = torch.zeros(1, FRAMES, 24, 3)
    turns[0, :, CANONICAL.index("left_hip"), 0] = torch.linspace(-0.3, 0.3, FRAMES)
    root = torch.tensor([0.0, 0.95, 0.0]).expand(1, FRAMES, 3)
    return rot.matrix_to_sixd(rot.rotvec_to_matrix(turns)), root


def test_the_standing_foot_stays_and_the_body_travels() -> None:
    sixd, root = swinging_leg()
    contacts = torch.zeros(1, FRAMES, 4)
    contacts[..., CONTACT_JOINTS.index("left_ankle")] = 1.0
    planted = plant_feet(sixd, root, contacts)
    ankle = pose(sixd, planted)[1][0, :, CANONICAL.index("left_ankle")]
    assert (ankle[:, [0, 2]] - ankle[0, [0, 2]]).abs().max() < 1e-4
    assert (planted[0, -1] - root[0, -1]).norm() > 0.3
    torch.testing.assert_close(planted[..., 1], root[..., 1])


def test_in_flight_the_path_is_kept() -> None:
    sixd, root = swinging_leg()
    torch.testing.assert_close(plant_feet(sixd, root, torch.zeros(1, FRAMES, 4)), root)
