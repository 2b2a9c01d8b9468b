"""On whose skeleton a motion is written: a known program's, or that of a file of the user's own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from torch.nn.functional import pad

from motionclip.errors import FormatError, SkeletonError
from motionclip.motion import CANONICAL, Motion, Skeleton
from motionclip.motion.conventions import Known
from motionclip.motion.retarget import RIGS, check_target, retarget_onto, standard_rig

if TYPE_CHECKING:
    from motionclip.body import Body
    from motionclip.formats.gltf_rig import GltfRig

#: Files that may hold a rig of the user's own.
RIG_SUFFIXES = (".bvh", ".glb", ".vrm")
_BARE = (".bvh", ".csv", ".npz")  # formats that hold joints and no skin
_USD = (".usd", ".usda", ".usdc", ".usdz")


@dataclass(frozen=True, eq=False)
class Rig:
    """A skeleton to write motions on, from `load_rig`.

    Attributes:
        name: as the user gave it.
        skeleton: its joints, metres, Y up.
        unit: metres per unit of a BVH file that is written.
        ankle_height: metres of the ankles over the soles in the rest pose, None if not known.
        skin: what GLB and USD files show: the default body on this skeleton, or a GLB file of the user's; else None.
    """

    name: str
    skeleton: Skeleton
    unit: float = 0.01
    ankle_height: float | None = None
    skin: Body | GltfRig | None = None

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Suffixes of the formats that can hold it."""
        from motionclip.body import Body

        return _BARE + ((".glb",) if self.skin else ()) + (_USD if isinstance(self.skin, Body) else ())

    @cached_property
    def body(self) -> Body | None:
        """The mesh that GLB files show, without its colours; None if there is none."""
        from motionclip.formats.gltf_rig import GltfRig, rig_body

        return rig_body(self.skin) if isinstance(self.skin, GltfRig) else self.skin

    def fitted(self, motion: Motion) -> Motion:
        """The motion on the skeleton; see `retarget_onto`."""
        return retarget_onto(motion, self.skeleton, self.ankle_height)

    def write(self, motion: Motion, path: str | Path) -> None:
        """Puts a motion on the skeleton and writes it to a file with one of `suffixes`."""
        from motionclip.formats.gltf_rig import GltfRig

        placed = self.fitted(motion)
        if Path(path).suffix.lower() in _BARE:
            self._write_bare(placed, path)
        elif isinstance(self.skin, GltfRig):
            self.skin.write(placed, path)
        elif self.skin is not None:
            _write_body(self.skin, placed, path)

    def _write_bare(self, placed: Motion, path: str | Path) -> None:
        from motionclip.formats.bvh import write_bvh
        from motionclip.formats.joint_table import write_csv
        from motionclip.formats.npz import write_npz

        suffix = Path(path).suffix.lower()
        if suffix == ".bvh":
            write_bvh(placed, path, unit=self.unit)
        else:
            (write_csv if suffix == ".csv" else write_npz)(placed, path)


def _write_body(body: Body, placed: Motion, path: str | Path) -> None:
    from motionclip.formats.gltf import write_body_glb
    from motionclip.formats.usd import write_body_usd

    (write_body_glb if Path(path).suffix.lower() == ".glb" else write_body_usd)(body, placed, path)


def load_rig(rig: str | Path, known: Known | None = None) -> Rig:
    """A rig by name, or that of a file.

    Args:
        rig: ``blender``, ``mixamo``, ``unreal`` or ``unity``; or a .bvh file, or a .glb or .vrm file with a skinned
            character, of a human-like body and with a rest pose that stands.
        known: what is known of the file: its unit and joints, and axes, which are turned to ours then.

    Raises:
        FormatError: if it is neither, or the file is damaged or has no skeleton.
        SkeletonError: naming the file, and the joints that were not found or what is wrong with the rest pose.
    """
    known = known or Known()
    if str(rig) in RIGS:
        if known != Known():
            raise FormatError(rig, "axes, a unit or joints are given", "them for the file of a rig, such as hero.bvh")
        return _standard(str(rig))
    path = Path(rig)
    if path.suffix.lower() not in RIG_SUFFIXES:
        raise FormatError(path, "this is no rig", f"one of {', '.join(RIGS)}, or a .bvh, .glb or .vrm file")
    try:
        return _from_bvh(path, known) if path.suffix.lower() == ".bvh" else _from_glb(path, known)
    except SkeletonError as error:
        raise SkeletonError(f"{path}: {error}") from error


def _standard(name: str) -> Rig:
    """The default body on the skeleton of a program: other names, and perhaps a joint above the pelvis."""
    from motionclip.body import Body, default_body

    skeleton, body = standard_rig(name), default_body()
    above = skeleton.num_joints - CANONICAL.num_joints
    vertices = body.vertices + skeleton.rest_positions[above]
    return Rig(name, skeleton, skin=Body(vertices, pad(body.weights, (above, 0)), body.faces, skeleton))


def _from_bvh(path: Path, known: Known) -> Rig:
    from motionclip.formats.bvh import read_bvh_skeleton

    skeleton, unit = read_bvh_skeleton(path, known)
    check_target(skeleton)
    return Rig(str(path), skeleton, unit)


def _from_glb(path: Path, known: Known) -> Rig:
    from motionclip.formats.gltf_rig import ankle_height, read_gltf_rig

    if known.up or known.facing or known.unit is not None:
        raise FormatError(path, "axes or a unit are given", "none of them: glTF states them")
    rig = read_gltf_rig(path)
    rig = replace(rig, skeleton=replace(rig.skeleton, roles=dict(known.joints)))
    check_target(rig.skeleton)
    return Rig(str(path), rig.skeleton, ankle_height=ankle_height(rig), skin=rig)
