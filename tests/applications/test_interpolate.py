"""Motions between two: the ends are the ends, both paths go the same way, each at its own pace."""

import pytest
import torch
from torch.nn import functional as F

import motionclip
from motionclip.applications import DEFAULT_GUIDANCE
from motionclip.applications.edit import meanings
from motionclip.applications.interpolate import _great_circle, interpolate
from motionclip.applications.text_to_motion import latents_of
from motionclip.encoders import load_text_encoder
from motionclip.errors import ModelError
from motionclip.model.checkpoint import Network
from motionclip.model.pipeline import MotionCLIP
from motionclip.training.config import PRESETS

WALK, WAVE = "a person walks", "a person waves"


@pytest.fixture(scope="module")
def model(tiny_model: MotionCLIP) -> MotionCLIP:
    return tiny_model


@pytest.mark.parametrize("path", ["sphere", "straight"])
def test_the_ends_are_the_two_motions(model: MotionCLIP, path: str) -> None:
    steps = interpolate(model, WALK, WAVE, 4, path=path, seconds=1)  # type: ignore[arg-type]
    assert [step.num_frames for step in steps] == [30] * 4
    ends = model.decode(latents_of(model, [WALK, WAVE], 1.0), 1.0)
    for step, end in zip((steps[0], steps[-1]), ends, strict=True):
        torch.testing.assert_close(step.positions, end.positions, atol=1e-3, rtol=0)


def test_a_motion_is_an_end_too_and_gives_the_length(model: MotionCLIP) -> None:
    wave = motionclip.text_to_motion(model, WAVE, seconds=1.5)
    steps = interpolate(model, WALK, wave, 2)
    assert steps[0].num_frames == wave.num_frames
    seen = model.decode(model.encode([wave]), 1.5)[0]
    torch.testing.assert_close(steps[-1].positions, seen.positions, atol=1e-3, rtol=0)


def test_steps_on_the_sphere_are_equal_angles(model: MotionCLIP) -> None:
    ends = latents_of(model, [WALK, WAVE], 1.0)
    way = _great_circle(*ends, torch.linspace(0, 1, 6)[:, None])
    torch.testing.assert_close(way.norm(dim=-1), torch.ones(6))
    angles = (way[1:] * way[:-1]).sum(dim=-1).acos()
    torch.testing.assert_close(angles, angles.mean().expand(5), atol=1e-3, rtol=0)


def test_straight_lines_of_the_plane_are_great_circles(model: MotionCLIP) -> None:
    first, last = latents_of(model, [WALK, WAVE], 1.0)
    way = model.from_tangent(
        torch.lerp(model.to_tangent(first), model.to_tangent(last), torch.linspace(0, 1, 6)[:, None])
    )
    across = F.normalize(last - (first @ last) * first, dim=-1)
    in_their_plane = (way @ first).square() + (way @ across).square()
    torch.testing.assert_close(in_their_plane, torch.ones(6))


def test_the_papers_latents_are_mixed_as_they_are() -> None:
    torch.manual_seed(0)
    paper = MotionCLIP(Network(PRESETS["paper"].model.with_text_encoder("minilm", 384)), load_text_encoder("minilm"))
    ends = latents_of(paper, [WALK, WAVE], 1.0)
    (_, middle, _) = interpolate(paper, WALK, WAVE, 3, path="straight", seconds=1)
    expected = paper.decode(ends.mean(dim=0, keepdim=True), 1.0)[0]
    torch.testing.assert_close(middle.positions, expected.positions, atol=1e-4, rtol=0)
    (_, middle, _) = interpolate(paper, WALK, WAVE, 3, seconds=1)
    norm = ends.norm(dim=-1).mean()
    expected = paper.decode(norm * F.normalize(F.normalize(ends, dim=-1).mean(dim=0, keepdim=True), dim=-1), 1.0)[0]
    torch.testing.assert_close(middle.positions, expected.positions, atol=1e-4, rtol=0)


def test_the_same_motion_twice_stays(model: MotionCLIP) -> None:
    first, middle, last = interpolate(model, WALK, WALK, 3, seconds=1)
    torch.testing.assert_close(middle.positions, first.positions, atol=1e-4, rtol=0)
    torch.testing.assert_close(last.positions, first.positions, atol=1e-4, rtol=0)


def test_the_meaning_of_words_is_a_mean_of_motions(model: MotionCLIP) -> None:
    wave = motionclip.text_to_motion(model, WAVE, seconds=1)
    points = meanings(model, [WALK, wave], 1.0, draws=3)
    drawn = model.sample(model.embed_text([WALK]), 1.0, guidance=DEFAULT_GUIDANCE, seed=0, draws=3)
    torch.testing.assert_close(points[0], model.to_tangent(drawn).mean(dim=0), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(points[1], model.to_tangent(model.encode([wave]))[0])


@pytest.mark.parametrize(("steps", "path"), [(1, "sphere"), (0, "sphere"), (3, "round")])
def test_what_is_no_path_is_refused(model: MotionCLIP, steps: int, path: str) -> None:
    with pytest.raises(ModelError, match="expected"):
        interpolate(model, WALK, WAVE, steps, path=path)  # type: ignore[arg-type]
