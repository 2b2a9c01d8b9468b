"""A skinned body: a rest mesh that follows the joints of a skeleton.

Linear blend skinning is v_i = sum_j w_ij (R_j (rest_i - joint_j) + p_j). By forward kinematics the positions p are sums
of rotated offsets, so vertices are linear in the world rotations R: mesh, weights and offsets are folded once into one
(V, 3J) matrix, and a frame is a matrix product. Pose-dependent corrections (SMPL's pose blend shapes) are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

import numpy as np
import torch
from torch import Tensor

from motionclip.errors import ModelError, SkeletonError
from motionclip.motion.motion import Motion
from motionclip.motion.retarget import retarget
from motionclip.motion.skeleton import CANONICAL, Skeleton


@dataclass(frozen=True, eq=False)
class Body:
    """A mesh on a skeleton. Metres, Y up, facing +Z; the rest pose has the root joint at the origin.

    Attributes:
        vertices: (V, 3) float rest positions.
        weights: (V, J) skin weights, not negative; each row adds up to 1.
        faces: (F, 3) int64 vertex indices, counter-clockwise seen from outside.
        skeleton: J joints; its rest pose is the pose of ``vertices``.

    Raises:
        ModelError: if the shapes do not belong together, a face names no vertex, or the weights of a
            vertex do not add up to 1.
    """

    vertices: Tensor
    weights: Tensor
    faces: Tensor
    skeleton: Skeleton

    def __post_init__(self) -> None:
        count, joints = self.vertices.shape[0], self.skeleton.num_joints
        shapes = tuple(self.vertices.shape), tuple(self.weights.shape), tuple(self.faces.shape[1:])
        if shapes != ((count, 3), (count, joints), (3,)):
            raise ModelError(
                f"vertices {tuple(self.vertices.shape)}, weights {tuple(self.weights.shape)} and faces "
                f"{tuple(self.faces.shape)}; expected (V, 3), (V, {joints}) and (F, 3)"
            )
        if len(self.faces) and not 0 <= int(self.faces.min()) <= int(self.faces.max()) < count:
            raise ModelError(f"a face names a vertex outside 0 to {count - 1}; expected indices of vertices")
        if (self.weights < 0).any() or ((self.weights.sum(-1) - 1).abs() > 1e-3).any():
            raise ModelError("skin weights are negative or do not add up to 1; expected a blend of joints per vertex")

    @property
    def num_vertices(self) -> int:
        """V."""
        return self.vertices.shape[0]

    @cached_property
    def sole(self) -> float:
        """Height of the lowest rest vertex over the root joint, metres (negative)."""
        return float(self.vertices[:, 1].min())

    @cached_property
    @torch.inference_mode(False)  # the tensor is kept, and used where there are gradients, too
    def moments(self) -> Tensor:
        """(V, 3J) first moments a_i: a vertex with the root at the origin is sum_j R_j a_ij, by world rotations R."""
        parents, offsets = self.skeleton.parents, self.skeleton.offsets
        below = self.weights.clone()  # (V, J) weight of a joint and of all below it, which its offset moves
        moments = self.weights[..., None] * (self.vertices[:, None] - self.skeleton.rest_positions)  # (V, J, 3)
        for joint in range(self.skeleton.num_joints - 1, 0, -1):
            below[:, parents[joint]] += below[:, joint]
            moments[:, parents[joint]] += below[:, joint, None] * offsets[joint]
        return moments.flatten(1)

    def skin(self, world_rotations: Tensor, root: Tensor) -> Tensor:
        """Returns the vertices (..., V, 3), metres, of the body in given poses; differentiable.

        Args:
            world_rotations: (..., J, 3, 3) world rotations of the joints.
            root: (..., 3) world position of the root joint, metres.
        """
        rotations = world_rotations.transpose(-3, -2).flatten(-2)  # (..., 3, 3J)
        return (rotations @ self.moments.to(root).T).transpose(-1, -2) + root[..., None, :]

    def fitted(self, motion: Motion) -> Motion:
        """Returns the motion on this body's skeleton: retargeted if its joints are others, else only rescaled.

        With the same joints but other rest offsets (a body of another size) the rotations are kept and
        the root path is scaled by the ratio of the leg lengths, so that feet stay on the ground.

        Raises:
            SkeletonError: if the motion's skeleton cannot be matched to this one.
        """
        own = self.skeleton
        if (motion.skeleton.names, motion.skeleton.parents) != (own.names, own.parents):
            motion = retarget(motion, CANONICAL)
        other = motion.skeleton
        if other is own:
            return motion
        if (other.names, other.parents) != (own.names, own.parents):
            raise SkeletonError(f"a body with the joints {', '.join(own.names)}; expected those of CANONICAL")
        return Motion(motion.rotations, motion.root * (_leg_length(own) / _leg_length(other)), motion.fps, own)

    def pose(self, motion: Motion) -> Tensor:
        """Returns the vertices (T, V, 3), metres, of the body in every frame of a motion.

        Raises:
            SkeletonError: if the motion's skeleton cannot be matched to this one.
        """
        fitted = self.fitted(motion)
        return self.skin(fitted.world[0], fitted.root)


def _leg_length(skeleton: Skeleton) -> float:
    """Returns the height of the root joint over the left ankle in the rest pose, metres."""
    length = -float(skeleton.rest_positions[skeleton.index("left_ankle"), 1])
    if length <= 0:
        raise SkeletonError("the left ankle is not below the root joint; expected an upright rest pose")
    return length


@cache
def default_body() -> Body:
    """Returns the licence-free body on the canonical skeleton: MakeHuman data (CC0), see NOTICE.

    The soles are flat and lie ``ANKLE_HEIGHT`` below the ankles. ``scripts/bake_body.py`` makes its file.

    Raises:
        ModelError: if the file was baked for another canonical skeleton.
    """
    with files("motionclip.body").joinpath("default_body.npz").open("rb") as file, np.load(file) as stored:
        names, rest = tuple(stored["names"].tolist()), torch.from_numpy(stored["rest"])
        vertices, faces = torch.from_numpy(stored["vertices"]), torch.from_numpy(stored["faces"].astype(np.int64))
        joints = torch.from_numpy(stored["joints"].astype(np.int64))
        shares = torch.from_numpy(stored["weights"].astype(np.float32) / np.float32(65535))
    if names != CANONICAL.names or not torch.allclose(rest, CANONICAL.rest_positions, atol=1e-6):
        raise ModelError("the shipped body belongs to another skeleton; expected CANONICAL: run scripts/bake_body.py")
    weights = vertices.new_zeros(len(vertices), CANONICAL.num_joints).scatter_add_(1, joints, shares)
    return Body(vertices, weights, faces, CANONICAL)
