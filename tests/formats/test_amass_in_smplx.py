"""Our AMASS files in smplx, the reference implementation of the body models, on model files made of nothing but joints.

smplx is under a licence of its own and never installed here: `pip install --no-deps --target DIR smplx==0.1.28`, then
`PYTHONPATH=DIR pytest tests/formats/test_amass_in_smplx.py`. Its models' files are gated; these stand-ins have their
layout, our skeleton's joints and no shape, so that its kinematics must put the joints where ours are.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from motionclip.formats.amass import Layout, write_amass
from motionclip.motion import CANONICAL, Motion
from motionclip.motion import rotations as rot

smplx = pytest.importorskip("smplx", reason="smplx is not installed; see the first lines of this file")

PELVIS = (0.02, -0.24, 0.03)
VERTICES = 6890  # smplx names single vertices of the mesh as further joints
BODY = 22


def model_arrays(joints: int) -> SimpleNamespace:
    """A model file's arrays: vertex j is joint j; joints beyond the body's hang on the wrists."""
    rest = np.zeros((joints, 3))
    known = min(joints, BODY if joints > 24 else 24)
    rest[:known] = CANONICAL.rest_positions[:known].numpy() + np.array(PELVIS)
    hands = [20] * ((joints - known) // 2) + [21] * ((joints - known) // 2)
    parents = [*CANONICAL.parents[:known], *hands]
    template = np.zeros((VERTICES, 3))
    template[:joints] = rest
    weights = np.zeros((VERTICES, joints))
    weights[:, 0] = 1
    return SimpleNamespace(
        v_template=template,
        shapedirs=np.zeros((VERTICES, 3, 10)),
        posedirs=np.zeros((VERTICES, 3, 9 * (joints - 1))),
        J_regressor=np.eye(joints, VERTICES),
        kintree_table=np.array([parents, list(range(joints))]),
        weights=weights,
        f=np.zeros((1, 3), dtype=np.int64),
        hands_componentsl=np.eye(45),
        hands_componentsr=np.eye(45),
        hands_meanl=np.zeros(45),
        hands_meanr=np.zeros(45),
    )


def turning_motion(frames: int = 20) -> Motion:
    generator = torch.Generator().manual_seed(5)
    turns = torch.randn(frames, 24, 3, generator=generator) * 0.7
    turns[:, 22:] = 0  # hands, which SMPL-H does not have
    return Motion(rot.rotvec_to_matrix(turns), torch.randn(frames, 3, generator=generator), 30.0, CANONICAL)


def joints_in_smplx(path: Path, layout: Layout) -> np.ndarray:
    """Positions (T, 22, 3) that smplx computes from a file, turned from its Z up to ours."""
    stored = {name: torch.from_numpy(value).float() for name, value in numbers(path).items()}
    poses, common = stored["poses"], {"transl": stored["trans"], "betas": torch.zeros(len(stored["poses"]), 10)}
    if layout == "smpl":
        model = smplx.SMPL("", data_struct=model_arrays(24), batch_size=len(poses))
        output = model(global_orient=poses[:, :3], body_pose=poses[:, 3:], **common)
    else:
        model = smplx.SMPLH("", data_struct=model_arrays(52), batch_size=len(poses), use_pca=False, flat_hand_mean=True)
        hands = {"left_hand_pose": poses[:, 66:111], "right_hand_pose": poses[:, 111:]}
        output = model(global_orient=poses[:, :3], body_pose=poses[:, 3:66], **hands, **common)
    found = output.joints[:, :BODY].detach().numpy()
    return np.stack([found[..., 0], found[..., 2], -found[..., 1]], axis=-1)


def numbers(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in ("poses", "trans")}


@pytest.mark.parametrize("layout", ["smpl", "smplh"])
def test_smplx_puts_the_joints_where_ours_are(tmp_path: Path, layout: Layout) -> None:
    motion = turning_motion()
    write_amass(motion, tmp_path / "motion.npz", layout=layout, pelvis=PELVIS)
    found = joints_in_smplx(tmp_path / "motion.npz", layout)
    assert np.abs(found - motion.positions[:, :BODY].numpy()).max() < 1e-5


def test_without_the_models_pelvis_the_body_stands_beside_by_that_vector(tmp_path: Path) -> None:
    motion = turning_motion()
    write_amass(motion, tmp_path / "motion.npz")
    away = joints_in_smplx(tmp_path / "motion.npz", "smplh") - motion.positions[:, :BODY].numpy()
    assert np.abs(away - [PELVIS[0], PELVIS[2], -PELVIS[1]]).max() < 1e-5
