"""Motions under constraints: each kind is met, is not without being asked for, and is refused where no body could."""

import math
from collections.abc import Sequence
from functools import partial

import pytest
import torch

import motionclip
from motionclip.applications.direct import Constraint, Directed, Pin, PoseAt, RootPath, window
from motionclip.applications.direct.ik import Effectors, reach
from motionclip.applications.direct.posed import Place
from motionclip.applications.direct.spread import smoothed, spread
from motionclip.errors import ModelError, MotionError, SkeletonError
from motionclip.metrics.plausibility import plausibility
from motionclip.model.matcher import Matcher
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import CANONICAL, Motion, heading, turn
from motionclip.motion import rotations as rot
from motionclip.motion.contacts import CONTACT_INDICES

direct = partial(motionclip.direct, steps=8)
SECONDS = 1.5


@pytest.fixture(scope="module")
def model(tiny_model: MotionCLIP) -> MotionCLIP:
    return tiny_model


@pytest.fixture(scope="module")
def walk(model: MotionCLIP) -> Motion:
    return motionclip.text_to_motion(model, "a person walks", seconds=SECONDS)


@pytest.fixture(scope="module")
def wave(model: MotionCLIP) -> Motion:
    return motionclip.text_to_motion(model, "a person waves", seconds=SECONDS, seed=5)


def asked(model: MotionCLIP, constraints: Sequence[Constraint]) -> Directed:
    return direct(model, "a person walks", constraints, seconds=SECONDS)


def arc(radius: float, angle: float) -> list[tuple[float, float]]:
    turns = [angle * step / 6 for step in range(7)]
    return [(radius * (1 - math.cos(turn)), radius * math.sin(turn)) for turn in turns]


def test_a_path_is_followed_and_faced(model: MotionCLIP, walk: Motion) -> None:
    path = RootPath(arc(1.0, 1.2))
    found = asked(model, [path])
    assert found.errors[0] < 0.06 < 0.15 < path.error(walk)
    assert found.motion.root[-1, [0, 2]].tolist() == pytest.approx(path.points[-1], abs=0.1)
    assert heading(found.motion)[-1].item() > 0.5  # the arc leaves it at 1.2


def test_a_path_with_times_is_where_it_is_to_be_then(model: MotionCLIP) -> None:
    path = RootPath([(1, 1), (1, 1.3), (1, 2.2)], times=[0, 0.9, 1.4])
    motion = asked(model, [path]).motion
    assert motion.root[[0, 27, 42]][:, [0, 2]].flatten().tolist() == pytest.approx([1, 1, 1, 1.3, 1, 2.2], abs=0.12)


def test_a_pose_is_taken_at_its_time_wherever_the_body_is(model: MotionCLIP, walk: Motion, wave: Motion) -> None:
    elsewhere = turn(wave.frames(20, 21), torch.tensor(2.0))
    pose = PoseAt(1.0, elsewhere)
    found = asked(model, [pose])
    assert found.errors[0] < 0.02 < 0.04 < pose.error(walk)
    assert not torch.allclose(found.motion.root[30], elsewhere.root[0], atol=0.1)


def test_takes_are_chained_by_the_first_and_the_last_pose(model: MotionCLIP, walk: Motion, wave: Motion) -> None:
    before = turn(wave, torch.tensor(-1.2))
    first = PoseAt(0, before.frames(44, 45), placed=True)
    last = PoseAt(44 / 30, wave.frames(0, 1))
    found = asked(model, [first, last])
    assert max(found.errors) < 0.02 < 0.04 < min(first.error(walk), last.error(walk))
    torch.testing.assert_close(found.motion.root[0], before.root[44], atol=0.02, rtol=0)
    assert torch.diff(found.motion.positions, dim=0).norm(dim=-1).max() * 30 < 12


@pytest.mark.parametrize("joint", ["right_hand", "left_foot", "head", "pelvis"])
def test_a_joint_is_where_it_is_pinned(model: MotionCLIP, walk: Motion, joint: str) -> None:
    x, y, z = walk.positions[30, CANONICAL.index(joint)].tolist()
    pin = Pin(joint, (x + 0.12, max(y - 0.1, 0.1), z + 0.1), 1.0)
    found = asked(model, [pin])
    assert found.errors[0] < 0.01 < 0.1 < pin.error(walk)
    there = found.motion.positions[30, CANONICAL.index(joint)]
    raised = 0.026 if joint == "left_foot" else 0.0
    assert there.tolist() == pytest.approx([pin.place[0], pin.place[1] + raised, pin.place[2]], abs=0.015)  # type: ignore[operator]


def test_a_span_holds_what_it_leaves_free(model: MotionCLIP, walk: Motion) -> None:
    step = Pin("left_foot", (None, 0.2, None), 0.6, 1.2)
    motion = asked(model, [step]).motion
    foot = motion.positions[18:37, CANONICAL.index("left_foot")]
    assert (foot[:, 1] - 0.226).abs().max() < 0.01
    assert (foot - foot.mean(dim=0)).norm(dim=-1).max() < 0.01
    assert walk.positions[18:37, CANONICAL.index("left_foot"), 1].min() < 0.15


def test_constraints_hold_together(model: MotionCLIP) -> None:
    path = RootPath([(0, 0), (0.1, 0.6), (0.0, 1.2)])
    hands = [Pin("right_hand", (-0.2, 1.2, 1.1), 1.0), Pin("left_hand", (0.35, 1.1, 1.2), 1.0, 1.2)]
    found = asked(model, [path, *hands])
    assert found.errors[0] < 0.1 and max(found.errors[1:]) < 0.02


def test_a_hand_is_not_reached_by_floating(model: MotionCLIP, wave: Motion) -> None:
    found = direct(model, wave, [Pin("right_hand", (0.0, 2.4, 0.0), 1.0)])
    assert found.errors[0] > 0.05  # out of reach, and said to be
    assert plausibility(found.motion).floating_cm < 12
    lower, before = (motion.positions[:, CONTACT_INDICES, 1].amin(dim=1).mean() for motion in (found.motion, wave))
    assert lower - before < 0.02


def test_a_given_motion_is_changed_no_more_than_needed(model: MotionCLIP, wave: Motion) -> None:
    pin = Pin("left_hand", tuple(wave.positions[20, CANONICAL.index("left_hand")].tolist()), 20 / 30)
    found = direct(model, wave, [pin])
    assert found.motion.num_frames == wave.num_frames
    assert (found.motion.positions - wave.positions).norm(dim=-1).mean() < 0.06


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        (lambda: RootPath([(0, 0)]), "two or more"),
        (lambda: RootPath([(0, 0), (0, 0)]), "another place"),
        (lambda: RootPath([(0, 0), (0, 1)], times=[1, 0]), "rising"),
        (lambda: Pin("right_hand", (0, 3, 0), 1), "above the floor"),
        (lambda: Pin("right_hand", (None, None, None), 1), "x, y and z"),
        (lambda: Pin("right_hand", (0, 1, 0), 1, 0.5), "a span or a moment"),
    ],
)
def test_what_makes_no_constraint(constraint, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(MotionError, match=words):
        constraint()


@pytest.mark.parametrize(("name", "without"), [("_WORDS", 0.0), ("_DRAFTS", 1)])
def test_words_are_kept_by_the_matcher(
    model: MotionCLIP, wave: Motion, monkeypatch: pytest.MonkeyPatch, name: str, without: float
) -> None:
    torch.manual_seed(0)
    matcher = Matcher(model.config.latent_dim).eval().requires_grad_(False)
    matcher.compare_with(torch.randn(1024, model.config.latent_dim))
    matched = MotionCLIP(model.network, model.text_encoder, matcher=matcher)
    words = matched.embed_prompts(["a person walks"])

    def match(seed: int) -> float:
        pose = PoseAt(1.0, wave.frames(20, 21))
        found = direct(matched, "a person walks", [pose], seconds=SECONDS, seed=seed)
        assert found.errors[0] < 0.02
        return matched.match(found.motion.positions[None], words).item()

    kept = sum(match(seed) for seed in range(3))
    monkeypatch.setattr(window, name, without)
    assert kept > sum(match(seed) for seed in range(3))


def test_what_no_body_can_do(model: MotionCLIP) -> None:
    with pytest.raises(SkeletonError, match="tail"):
        Pin("tail", (0, 1, 0), 1)
    for constraints, words in (
        ([RootPath([(0, 0), (0, 30)])], "travels at most"),
        ([RootPath([(0, 0), (2, 0)], times=[0, 0.1])], "travels at most"),
        ([Pin("head", (0, 1.5, 0), 0.1), Pin("head", (2, 1.5, 0), 0.15)], "leave it more time"),
        ([Pin("head", (0, 1.5, 0), 2.0)], "a time inside"),
        ([RootPath([(0, 0), (1, 0)])] * 2, "two paths"),
    ):
        with pytest.raises(MotionError, match=words):
            asked(model, constraints)
    with pytest.raises(ModelError, match="one or more"):
        asked(model, [])


def test_reaching_leaves_feet_and_bones_as_they_are() -> None:
    standing = torch.tensor([[0.0, 0.947, 0.0]])
    arms_down = torch.eye(3).repeat(1, 24, 1, 1)
    for side, angle in (("left", -1.3), ("right", 1.3)):
        arms_down[:, CANONICAL.index(f"{side}_shoulder")] = rot.rotvec_to_matrix(torch.tensor([0.0, 0.0, angle]))
    body = Motion(arms_down, standing, 30, CANONICAL)
    joints = CANONICAL.indices(["right_hand", "left_ankle", "right_ankle"])
    places = body.positions[:, joints].clone()
    places[0, 0] = torch.tensor([-0.3, 1.2, 0.5])
    found = Motion(*reach(arms_down, standing, Effectors(joints, places, torch.ones(1, 3))), 30, CANONICAL)
    torch.testing.assert_close(found.positions[:, joints], places, atol=1e-4, rtol=0)
    torch.testing.assert_close(found.rotations.mT @ found.rotations, torch.eye(3).repeat(1, 24, 1, 1))


def test_spreading_keeps_what_is_known_and_fades() -> None:
    made = spread(torch.tensor([[1.0], [-2.0]]), [20, 26], 60, 10)[:, 0]
    assert made[20] == 1 and made[26] == -2 and made[:11].eq(0).all() and made[36:].eq(0).all()
    assert torch.diff(made).abs().max() < 1.2
    apart = spread(torch.tensor([[1.0], [1.0]]), [10, 50], 60, 10)[:, 0]
    assert apart[10] == apart[50] == 1 and apart[30] == 0


def test_smoothing_keeps_ends_and_even_rates() -> None:
    line = torch.arange(40.0)[:, None] * torch.tensor([1.0, -0.5])
    torch.testing.assert_close(smoothed(line, 4.0), line, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("joint", "direction"),
    [("right_hand", (0.3, 0.2, 1.0)), ("left_foot", (0.6, -0.3, 1.0)), ("head", (1.0, 0.1, 0.8))],
)
def test_a_joint_points_where_it_is_to(
    model: MotionCLIP, walk: Motion, joint: str, direction: tuple[float, float, float]
) -> None:
    turner, axis = {"right_hand": ("right_wrist", -1), "left_foot": ("left_ankle", 3), "head": ("head", 3)}[joint]
    wanted = torch.nn.functional.normalize(torch.tensor(direction), dim=0)

    def away(motion: Motion) -> float:
        pointing = motion.world[0][30, CANONICAL.index(turner), :, abs(axis) - 1] * (1 if axis > 0 else -1)
        return math.degrees(torch.acos((pointing @ wanted).clamp(-1, 1)).item())

    x, y, z = walk.positions[30, CANONICAL.index(joint)].tolist()
    pin = Pin(joint, (x, y, z) if joint == "right_hand" else (None, None, None), 1.0, direction=direction)
    found = asked(model, [pin])
    assert away(found.motion) < 6 < 15 < away(walk) and found.errors[0] < 0.015


def test_a_path_is_faced_as_it_says(model: MotionCLIP) -> None:
    line = [(0.0, 0.0), (0.0, 0.4), (0.0, 0.8)]
    sideways = asked(model, [RootPath(line, facing=90)]).motion
    assert heading(sideways).sin().mean().item() > 0.95 and sideways.root[-1, 2].item() == pytest.approx(0.8, abs=0.05)
    turned = asked(model, [RootPath(line, facing=[0, 0, 80])]).motion
    assert abs(heading(turned)[5].item()) < 0.35 and heading(turned)[-1].item() == pytest.approx(1.4, abs=0.3)


def test_a_part_of_a_path_is_where_the_whole_is() -> None:
    whole = RootPath(arc(2.0, 1.5), times=[0, 1, 2, 3, 4, 5, 6])
    part = whole.during(2.0, 4.0)
    assert part is not None and part.times is not None and part.times[0] == 0 and part.times[-1] == 2
    assert part.points[0] == pytest.approx(whole.points[2], abs=1e-3)
    assert part.points[-1] == pytest.approx(whole.points[4], abs=1e-3)
    assert part.length == pytest.approx(1.0, abs=0.02) and whole.during(6.0, 7.0) is None


def test_constraints_are_seen_from_a_place() -> None:
    place = Place(math.pi / 2, 1.0, 2.0)  # facing +X
    path = RootPath([(0, 0), (0, 1)], facing=[0, 10]).moved(place)
    assert path.points[1] == pytest.approx((2.0, 2.0), abs=1e-5) and path.facing == pytest.approx([90, 100])
    pin = Pin("head", (0.0, 1.5, 1.0), 0.0, direction=(0, 0, 1)).moved(place)
    pointing = pin.pointing
    assert pointing is not None
    torch.testing.assert_close(pointing[2], torch.tensor([1.0, 0.0, 0.0]), atol=1e-5, rtol=0)
