"""The matcher: what it measures of a motion, what it says of takes, its file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from motionclip.applications.text_to_motion import decode_takes, prompts_of, ranked_takes, text_to_motion
from motionclip.errors import ModelError
from motionclip.model.matcher import FILE, Matcher, figures_of, load_matcher
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion, mirror, turn

SIZE = 32


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    torch.manual_seed(0)
    made = Matcher(SIZE).eval().requires_grad_(False)
    made.compare_with(torch.randn(1024, SIZE))
    return made


@pytest.fixture(scope="module")
def walk(tiny_model: MotionCLIP) -> Motion:
    return text_to_motion(tiny_model, "a person walks", seconds=2)


def figures(motion: Motion) -> torch.Tensor:
    positions = motion.positions[None]
    return figures_of(positions, torch.ones(positions.shape[:2], dtype=torch.bool), motion.fps)[0]


def test_figures_do_not_depend_on_where_a_motion_stands_and_what_it_faces(walk: Motion) -> None:
    turned = turn(walk, torch.tensor(1.2))
    moved = Motion(turned.rotations, turned.root + torch.tensor([3.0, 0.0, -2.0]), walk.fps, walk.skeleton)
    torch.testing.assert_close(figures(moved), figures(walk), atol=2e-3, rtol=0)
    assert (figures(mirror(walk)) - figures(walk)).abs().max() > 0.05


def test_padding_changes_nothing(walk: Motion) -> None:
    positions, frames = walk.positions[None], walk.num_frames
    padded = torch.cat([positions, 5 * torch.randn(1, 40, *positions.shape[2:])], dim=1)  # above and below what is real
    mask = torch.arange(frames + 40)[None] < frames
    torch.testing.assert_close(figures_of(padded, mask, walk.fps)[0], figures(walk), atol=1e-4, rtol=0)


def test_it_survives_a_file(matcher: Matcher, walk: Motion, tmp_path: Path) -> None:
    matcher.save(tmp_path)
    back = load_matcher(tmp_path, SIZE)
    assert back is not None
    positions = walk.positions[None]
    given = positions, torch.ones(positions.shape[:2], dtype=torch.bool), torch.randn(1, SIZE), walk.fps
    torch.testing.assert_close(back(*given), matcher(*given), atol=0.05, rtol=0.01)
    assert load_matcher(tmp_path / "elsewhere", SIZE) is None


@pytest.mark.parametrize("damage", ["size", "names", "garbage"])
def test_a_damaged_file_is_named(matcher: Matcher, tmp_path: Path, damage: str) -> None:
    matcher.save(tmp_path)
    if damage == "garbage":
        (tmp_path / FILE).write_bytes(b"no tensors here")
    elif damage == "names":
        save_file({"mean": torch.zeros(3)}, tmp_path / FILE)
    with pytest.raises(ModelError, match=FILE):
        load_matcher(tmp_path, SIZE + (damage == "size"))


def test_takes_are_ranked_by_it(tiny_model: MotionCLIP) -> None:
    plain = MotionCLIP(tiny_model.network, tiny_model.text_encoder)
    prompts = prompts_of(plain, ["a person walks"])
    matcher = Matcher(plain.config.latent_dim).eval().requires_grad_(False)
    matcher.compare_with(torch.randn(1024, plain.config.latent_dim))
    with_it = MotionCLIP(tiny_model.network, tiny_model.text_encoder, matcher=matcher)
    takes = ranked_takes(plain, prompts, 1.0, seed=3, guidance=1.5, takes=4)
    before, after = (decode_takes(model, takes, 1.0)[0] for model in (plain, with_it))
    matches = with_it.match(torch.stack([take.motion.positions for take in after]), prompts.latents.expand(4, -1))
    expected = [take.quality + 0.2 * match for take, match in zip(before, matches.tolist(), strict=True)]
    assert [take.quality for take in after] == pytest.approx(expected, abs=1e-5)
    assert matches.std() > 0


@pytest.mark.slow
def test_the_shipped_one_tells_what_a_motion_does(base_model: MotionCLIP) -> None:
    """A motion that stands still matches standing better than jumping, a jump the other way round."""
    words = base_model.embed_prompts(["a person stands still", "a person jumps up high"])
    stands, jumps = (text_to_motion(base_model, text, seed=1) for text in ("a person stands still", "jump up"))
    assert base_model.matcher is not None
    stand_stand, stand_jump = base_model.match(stands.positions.expand(2, -1, -1, -1), words)
    jump_stand, jump_jump = base_model.match(jumps.positions.expand(2, -1, -1, -1), words)
    assert stand_stand - stand_jump > 1 and jump_jump - jump_stand > 1
