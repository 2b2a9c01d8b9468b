"""USD files, opened by Pixar's own library: its kinematics, its skinning, its validators."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from motionclip.body import Body, default_body
from motionclip.errors import FormatError
from motionclip.formats import load_rig
from motionclip.io import write_motion
from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot
from motionclip.motion.retarget import RIGS

pytest.importorskip("pxr", reason="usd-core is not installed: pip install 'motionclip[usd]'")
from pxr import Usd, UsdGeom, UsdSkel, UsdValidation

FRAMES = 7


def turning_motion() -> Motion:
    generator = torch.Generator().manual_seed(3)
    turns = torch.randn(FRAMES, 24, 3, generator=generator)
    return Motion(rot.rotvec_to_matrix(turns), torch.randn(FRAMES, 3, generator=generator), 24.0, CANONICAL)


def skinned(stage: Usd.Stage, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """Joint positions (J, 3) and vertices (V, 3) in the world at a frame, by UsdSkel."""
    root = UsdSkel.Root(stage.GetDefaultPrim())
    cache = UsdSkel.Cache()
    assert cache.Populate(root, Usd.PrimDefaultPredicate)
    (binding,) = cache.ComputeSkelBindings(root, Usd.PrimDefaultPredicate)
    skeleton = cache.GetSkelQuery(binding.GetSkeleton())
    joints = np.array(skeleton.ComputeJointSkelTransforms(frame))
    (target,) = binding.GetSkinningTargets()
    points = UsdGeom.Mesh(target.GetPrim()).GetPointsAttr().Get()
    assert target.ComputeSkinnedPoints(skeleton.ComputeSkinningTransforms(frame), points, frame)
    return joints[:, 3, :3], np.array(points)


@pytest.mark.parametrize("suffix", [".usda", ".usdc", ".usd", ".usdz"])
@pytest.mark.parametrize("rig", [None, *RIGS])
def test_joints_and_skin_are_where_ours_are_and_the_validators_are_content(
    tmp_path: Path, rig: str | None, suffix: str
) -> None:
    motion, worn = turning_motion(), None if rig is None else load_rig(rig)
    write_motion(motion, tmp_path / f"motion{suffix}", worn)
    assert [file.name for file in tmp_path.iterdir()] == [f"motion{suffix}"]
    stage = Usd.Stage.Open(str(tmp_path / f"motion{suffix}"))
    expected = motion if worn is None else worn.fitted(motion)
    body = default_body() if worn is None else worn.skin
    assert isinstance(body, Body)
    for frame in (0, 4, 6):
        joints, vertices = skinned(stage, frame)
        assert np.abs(joints - expected.positions[frame].numpy()).max() < 1e-5
        assert np.abs(vertices - body.pose(expected)[frame].numpy()).max() < 2e-5
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    assert len(validators) > 20
    assert [error.GetMessage() for error in UsdValidation.ValidationContext(validators).Validate(stage)] == []


def test_units_rate_names_and_extent(tmp_path: Path) -> None:
    motion = turning_motion()
    write_motion(motion, tmp_path / "motion.usda", load_rig("mixamo"))
    stage = Usd.Stage.Open(str(tmp_path / "motion.usda"))
    assert UsdGeom.GetStageUpAxis(stage) == "Y" and UsdGeom.GetStageMetersPerUnit(stage) == 1
    assert (stage.GetTimeCodesPerSecond(), stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (24, 0, FRAMES - 1)
    skeleton = UsdSkel.Skeleton.Get(stage, "/Character/Skeleton")
    assert skeleton.GetJointNamesAttr().Get()[0] == "mixamorig:Hips"
    assert skeleton.GetJointsAttr().Get()[1] == "mixamorig_Hips/mixamorig_LeftUpLeg"
    low, high = np.array(UsdGeom.Boundable(stage.GetDefaultPrim()).GetExtentAttr().Get())
    vertices = default_body().pose(motion).flatten(0, 1).numpy()
    assert (low <= vertices.min(0)).all() and (high >= vertices.max(0)).all()
    assert (high - low < np.ptp(vertices, axis=0) + 1.5).all()


def test_without_the_package_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pxr", None)
    with pytest.raises(FormatError, match=r"usd-core; expected it, by pip install 'motionclip\[usd\]'"):
        write_motion(turning_motion(), tmp_path / "motion.usdc")
    assert list(tmp_path.iterdir()) == []
