"""Metrics against cases whose answers are known."""

import math

import pytest
import torch

from motionclip.errors import MotionClipError
from motionclip.metrics.linear import LinearAutoEncoder
from motionclip.metrics.physics import floor_speeds, penetration
from motionclip.metrics.pose import pose_errors
from motionclip.metrics.retrieval import accuracy, retrieval
from motionclip.motion import rotations as rot


def test_pose_errors_of_known_displacements() -> None:
    turned = torch.eye(3).expand(1, 4, 2, 3, 3)
    places = torch.zeros(1, 4, 2, 3)
    other = places.clone()
    other[..., 0] = 0.5  # the whole body is elsewhere ...
    other[:, :, 1, 1] += 0.01  # ... and one of two joints 1 cm higher
    quarter = rot.about_y(torch.full((1, 4, 2), math.pi / 2))
    mask = torch.tensor([[True, True, True, False]])
    other[:, 3] = 99.0
    errors = pose_errors(quarter, other, turned, places, mask)
    assert errors.mpjpe_mm.item() == pytest.approx(5.0, abs=1e-3)
    assert errors.orientation_deg.item() == pytest.approx(90.0, abs=1e-2)
    assert errors.root_path_cm.item() == pytest.approx(50.0, abs=1e-3)


def test_retrieval_counts_ranks_and_ties_against_the_query() -> None:
    similarity = torch.tensor([[0.9, 0.1, 0.2], [0.8, 0.5, 0.1], [0.3, 0.3, 0.3]])
    found = retrieval(similarity, torch.eye(3, dtype=torch.bool))
    assert found.recall[0] == pytest.approx(100 / 3)
    assert found.median_rank == 2
    assert retrieval(similarity, torch.ones(3, 3, dtype=torch.bool)).recall[0] == 100
    assert accuracy(similarity, torch.tensor([0, 0, 0])) == pytest.approx(200 / 3)
    with pytest.raises(MotionClipError, match="NaN"):
        retrieval(similarity * float("nan"), torch.eye(3, dtype=torch.bool))


def test_skate_and_penetration() -> None:
    feet = torch.zeros(10, 1, 3)
    feet[:, 0, 0] = torch.arange(10) * 0.01
    feet[:, 0, 1] = -0.02
    standing = torch.ones(10, 1, dtype=torch.bool)
    assert floor_speeds(feet, standing, fps=30.0).mean().item() == pytest.approx(30.0, rel=1e-4)
    assert not len(floor_speeds(feet, ~standing, fps=30.0))
    assert penetration(feet) == pytest.approx(2.0, rel=1e-4)


def test_linear_autoencoder_is_exact_on_low_rank_data() -> None:
    generator = torch.Generator().manual_seed(0)
    data = torch.randn(50, 4, generator=generator) @ torch.randn(4, 30, generator=generator) + 3
    torch.testing.assert_close(LinearAutoEncoder(data, 4).reconstruct(data), data, atol=1e-4, rtol=0)
    assert (LinearAutoEncoder(data, 1).reconstruct(data) - data).abs().mean() > 0.1
