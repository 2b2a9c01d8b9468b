"""The weights in the package: small, described, and as good on real takes as the documents say."""

import json
from pathlib import Path

import pytest
import torch

import motionclip
from motionclip.applications.familiarity import familiarity
from motionclip.data import canonical_sentences
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import CANONICAL, crop
from motionclip.motion import rotations as rot

PACKAGE = Path(motionclip.__file__).parent
SHARED_SPLITS = Path(__file__).parents[2] / "shared" / "data" / "splits.json"


@pytest.fixture(scope="module")
def model() -> MotionCLIP:
    return motionclip.load("base")


@pytest.fixture(scope="module", params=["base", "open"])
def any_model(request: pytest.FixtureRequest) -> MotionCLIP:
    return motionclip.load(request.param)


@pytest.mark.parametrize(("name", "terms"), [("base", "CC BY-NC 4.0"), ("open", "Commercial use is allowed")])
def test_weights_are_small_and_their_terms_are_said(name: str, terms: str) -> None:
    folder = PACKAGE / "weights" / name
    assert max(path.stat().st_size for path in folder.iterdir()) < 25_000_000
    card = (folder / "MODEL_CARD.md").read_text()
    assert terms in card and "NSF EIA-0196217" in card and "ACCAD" in card


def test_a_walk_travels_and_stays_upright(any_model: MotionCLIP) -> None:
    walk = motionclip.text_to_motion(any_model, "a person walks", seconds=4)
    head, pelvis = (walk.positions[:, CANONICAL.index(name)] for name in ("head", "pelvis"))
    assert (walk.root[-1] - walk.root[0])[[0, 2]].norm() > 1.2
    assert ((head - pelvis)[:, 1] > 0.4).all()
    assert walk.positions[..., 1].min() > -0.05


def test_one_sits_down_and_stands_up_as_asked(any_model: MotionCLIP) -> None:
    down, up = motionclip.text_to_motion(any_model, ["sit down", "stand up from a seat"])
    assert down.root[-5:, 1].mean() < down.root[:5, 1].mean() - 0.15
    assert up.root[-5:, 1].mean() > up.root[:5, 1].mean() + 0.15


def test_words_far_from_all_that_was_learned_are_told_from_near_ones(any_model: MotionCLIP) -> None:
    walk, crouch, rates, keys = familiarity(
        any_model, ["someone is walking", "crouch down low", "mortgage rates of 2019", "qqq wwww eeee"]
    )
    assert walk.is_known and crouch.is_known
    assert not rates.is_known and not keys.is_known


def test_hands_go_where_the_words_say(model: MotionCLIP) -> None:
    left, right = motionclip.text_to_motion(model, ["wave with the left hand", "wave with the right hand"])
    for motion, up, down in ((left, "left", "right"), (right, "right", "left")):
        raised, other = (motion.positions[:, CANONICAL.index(f"{side}_wrist"), 1] for side in (up, down))
        assert raised.median() > other.median() + 0.3


def test_limbs_do_not_snap(model: MotionCLIP) -> None:
    for motion in motionclip.text_to_motion(model, ["a person runs", "dance", "kick"]):
        turns = rot.geodesic_angle(motion.rotations[1:], motion.rotations[:-1])
        assert torch.rad2deg(turns).max() < 40


@pytest.mark.parametrize("take", ["walk_elderly", "run_normal", "wave-both-hands_active"])
def test_real_takes_of_the_test_split_find_their_sentence(model: MotionCLIP, take: str, real_data: Path) -> None:
    (path,) = real_data.rglob(f"dataset-2_{take}_007.bvh")
    known = canonical_sentences(2)
    motion = motionclip.read_motion(path)
    latent = model.encode([crop(motion, 0, min(motion.duration, model.max_seconds))])
    nearest = (latent @ model.embed_text([sentence for _, _, sentence in known]).T).argmax()
    assert "_".join(known[nearest][:2]) == take


@pytest.mark.skipif(not SHARED_SPLITS.is_file(), reason="the shared splits are not here")
def test_the_splits_are_the_shared_ones() -> None:
    assert json.loads((PACKAGE / "data" / "splits.json").read_text()) == json.loads(SHARED_SPLITS.read_text())
