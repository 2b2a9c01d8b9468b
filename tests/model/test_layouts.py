"""Layouts: a window to channels and back loses nothing, and each convention is the one that it says."""

import pytest
import roma
import torch

from motionclip.model.features import LAYOUTS, Batch, from_motion, pose, to_motions
from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot
from motionclip.motion.contacts import CONTACT_INDICES


def random_window(frames: int) -> Batch:
    generator = torch.Generator().manual_seed(0)
    turns = torch.randn(frames, 24, 3, generator=generator) * 0.5
    root = torch.randn(frames, 3, generator=generator) * 0.3 + torch.tensor([2.0, 0.9, -1.0])
    return from_motion(Motion(roma.rotvec_to_rotmat(turns), root, 30.0, CANONICAL), 30.0)


@pytest.mark.parametrize("name", ["positions", "velocity", "translation"])
def test_round_trip(name: str) -> None:
    batch, layout = random_window(16), LAYOUTS[name]
    features = layout.features(batch, 30.0)
    assert features.shape == (1, 16, layout.channels)
    sixd, root = layout.window(features, 30.0)
    torch.testing.assert_close(sixd, batch.sixd, atol=1e-5, rtol=0)
    torch.testing.assert_close(root, batch.root, atol=1e-5, rtol=0)


def test_places_lead_where_rotations_are_wrong() -> None:
    batch, layout = random_window(16), LAYOUTS["positions"]
    features = layout.features(batch, 30.0)
    rotations = slice(69, 69 + 144)
    shaken = features.clone()
    shaken[..., rotations] += 0.2 * torch.randn(
        features[..., rotations].shape, generator=torch.Generator().manual_seed(1)
    )
    sixd, root = layout.window(shaken, 30.0)
    torch.testing.assert_close(pose(sixd, root)[1], pose(batch.sixd, batch.root)[1], atol=1e-4, rtol=0)
    assert (sixd - batch.sixd).abs().max() > 0.1


def test_padding_has_no_place() -> None:
    batch, layout = random_window(16), LAYOUTS["positions"]
    mask = torch.arange(16)[None] < 10
    kept = mask[..., None, None]
    features = layout.features(Batch(batch.sixd * kept, batch.root * mask[..., None], mask), 30.0)
    assert features.isfinite().all() and not features[:, 10:, :69].any()
    torch.testing.assert_close(features[:, :9], layout.features(batch, 30.0)[:, :9])


def test_the_published_poses_come_back_and_stand_still_on_the_floor() -> None:
    batch, layout = random_window(16), LAYOUTS["published"]
    sixd, root = layout.window(layout.features(batch, 30.0), 30.0)
    torch.testing.assert_close(sixd, batch.sixd, atol=1e-5, rtol=0)
    assert root.shape == batch.root.shape and (root == root[:, :1]).all()
    assert root[0, 0, [0, 2]].abs().max() == 0
    feet = to_motions(rot.sixd_to_matrix(sixd), root, 30.0)[0].positions[0, CONTACT_INDICES, 1]
    assert 0.02 < feet.min() < 0.08  # the lowest joint at its height above the sole


def test_a_published_window_faces_forward_whatever_it_faced() -> None:
    batch, layout = random_window(16), LAYOUTS["published"]
    yaw = rot.about_y(torch.tensor(2.0))
    columns = batch.sixd[:, :, 0].unflatten(-1, (2, 3)) @ yaw.T
    turned = Batch(torch.cat([columns.flatten(-2)[:, :, None], batch.sixd[:, :, 1:]], dim=2), batch.root, batch.mask)
    features = layout.features(turned, 30.0)
    assert (features - layout.features(batch, 30.0)).abs().max() > 0.1
    torch.testing.assert_close(layout.window(features, 30.0)[0], batch.sixd, atol=1e-5, rtol=0)


def test_published_channels_are_rows_with_z_up_and_the_right_ankle() -> None:
    batch = random_window(5)
    features = LAYOUTS["published"].features(batch, 30.0).unflatten(-1, (25, 6))[0]
    matrices = rot.sixd_to_matrix(batch.sixd)[0]
    knee = CANONICAL.index("left_knee")
    torch.testing.assert_close(features[:, knee], matrices[:, knee, :2].flatten(-2), atol=1e-5, rtol=0)
    standing = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])  # Y up to Z up
    torch.testing.assert_close(features[:, 0], (standing @ matrices[:, 0])[:, :2].flatten(-2), atol=1e-5, rtol=0)
    positions = to_motions(rot.sixd_to_matrix(batch.sixd), batch.root, 30.0)[0].positions
    ankle = positions[:, CANONICAL.index("right_ankle")] - positions[:, 0]  # the root's path is left out
    moved = (ankle - ankle[0]) @ standing.T
    torch.testing.assert_close(features[:, 24, :3], moved, atol=1e-5, rtol=0)
    assert (features[:, 24, 3:] == 0).all()


def test_padding_does_not_reach_the_features_of_real_frames() -> None:
    window = random_window(10)
    padded = Batch(
        torch.cat([window.sixd, torch.full((1, 4, 24, 6), 9.0)], dim=1),
        torch.cat([window.root, torch.full((1, 4, 3), 9.0)], dim=1),
        torch.arange(14)[None] < 10,
    )
    for layout in LAYOUTS.values():
        torch.testing.assert_close(layout.features(padded, 30.0)[:, :10], layout.features(window, 30.0))
