"""Retargeting of real files: what the names say is what is seen."""

from pathlib import Path

import pytest
import torch

from motionclip.formats.asf_amc import read_amc
from motionclip.formats.bvh import read_bvh
from motionclip.motion import CANONICAL, Motion, canonicalize_heading
from motionclip.motion.contacts import foot_contacts
from motionclip.motion.retarget import retarget, retarget_report

TAKES = {
    "walk": "dataset/Bandai-Namco-Research-Motiondataset-1/data/dataset-1_walk_normal_001.bvh",
    "raise right": "dataset/Bandai-Namco-Research-Motiondataset-2/data/dataset-2_raise-up-right-hand_normal_001.bvh",
    "raise left": "dataset/Bandai-Namco-Research-Motiondataset-2/data/dataset-2_raise-up-left-hand_normal_001.bvh",
    "asf walk": "cmu/02/02_01.amc",
    "tilted floor": "cmu/07/07_05.amc",
    "cgspeed dribble": "cmu/06/06_02.bvh",
    "cgspeed 131": "cmu/131/131_02.bvh",
    "daz dance": "cmu/60/60_01.bvh",
}


def read(take: str, folder: Path) -> Motion:
    path = folder / TAKES[take]
    motion = (
        read_amc(path) if path.suffix == ".amc" else read_bvh(path, fps=30.0 if "dataset" in TAKES[take] else 120.0)
    )
    return motion.frames(20, min(motion.num_frames, 1500)) if "daz" in take else motion


def joint(motion: Motion, name: str) -> torch.Tensor:
    return motion.positions[:, CANONICAL.index(name)]


@pytest.mark.parametrize("take", TAKES)
def test_limbs_point_as_in_the_source_and_bend_as_limbs_do(take: str, real_data: Path) -> None:
    source = read(take, real_data)
    target = retarget(source)
    report = retarget_report(source, target)
    assert report.limb_max < 0.01
    assert report.trunk_max < 2.0
    assert abs(report.foot_height) < 0.005
    assert report.flips == 0
    world = target.world[0]
    for side in ("left", "right"):
        shin = (joint(target, f"{side}_ankle") - joint(target, f"{side}_knee"))[..., None]
        behind = (world[:, CANONICAL.index(f"{side}_hip")].mT @ shin)[:, 2, 0]
        assert behind.max() < 0.05  # knees bend backward ...
        forearm = (joint(target, f"{side}_wrist") - joint(target, f"{side}_elbow"))[..., None]
        ahead = (world[:, CANONICAL.index(f"{side}_shoulder")].mT @ forearm)[:, :, 0]
        assert ahead[:, 2].min() > -0.05  # ... elbows forward ...
        assert ahead[:, 1].abs().max() < 0.05  # ... and about one axis only


@pytest.mark.parametrize("take", ["walk", "asf walk", "tilted floor"])
def test_a_walk_goes_where_the_body_faces_with_its_feet_on_the_floor(take: str, real_data: Path) -> None:
    walk = canonicalize_heading(retarget(read(take, real_data)))
    travelled = walk.root[-1] - walk.root[0]
    assert travelled[2] > 2
    assert travelled[0].abs() < 0.25 * travelled[2]
    contacts = foot_contacts(walk.positions, walk.fps)
    assert contacts.any(dim=1).float().mean() > 0.85
    touching = joint(walk, "left_foot")[contacts[:, 1], 1]
    assert 0 < touching.median() < 0.06
    assert touching.std() < 0.02


@pytest.mark.parametrize("take", ["walk", "asf walk", "raise right"])
def test_a_standing_sole_is_flat_and_toes_point_forward(take: str, real_data: Path) -> None:
    motion = canonicalize_heading(retarget(read(take, real_data)))
    contacts = foot_contacts(motion.positions, motion.fps, clearance=0.03, speed=0.15)
    for side, columns in (("left", [0, 1]), ("right", [2, 3])):
        flat = contacts[:, columns].all(dim=1)
        assert flat.sum() > 3
        foot = motion.world[0][flat][:, CANONICAL.index(f"{side}_ankle")]
        assert foot[:, 1, 1].median() > 0.97
        assert foot[:, 2, 2].median() > 0.8


def test_right_is_right(real_data: Path) -> None:
    for take, up, down in (("raise right", "right_wrist", "left_wrist"), ("raise left", "left_wrist", "right_wrist")):
        raised = canonicalize_heading(retarget(read(take, real_data)))
        rise = joint(raised, up)[:, 1].max() - joint(raised, up)[0, 1]
        assert rise > 0.5
        assert joint(raised, down)[:, 1].max() - joint(raised, down)[0, 1] < 0.2
        assert (joint(raised, "right_wrist")[0, 0] < -0.1) and (joint(raised, "left_wrist")[0, 0] > 0.1)
