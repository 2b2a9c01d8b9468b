"""SMPL files, without any: tiny ones in their layout, as .npz and as pickles of their makers' kind."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from motionclip.body import default_body, load_body, load_smpl
from motionclip.errors import FormatError
from motionclip.motion import CANONICAL, Motion
from smpl_files import save_npz, save_pickle

VERTICES = 30


def layout(scale: float = 1.1, joints: int = 24) -> dict[str, Any]:
    """Arrays in SMPL's layout: a cloud of points whose first 24 are the joints themselves."""
    rng = np.random.default_rng(0)
    places = CANONICAL.rest_positions.double().numpy() * scale + [0.0, -0.2, 0.05]
    template = np.concatenate([places, rng.normal(size=(VERTICES - 24, 3))])
    weights = rng.random((VERTICES, joints))
    parents = np.array([4294967295, *CANONICAL.parents[1:], *range(24, joints)][:joints], dtype=np.uint32)
    return {
        "v_template": template,
        "weights": weights / weights.sum(1, keepdims=True),
        "f": np.arange(VERTICES, dtype=np.uint32).reshape(-1, 3),
        "J_regressor": np.eye(joints, VERTICES),
        "kintree_table": np.stack([parents, np.arange(joints, dtype=np.uint32)]),
        "shapedirs": np.zeros((VERTICES, 3, 10)),
    }


def test_npz(tmp_path: Path) -> None:
    stored = layout()
    body = load_smpl(save_npz(tmp_path / "SMPL_NEUTRAL.npz", stored))
    assert body.skeleton.names == CANONICAL.names
    assert torch.allclose(body.skeleton.rest_positions, CANONICAL.rest_positions * 1.1, atol=1e-6)
    assert torch.allclose(body.vertices[0], torch.zeros(3))
    assert np.allclose(body.weights, stored["weights"], atol=1e-6)


def test_a_canonical_motion_moves_it(tmp_path: Path) -> None:
    body = load_smpl(save_npz(tmp_path / "smpl.npz", layout()))
    motion = Motion(torch.eye(3).expand(2, 24, 3, 3), torch.tensor([[0.0, 1, 0], [1, 1, 0]]), 30.0, CANONICAL)
    posed = body.pose(motion)
    assert torch.allclose(posed[0], body.vertices + torch.tensor([0, 1.1, 0]), atol=1e-5)
    assert torch.allclose(posed[1] - posed[0], torch.tensor([1.1, 0, 0]), atol=1e-5)


@pytest.mark.parametrize(("joints", "middle", "head"), [(52, 25, ()), (55, 28, (22, 23, 24))])
def test_fingers_move_with_the_hands_and_jaw_and_eyes_with_the_head(
    tmp_path: Path, joints: int, middle: int, head: tuple[int, ...]
) -> None:
    """SMPL-H and SMPL-X: five fingers of three joints on each wrist, and in SMPL-X a jaw and two eyes on the head."""
    rng = np.random.default_rng(0)
    fingers = joints - 30
    parents = [*CANONICAL.parents[:22], *[15] * len(head)]
    for wrist, first in ((20, fingers), (21, fingers + 15)):
        parents += [wrist if number % 3 == 0 else first + number - 1 for number in range(15)]
    template = rng.normal(size=(80, 3))
    template[:22] = CANONICAL.rest_positions[:22]
    weights = rng.random((80, joints))
    stored = {
        "v_template": template,
        "weights": weights / weights.sum(1, keepdims=True),
        "f": np.arange(78, dtype=np.uint32).reshape(-1, 3),
        "J_regressor": np.eye(joints, 80),
        "kintree_table": np.stack([np.array([4294967295, *parents[1:]]), np.arange(joints)]),
    }
    body = load_smpl(save_npz(tmp_path / "model.npz", stored))
    assert body.skeleton.names == CANONICAL.names
    hands = body.skeleton.rest_positions[[22, 23]] + torch.from_numpy(template[0]).float()
    torch.testing.assert_close(hands, torch.from_numpy(template[[middle, middle + 15]]).float())
    expected = np.stack(
        [stored["weights"][:, [15, *head]].sum(1), stored["weights"][:, fingers : fingers + 15].sum(1)], axis=1
    )
    np.testing.assert_allclose(body.weights[:, [15, 22]], expected, atol=1e-6)


def test_a_body_is_the_default_one_or_that_of_a_file(tmp_path: Path) -> None:
    assert load_body() is default_body()
    assert load_body(save_npz(tmp_path / "smpl.npz", layout())).num_vertices == VERTICES


@pytest.mark.parametrize("protocol", [1, 2])
def test_a_pickle_of_python_2_with_sparse_and_chumpy(tmp_path: Path, protocol: int) -> None:
    stored, before = layout(), set(sys.modules)
    body = load_smpl(save_pickle(tmp_path / "smpl.pkl", stored, protocol))
    expected = load_smpl(save_npz(tmp_path / "smpl.npz", stored))
    assert torch.equal(body.vertices, expected.vertices) and torch.equal(body.weights, expected.weights)
    assert torch.equal(body.faces, expected.faces)
    assert torch.equal(body.skeleton.offsets, expected.skeleton.offsets)
    assert not {"chumpy", "scipy"} & (set(sys.modules) - before)


class Marker:
    """Pickles as a call that would write a file."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


class Evaluated:
    """Pickles as a call of eval."""

    def __reduce__(self) -> tuple[Any, ...]:
        return eval, ("1 + 1",)


def test_a_pickle_cannot_run_code(tmp_path: Path) -> None:
    mark, path = tmp_path / "mark", tmp_path / "bad.pkl"
    for bad in (Marker(mark), Evaluated(), np.testing.assert_equal, np.load):
        path.write_bytes(pickle.dumps(layout() | {"f": bad}))
        with pytest.raises(FormatError, match="which no array needs"):
            load_smpl(path)
    assert not mark.exists()


@pytest.mark.parametrize("name", ["v_template", "weights", "f", "J_regressor", "kintree_table"])
def test_a_missing_array_is_named(tmp_path: Path, name: str) -> None:
    stored = layout()
    del stored[name]
    with pytest.raises(FormatError, match=name):
        load_smpl(save_npz(tmp_path / "smpl.npz", stored))


def test_other_models_and_damage(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="SMPL-H"):
        load_smpl(save_npz(tmp_path / "star.npz", layout(joints=25)))
    stored = layout()
    stored["kintree_table"][0, 5] = 1
    with pytest.raises(FormatError, match="another tree"):
        load_smpl(save_npz(tmp_path / "tree.npz", stored))
    stored = layout()
    stored["v_template"][3] = np.nan
    with pytest.raises(FormatError, match=r"v_template.*NaN"):
        load_smpl(save_npz(tmp_path / "nan.npz", stored))
    for name in ("cut.npz", "cut.pkl"):
        (tmp_path / name).write_bytes(b"\x80\x02}q\x00(X")
        with pytest.raises(FormatError, match=r"cannot be read|no NumPy archive"):
            load_smpl(tmp_path / name)
    with pytest.raises(FormatError, match=r"no such file; .* register at .*; the default body needs no"):
        load_smpl(tmp_path / "none.npz")
    with pytest.raises(FormatError, match=r"\.pkl or \.npz"):
        load_smpl(tmp_path / "model.obj")
    (tmp_path / "list.pkl").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(FormatError, match="it holds list"):
        load_smpl(tmp_path / "list.pkl")
