"""`motionclip info`: what is in a motion file, how its numbers were understood, and which joint is which."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from motionclip.cli.console import say
from motionclip.cli.options import AboutSource, AsfFile, MotionFile, optional, read_about

if TYPE_CHECKING:
    from motionclip.motion import Motion, Skeleton
    from motionclip.motion.conventions import Conventions


def info(
    file: MotionFile,
    /,
    *,
    list: bool = False,
    asf: AsfFile = None,
    joints_template: Annotated[Path | None, optional(Path, "FILE.json")] = None,
    about: AboutSource,
) -> None:
    """Show what is in a motion file: length, size, travel, axes and unit with reasons, and its body parts.

    Args:
        list: Only list the animations of the file; FILE#NAME names one of them.
        joints_template: Also write the body parts to a file, to edit and give as --joints.
    """
    if list:
        from motionclip.io import takes

        say(*(takes(file) or ["one motion, without a name"]))
        return
    known = about.known()
    motion, conventions = read_about(file, known, asf)
    for name, value in [*_facts(motion, conventions), *_body(motion.skeleton, bool(known.joints))]:
        say(f"{name:<18}{value}")
    if joints_template is not None:
        from motionclip.formats.joint_map import write_joint_map

        write_joint_map(motion.skeleton, joints_template)
        say(f"{joints_template}: edit it, and give it as --joints")


def _facts(motion: Motion, conventions: Conventions) -> list[tuple[str, str]]:
    """Returns names and values of what the whole motion is."""
    skeleton, positions, reasons = motion.skeleton, motion.positions, conventions.reasons
    size = (positions.amax(dim=(0, 1)) - positions.amin(dim=(0, 1))).tolist()
    path = motion.root[:, [0, 2]].diff(dim=0).norm(dim=-1).sum().item()
    return [
        ("frames", f"{motion.num_frames}"),
        ("rate", reasons["rate"]),
        ("length", f"{motion.duration:.2f} s"),
        ("up", reasons["up"]),
        ("unit", reasons["unit"]),
        ("handedness", reasons["handedness"]),
        ("facing", f"{conventions.facing} (given)" if conventions.facing else "as in the file"),
        ("space taken", f"{size[0]:.2f} x {size[1]:.2f} x {size[2]:.2f} m (x, y up, z)"),
        ("root path", f"{path:.2f} m over the ground"),
        ("lowest joint", f"{positions[..., 1].min().item():.3f} m"),
        ("joints", f"{skeleton.num_joints} and {len(skeleton.end_sites)} end sites"),
        ("names", ", ".join(skeleton.names)),
    ]


def _body(skeleton: Skeleton, given: bool) -> list[tuple[str, str]]:
    """Returns how sure the body parts are, whether the rest pose is a pose, and which joint is which.

    Roles that nobody has ``given`` were found by the shape of the body in its poses.
    """
    from motionclip.motion.retarget.humanoid import body_of, recognised_roles
    from motionclip.motion.retarget.rest_pose import rest_pose_is_used

    found = body_of(skeleton)
    if found is None:
        known = recognised_roles(skeleton)
        sure = f"not recognised: {len(known)} parts are known; --joints-template FILE.json writes a map to edit"
        return [("body", sure), *((f"  {role}", name) for role, name in known.items())]
    kinds = {"given": "given" if given else "by its poses", "name": "by name", "shape": "by shape"}
    rows = [(f"  {role}", f"{name} ({kinds[found.sources[role]]})") for role, name in found.names.items()]
    for title, chain in (("  spine", found.spine), ("  necks", found.necks)):
        rows.append((title, ", ".join(skeleton.names[joint] for joint in chain) or "none"))
    by_name = found.confidence if given or not skeleton.roles else 0.0
    sure = f"{len(found.joints)} parts found, {100 * by_name:.0f} % of limbs and head by name"
    trusted = "that of a body that stands: joints are turned from it"
    none = "none of a body that stands: how joints are turned is taken from their positions in the motion"
    return [("body", sure), ("rest pose", trusted if rest_pose_is_used(found) else none), *rows]
