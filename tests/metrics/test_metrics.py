"""Metrics against cases whose answers are known."""

import math

import pytest
import torch

from motionclip.body import default_body
from motionclip.errors import MotionClipError
from motionclip.metrics.distribution import diversity, frechet_distance, halves_distance, multimodality
from motionclip.metrics.physics import depths_below, floor_speeds, jerk, physics
from motionclip.metrics.recognition import recognition
from motionclip.metrics.reconstruction import PCABaseline, PosedWindows, PoseErrors, mpjpe, pose_errors, posed
from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot

FPS = 30.0


def random_windows(seed: int) -> PosedWindows:
    generator = torch.Generator().manual_seed(seed)
    sixd = rot.matrix_to_sixd(rot.rotvec_to_matrix(0.3 * torch.randn(2, 8, 24, 3, generator=generator)))
    return posed(sixd, torch.randn(2, 8, 3, generator=generator))


def test_pose_errors_of_known_displacements() -> None:
    turned = torch.eye(3).expand(1, 4, 24, 3, 3)
    places = CANONICAL.rest_positions.expand(1, 4, 24, 3)
    other = places + torch.tensor([0.5, 0.0, 0.0])  # the whole body is elsewhere ...
    other[:, :, 1, 1] += 0.24  # ... and one of 24 joints 24 cm higher
    quarter = rot.about_y(torch.full((1, 4, 24), math.pi / 2))
    mask = torch.tensor([[True, True, True, False]])
    other[:, 3] = 99.0
    errors = pose_errors(PosedWindows(quarter, quarter, other), PosedWindows(turned, turned, places), mask, FPS)
    assert errors.mpjpe_mm.item() == pytest.approx(10.0, abs=1e-3)
    assert errors.orientation_deg.item() == pytest.approx(90.0, abs=1e-2)
    assert errors.root_path_cm.item() == pytest.approx(50.0, abs=1e-3)
    assert errors.velocity_cm_s.item() == pytest.approx(0.0, abs=1e-3)


def test_procrustes_takes_away_turn_and_size_of_each_frame_and_nothing_else() -> None:
    true = random_windows(0)
    turns = rot.rotvec_to_matrix(torch.randn(2, 8, 1, 3, generator=torch.Generator().manual_seed(1)))
    points = 1.3 * (turns @ true.aligned[..., None])[..., 0] + 2.0
    moved = PosedWindows(true.rotations, true.world, points)
    mask = torch.ones(2, 8, dtype=torch.bool)
    errors = pose_errors(moved, true, mask, FPS)
    assert errors.pa_mpjpe_mm.max() < 0.01 and errors.mpjpe_mm.min() > 100
    bent = pose_errors(random_windows(2), true, mask, FPS)
    assert (bent.pa_mpjpe_mm > 10).all() and (bent.pa_mpjpe_mm < bent.mpjpe_mm).all()
    torch.testing.assert_close(mpjpe(moved, true, mask), errors.mpjpe_mm)


def test_velocity_and_acceleration_errors_leave_padding_out() -> None:
    turned = torch.eye(3).expand(1, 5, 24, 3, 3)
    time = torch.arange(5) / FPS
    still = CANONICAL.rest_positions.expand(1, 5, 24, 3)
    falling = still.clone()
    falling[0, :, 1:, 1] += 5 * time[:, None] ** 2  # 10 m/s^2, the root held
    falling[0, 4] = 7.0
    mask = torch.tensor([[True, True, True, True, False]])
    errors = pose_errors(PosedWindows(turned, turned, falling), PosedWindows(turned, turned, still), mask, FPS)
    share = 23 / 24  # of joints that fall
    assert errors.acceleration_m_s2.item() == pytest.approx(10 * share, rel=1e-3)
    assert errors.velocity_cm_s.item() == pytest.approx(share * 500 * 3 / FPS, rel=1e-3)  # mean of 1, 3, 5 over 2 fps


def test_vertex_error_is_that_of_skinned_vertices() -> None:
    made, true = random_windows(3), random_windows(4)
    mask = torch.tensor([[True] * 8, [True] * 5 + [False] * 3])
    body = default_body()
    vertices = [body.skin(each.world, torch.zeros_like(each.positions[:, :, 0])) for each in (made, true)]
    square = (vertices[0] - vertices[1]).square().sum(-1).mean(-1)  # (B, T)
    plain = torch.stack([square[0].mean(), square[1, :5].mean()]).sqrt() * 1000
    torch.testing.assert_close(pose_errors(made, true, mask, FPS).vertex_mm, plain, rtol=1e-4, atol=1e-3)


def test_errors_of_several_batches_are_joined() -> None:
    mask = torch.ones(2, 8, dtype=torch.bool)
    parts = [pose_errors(random_windows(seed), random_windows(9), mask, FPS) for seed in (1, 2)]
    joined = PoseErrors.joined(parts)
    torch.testing.assert_close(joined.vertex_mm, torch.cat([part.vertex_mm for part in parts]))


def test_recognition_of_known_rows() -> None:
    similarity = torch.tensor([[0.9, 0.1, 0.2], [0.8, 0.5, 0.1], [0.1, 0.3, 0.3], [0.9, 0.2, 0.1]])
    right = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]]).bool()
    found = recognition("content", similarity, right)
    assert (found.clips, found.classes) == (4, 3)
    assert found.top1.value == pytest.approx(50)  # the third ties with a wrong label
    assert found.class_mean.value == pytest.approx(100 / 3)  # 2 of 2, 0 of 1, 0 of 1
    assert found.top5.value == 100
    assert found.top1.chance == pytest.approx(100 / 3) and found.top5.chance == 100
    assert 0 <= found.top1.low < 50 < found.top1.high <= 100
    assert recognition("content", similarity, right) == found


def test_any_of_several_right_labels_counts_once() -> None:
    similarity = torch.tensor([[0.9, 0.1, 0.2, 0.0], [0.9, 0.1, 0.2, 0.0]])
    right = torch.tensor([[1, 1, 0, 0], [0, 1, 1, 0]]).bool()
    found = recognition("BABEL-4", similarity, right)
    assert found.top1.value == 50 and found.top1.chance == pytest.approx(50)
    assert found.class_mean.value == pytest.approx(100 / 3)  # 1 of 1, 0 of 2, 0 of 1; the fourth does not occur


def test_intervals_shrink_with_the_number_of_clips() -> None:
    def width(count: int) -> float:
        truth = torch.arange(count) % 2
        found = recognition("x", torch.tensor([[1.0, 0.0]]).repeat(count, 1), torch.nn.functional.one_hot(truth).bool())
        assert found.top1.low < 50 < found.top1.high
        return found.top1.high - found.top1.low

    assert width(40) == pytest.approx(2 * 1.96 * 50 / 40**0.5, rel=0.15)  # of a binomial share of one half
    assert width(1000) < 0.3 * width(40)


def test_frechet_distance_of_known_normals() -> None:
    generator = torch.Generator().manual_seed(0)
    cloud = torch.randn(500, 6, generator=generator)
    assert frechet_distance(cloud, cloud) == pytest.approx(0.0, abs=1e-5)
    assert frechet_distance(cloud, cloud + 2) == pytest.approx(24.0, rel=1e-4)
    assert frechet_distance(cloud, 3 * cloud) == pytest.approx(
        (4 * cloud.double().T.cov().trace() + 4 * cloud.double().mean(dim=0).square().sum()).item(), rel=1e-4
    )
    turned = cloud @ torch.linalg.qr(torch.randn(6, 6, generator=generator))[0] * torch.arange(1, 7)
    # an independent way: the eigenvalues of the product of the covariances, which is not symmetric
    first, second = cloud.double().T.cov(), turned.double().T.cov()
    root = torch.linalg.eigvals(first @ second).real.sqrt().sum()
    apart = (cloud.double().mean(0) - turned.double().mean(0)).square().sum()
    expected = (apart + first.trace() + second.trace() - 2 * root).item()
    assert frechet_distance(cloud, turned) == pytest.approx(expected, rel=1e-6)
    with pytest.raises(MotionClipError, match="two or more"):
        frechet_distance(cloud, cloud[:1])


def test_halves_of_one_cloud_are_nearer_than_those_of_two() -> None:
    generator = torch.Generator().manual_seed(0)
    cloud = torch.randn(200, 6, generator=generator)
    floor = halves_distance(cloud, cloud)
    assert 0 < floor < halves_distance(cloud + 1, cloud)
    assert floor == halves_distance(cloud, cloud)


def test_diversity_and_multimodality() -> None:
    corners = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
    assert diversity(corners) == pytest.approx((3 + 4 + 5) / 3)
    assert multimodality(torch.stack([corners, 0 * corners])) == pytest.approx(2.0)


def test_skate_penetration_and_jerk() -> None:
    feet = torch.zeros(10, 1, 3)
    feet[:, 0, 0] = torch.arange(10) * 0.01
    feet[:, 0, 1] = -0.02
    standing = torch.ones(10, 1, dtype=torch.bool)
    assert floor_speeds(feet, standing, fps=FPS).mean().item() == pytest.approx(30.0, rel=1e-4)
    assert not len(floor_speeds(feet, ~standing, fps=FPS))
    assert depths_below(feet).tolist() == pytest.approx([2.0] * 10, rel=1e-4)
    time = torch.arange(8)[:, None, None] / FPS
    assert jerk(torch.cat([time**3, 0 * time, time], dim=-1), FPS).mean().item() == pytest.approx(6.0, rel=1e-2)


def test_physics_of_a_standing_and_a_sliding_body() -> None:
    def body(height: float, speed: float, frames: int = 12) -> Motion:
        lowest = -CANONICAL.rest_positions[CANONICAL.index("left_ankle"), 1].item() + 0.074
        root = torch.tensor([[speed * frame / FPS, lowest + height, 0.0] for frame in range(frames)])
        return Motion(torch.eye(3).expand(frames, 24, 3, 3), root, FPS, CANONICAL)

    found = physics([body(0.0, 0.0)])
    assert found.skate_cm_s == pytest.approx(0, abs=1e-3) and found.penetration_cm == pytest.approx(0, abs=0.05)
    sliding = physics([body(-0.03, 0.5)])
    assert sliding.skate_cm_s == pytest.approx(50, rel=1e-3) and sliding.penetration_cm == pytest.approx(3, abs=0.1)
    assert physics([body(1.0, 0.5, frames=2)]).skate_cm_s == 0  # never on the floor, too short for a jerk


def test_linear_autoencoder_is_exact_on_low_rank_data() -> None:
    generator = torch.Generator().manual_seed(0)
    data = torch.randn(50, 4, generator=generator) @ torch.randn(4, 30, generator=generator) + 3
    torch.testing.assert_close(PCABaseline(data, 4).reconstruct(data), data, atol=1e-4, rtol=0)
    assert (PCABaseline(data, 1).reconstruct(data) - data).abs().mean() > 0.1
