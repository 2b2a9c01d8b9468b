"""USD (UsdSkel): the default body, skinned and animated; .usda is text, .usdc binary, .usd binary, .usdz a package.

Y up, metres, one time code per frame. Names that USD does not allow for a joint (``mixamorig:Hips``) get an
underscore, and stand as they are in the skeleton's ``jointNames``.
Schemas: https://openusd.org/release/api/usd_skel_page_front.html
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from motionclip.body import Body, default_body
from motionclip.errors import FormatError
from motionclip.formats.files import replacing
from motionclip.formats.gltf import COLOUR, rest_normals, strongest
from motionclip.motion import Motion, Skeleton
from motionclip.motion.rotations import matrix_to_quat

if TYPE_CHECKING:
    from pxr import Usd, UsdSkel, Vt

_ROOT = "/Character"


def write_usd(motion: Motion, path: str | Path) -> None:
    """Writes the default body doing the motion.

    Args:
        motion: on any skeleton that can be retargeted to the default body.
        path: a .usd, .usda, .usdc or .usdz file; it appears whole or not at all.

    Raises:
        FormatError: if usd-core is not installed.
    """
    body = default_body()
    write_body_usd(body, body.fitted(motion), path)


def write_body_usd(body: Body, motion: Motion, path: str | Path) -> None:
    """Writes a body doing a motion that is on its skeleton."""
    try:
        from pxr import UsdUtils
    except ImportError as error:
        raise FormatError(path, "USD needs the package usd-core", "it, by pip install 'motionclip[usd]'") from error
    with replacing(path) as temporary:
        temporary.unlink()
        if temporary.suffix.lower() != ".usdz":
            _write_stage(body, motion, temporary)
            return
        with tempfile.TemporaryDirectory() as folder:
            layer = Path(folder) / f"{Path(path).stem}.usdc"
            _write_stage(body, motion, layer)
            if not UsdUtils.CreateNewUsdzPackage(str(layer), str(temporary)):
                raise FormatError(path, "USD could not make the package", "a place that can be written to")


def _write_stage(body: Body, motion: Motion, path: Path) -> None:
    from pxr import Usd, UsdGeom, UsdSkel

    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetTimeCodesPerSecond(motion.fps)
    stage.SetFramesPerSecond(motion.fps)
    stage.SetStartTimeCode(0)
    stage.SetEndTimeCode(motion.num_frames - 1)
    root = UsdSkel.Root.Define(stage, _ROOT)
    stage.SetDefaultPrim(root.GetPrim())
    _define_skeleton(stage, motion.skeleton)
    _define_animation(stage, motion)
    _define_mesh(stage, body)
    _write_extents(root, body, motion)
    stage.GetRootLayer().Save()


def _joint_paths(skeleton: Skeleton) -> list[str]:
    """Each joint's path in the tree, as UsdSkel names joints."""
    from pxr import Tf

    paths: list[str] = []
    for name, parent in zip(skeleton.names, skeleton.parents, strict=True):
        valid = Tf.MakeValidIdentifier(name)
        paths.append(valid if parent < 0 else f"{paths[parent]}/{valid}")
    return paths


def _define_skeleton(stage: Usd.Stage, skeleton: Skeleton) -> None:
    from pxr import UsdSkel, Vt

    places = np.tile(np.eye(4), (2, skeleton.num_joints, 1, 1))  # bind in the world, rest by the parent; row vectors
    places[0, :, 3, :3] = skeleton.rest_positions.numpy()
    places[1, 1:, 3, :3] = skeleton.offsets[1:].numpy()
    defined = UsdSkel.Skeleton.Define(stage, f"{_ROOT}/Skeleton")
    defined.CreateJointsAttr(_joint_paths(skeleton))
    defined.CreateJointNamesAttr(list(skeleton.names))
    defined.CreateBindTransformsAttr(Vt.Matrix4dArray.FromNumpy(places[0]))
    defined.CreateRestTransformsAttr(Vt.Matrix4dArray.FromNumpy(places[1]))
    binding = UsdSkel.BindingAPI.Apply(defined.GetPrim())
    binding.CreateAnimationSourceRel().SetTargets([f"{_ROOT}/Motion"])


def _define_animation(stage: Usd.Stage, motion: Motion) -> None:
    from pxr import UsdSkel, Vt

    skeleton = motion.skeleton
    animation = UsdSkel.Animation.Define(stage, f"{_ROOT}/Motion")
    animation.CreateJointsAttr(_joint_paths(skeleton))
    animation.CreateScalesAttr(Vt.Vec3hArray(skeleton.num_joints, (1.0, 1.0, 1.0)))
    quats = matrix_to_quat(motion.rotations.detach().double()).numpy(force=True)
    places = np.tile(skeleton.offsets.numpy(), (motion.num_frames, 1, 1))
    places[:, 0] = motion.root.numpy(force=True)
    translations, rotations = animation.CreateTranslationsAttr(), animation.CreateRotationsAttr()
    for frame in range(motion.num_frames):
        translations.Set(Vt.Vec3fArray.FromNumpy(places[frame]), frame)
        rotations.Set(Vt.QuatfArray.FromNumpy(quats[frame].astype("f4")), frame)


def _define_mesh(stage: Usd.Stage, body: Body) -> None:
    from pxr import Gf, UsdGeom, UsdSkel, Vt

    mesh = UsdGeom.Mesh.Define(stage, f"{_ROOT}/Body")
    mesh.CreatePointsAttr(_vectors(body.vertices))
    mesh.CreateNormalsAttr(_vectors(rest_normals(body)))
    mesh.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray(len(body.faces), 3))
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(body.faces.numpy().astype("i4").reshape(-1)))
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreateDisplayColorAttr([Gf.Vec3f(*COLOUR[:3])])
    joints, weights = strongest(body)
    binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    binding.CreateSkeletonRel().SetTargets([f"{_ROOT}/Skeleton"])
    width = joints.shape[1]
    binding.CreateJointIndicesPrimvar(False, width).Set(Vt.IntArray.FromNumpy(joints.astype("i4").reshape(-1)))
    binding.CreateJointWeightsPrimvar(False, width).Set(Vt.FloatArray.FromNumpy(weights.reshape(-1)))
    binding.CreateGeomBindTransformAttr(Gf.Matrix4d(1.0))


def _write_extents(root: UsdSkel.Root, body: Body, motion: Motion) -> None:
    """The boxes around the mesh at rest and around the whole movement.

    A vertex is a mean of points that keep their distances from the joints that move it: so it is never farther
    outside the box of the joints than the largest of these distances.
    """
    from pxr import UsdGeom

    mesh = UsdGeom.Mesh.Get(root.GetPrim().GetStage(), f"{_ROOT}/Body")
    mesh.CreateExtentAttr(_vectors(_box(body.vertices)))
    distances = torch.cdist(body.vertices, body.skeleton.rest_positions)
    reach = float(distances[body.weights > 0].max())
    ends = _box(motion.positions.detach().flatten(0, 1).cpu())
    UsdGeom.Boundable(root).CreateExtentAttr(_vectors(ends + torch.tensor([[-reach], [reach]])))


def _box(points: Tensor) -> Tensor:
    """The least and largest coordinates (2, 3) of points (N, 3)."""
    return torch.stack(torch.aminmax(points, dim=0))


def _vectors(points: Tensor) -> Vt.Vec3fArray:
    from pxr import Vt

    return Vt.Vec3fArray.FromNumpy(points.numpy().astype("f4"))
