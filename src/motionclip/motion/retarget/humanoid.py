"""Which joint of a skeleton is which part of a human body: by names, by the tree, and by the rest pose.

Names come first. A name is cut into words ("mixamorig:LeftUpLeg_07" into left, up, leg), a word says a side and a kind
of body part, and the order along a limb decides where a word is ambiguous: "LeftLeg" is a shin below "LeftUpLeg" and
a thigh above "LeftShin". Where names say nothing, the tree does: the pelvis is where two like limbs and a trunk meet,
the chest where two like limbs and a head do, and the rest pose tells left from right.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from motionclip.errors import SkeletonError
from motionclip.motion.retarget.joint_names import ARM, LEG, understand_names
from motionclip.motion.skeleton import Skeleton

SIDES = ("left", "right")
#: Roles without which a body cannot be posed.
REQUIRED = (
    *("pelvis", "head"),
    *(f"{side}_{joint}" for side in SIDES for joint in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")),
)
#: All roles that one joint can have; the spine and the neck are chains besides.
ROLES = (*REQUIRED, *(f"{side}_{joint}" for side in SIDES for joint in ("foot", "collar", "hand")), "chest", "neck")

#: Bones of arms and legs, (joint, next joint), whose directions are kept exactly.
LIMB_BONES = tuple(
    (f"{side}_{joint}", f"{side}_{following}")
    for side in SIDES
    for joint, following in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
)

# Of limbs that names do not tell: two bones are alike if the shorter is this share of the longer; a bone with joints
# within is straight if its ends are this share of its length apart, and its parts are at least this share of it. Of a
# limb, this many joints are looked at.
_LIKE_BONES, _STRAIGHT, _LEAST_PART, _MOST_JOINTS = 0.65, 0.99, 0.3, 16
# Cosine between the trunk and what rises from it.
_RISES = 0.7
# An animal on four feet: cosines between trunk and limbs at rest, and between fore and hind limbs.
_ACROSS, _ALONGSIDE = 0.4, 0.85


@dataclass(frozen=True, eq=False)
class Humanoid:
    """The body parts of a skeleton.

    Attributes:
        skeleton: whose joints they are.
        joints: role to joint index: all of ``REQUIRED``, and of ``ROLES`` those that were found.
        spine: joints from the first above the fork of legs and trunk up to the chest, in order.
        necks: joints above the chest and below the head, in order.
        sources: role to what it was found by: "given", "name", or "shape".
    """

    skeleton: Skeleton
    joints: Mapping[str, int]
    spine: tuple[int, ...]
    necks: tuple[int, ...]
    sources: Mapping[str, str]

    @property
    def confidence(self) -> float:
        """The share of the limbs and the head that was found by name or given; the rest is judged from the shape."""
        sought = [role for role in REQUIRED if role != "pelvis"]  # which follows from the legs
        return sum(self.sources[role] != "shape" for role in sought) / len(sought)

    @cached_property
    def names(self) -> dict[str, str]:
        """Role to joint name."""
        return {role: self.skeleton.names[joint] for role, joint in self.joints.items()}


def way_to_body(humanoid: Humanoid) -> list[int]:
    """Returns the joints from the root to the last one that carries the whole body."""
    ways: list[list[int]] = []
    for joint, parent in enumerate(humanoid.skeleton.parents):
        ways.append([*(ways[parent] if parent >= 0 else []), joint])
    parts = [ways[joint] for joint in humanoid.joints.values()]
    return [shared[0] for shared in zip(*parts, strict=False) if len(set(shared)) == 1]


def find_humanoid(skeleton: Skeleton) -> Humanoid:
    """Finds the body parts of a skeleton.

    Args:
        skeleton: of a human or human-like body with two legs, two arms and a head; its ``roles`` are believed.

    Raises:
        SkeletonError: if one of its roles or joint does not exist, or a required role was not found.
    """
    tree = _Tree(skeleton)
    known = _check_given(skeleton)
    found = _by_name(tree) | known
    sources = {role: "given" if role in known else "name" for role in found}
    for more in (_ends, _middles):
        shaped = more(tree, found)
        found |= shaped
        sources |= dict.fromkeys(shaped, "shape")
    if len(set(REQUIRED) & set(found)) < len(REQUIRED) / 2:  # names that tell much are not overruled
        shaped = _by_shape(tree)
        sources = dict.fromkeys(shaped, "shape") | dict.fromkeys(known, "given")
        found = shaped | known
    missing = [role for role in REQUIRED if role not in found and role != "pelvis"]
    if not missing and not known and _is_four_footed(skeleton, found):
        raise SkeletonError(
            "this is a body on four feet at rest: arms and legs point the same way, across the trunk\n"
            "expected a human body; if it is one, name its joints with --joints"
        )
    if missing:
        raise SkeletonError(_unrecognised(skeleton, found, missing))
    return _complete(tree, found, sources)


def recognised_roles(skeleton: Skeleton) -> dict[str, str]:
    """Returns role to joint name for the parts that are found, though they may be too few for a body."""
    if body := body_of(skeleton):
        return dict(body.names)
    return {role: skeleton.names[joint] for role, joint in _by_name(_Tree(skeleton)).items()}


def body_of(skeleton: Skeleton) -> Humanoid | None:
    """Returns the body parts of a skeleton; None if it is no body."""
    try:
        return find_humanoid(skeleton)
    except SkeletonError:
        return None


def _is_four_footed(skeleton: Skeleton, found: Mapping[str, int]) -> bool:
    """Whether all four limbs point the same way at rest, and across the trunk."""
    rest = skeleton.rest_positions

    def between(start: str, end: str) -> Tensor:
        return sum((rest[found[f"{side}_{end}"]] - rest[found[f"{side}_{start}"]] for side in SIDES), torch.zeros(3))

    legs, arms = between("hip", "ankle"), between("shoulder", "wrist")
    trunk = sum((rest[found[f"{side}_shoulder"]] - rest[found[f"{side}_hip"]] for side in SIDES), torch.zeros(3))
    along = [float(cosine_similarity(limbs, trunk, dim=0).abs()) for limbs in (legs, arms)]
    return max(along) < _ACROSS and float(cosine_similarity(legs, arms, dim=0)) > _ALONGSIDE


def _unrecognised(skeleton: Skeleton, found: Mapping[str, int], missing: list[str]) -> str:
    shown = ", ".join(skeleton.names[:6]) + (", ..." if skeleton.num_joints > 6 else "")
    known = ", ".join(f"{role} = {skeleton.names[joint]}" for role, joint in list(found.items())[:4]) or "nothing"
    return (
        f"this is not recognised as a human body: {skeleton.num_joints} joints ({shown})\n"
        f"found: {known}\n"
        f"not found: {', '.join(missing)}\n"
        'expected two legs, two arms and a head; name the joints in a JSON file, {"left_hip": "...", ...}, and give '
        "it with --joints (motionclip info --joints-template writes one to edit)"
    )


def _check_given(skeleton: Skeleton) -> dict[str, int]:
    unknown = [role for role in skeleton.roles if role not in ROLES]
    if unknown:
        raise SkeletonError(f"unknown roles {', '.join(unknown)}; expected some of {', '.join(ROLES)}")
    return {role: skeleton.index(name) for role, name in skeleton.roles.items()}


class _Tree:
    """A skeleton's tree with what is asked of it often."""

    def __init__(self, skeleton: Skeleton):
        self.skeleton = skeleton
        self.parents, self.children = skeleton.parents, skeleton.children
        self.paths: list[tuple[int, ...]] = []
        for joint, parent in enumerate(self.parents):
            self.paths.append((*(self.paths[parent] if parent >= 0 else ()), joint))
        self.words = understand_names(skeleton.names)
        self.lengths = skeleton.offsets.norm(dim=-1)

    def common(self, joints: Iterable[int]) -> int:
        """The last joint that is above all of several joints, or one of them."""
        paths = [self.paths[joint] for joint in joints]
        shared = [column[0] for column in zip(*paths, strict=False) if len(set(column)) == 1]
        return shared[-1]

    def between(self, above: int, below: int) -> tuple[int, ...]:
        """The joints below ``above`` down to ``below``, which is included."""
        path = self.paths[below]
        return path[path.index(above) + 1 :] if above in path else ()


def _by_name(tree: _Tree) -> dict[str, int]:
    """The roles that names tell."""
    found: dict[str, int] = {}
    for side in SIDES:
        found |= {f"{side}_{role}": joint for role, joint in _leg(_chain(tree, side, LEG)).items()}
        arm = _arm(_chain(tree, side, ARM))
        found |= {f"{side}_{role}": joint for role, joint in arm.items()}
        if "wrist" in arm and "hand" not in arm and (palm := _palm(tree, side, arm["wrist"])) is not None:
            found[f"{side}_hand"] = palm
    heads = [joint for joint, name in enumerate(tree.words) if name.kind == "head" and not name.aside]
    if heads:
        found["head"] = min(heads, key=lambda joint: len(tree.paths[joint]))
    elif (end := _rigify_head(tree)) is not None:
        found["head"] = end
    return found


def _rigify_head(tree: _Tree) -> int | None:
    """The last joint of a spine that goes on into neck and head under one name, as Rigify's does."""
    spine = [
        joint for joint, name in enumerate(tree.words) if name.kind == "spine" and not name.aside and not name.side
    ]
    return max(spine, key=lambda joint: len(tree.paths[joint])) if len(spine) >= 6 else None


def _chain(tree: _Tree, side: str, kinds: frozenset[str]) -> list[tuple[int, str]]:
    """The joints of a limb with their kinds, from the trunk outwards: the path that names most kinds of joints."""
    known = {
        joint: name.kind
        for joint, name in enumerate(tree.words)
        if name.side == side and name.kind in kinds and not name.aside and not name.twist
    }
    paths = [[(joint, known[joint]) for joint in tree.paths[end] if joint in known] for end in known]
    return max(paths, key=lambda path: (len({kind for _, kind in path}), -len(path)), default=[])


def _leg(chain: list[tuple[int, str]]) -> dict[str, int]:
    first = _firsts(chain)
    hip = first.get("hip", first.get("pelvis", first.get("leg")))
    below = [joint for joint, kind in chain if kind == "leg" and joint != hip]
    roles = {"hip": hip, "knee": first.get("knee", below[0] if below else None)}
    ends = [first[kind] for kind in ("ankle", "sole", "toe") if kind in first]  # SMPL's foot lies behind its ankle
    roles |= (
        dict(zip(("ankle", "foot"), ends, strict=False)) if "toe" not in first or len(ends) > 1 else {"foot": ends[0]}
    )
    return {role: joint for role, joint in roles.items() if joint is not None}


def _arm(chain: list[tuple[int, str]]) -> dict[str, int]:
    first = _firsts(chain)
    upper = first.get("upperarm")
    if upper is None:
        upper = first.get("arm", first.get("shoulder"))
    lower = [joint for joint, kind in chain if kind == "arm" and joint != upper]
    shoulders = [joint for joint, kind in chain if kind == "shoulder"]
    if upper in shoulders and "collar" not in first:
        upper = shoulders[min(1, len(shoulders) - 1)]  # of two, the first is a collar bone, as Xsens' T4Shoulder
    collar = first.get("collar", first.get("shoulder"))
    roles = {
        "collar": collar if collar != upper else None,
        "shoulder": upper,
        "elbow": first.get("elbow", lower[0] if lower else None),
        "wrist": first.get("wrist", first.get("hand")),
        "hand": first.get("hand") if "wrist" in first else None,
    }
    return {role: joint for role, joint in roles.items() if joint is not None}


def _firsts(chain: list[tuple[int, str]]) -> dict[str, int]:
    first: dict[str, int] = {}
    for joint, kind in chain:
        first.setdefault(kind, joint)
    return first


def _middles(tree: _Tree, found: Mapping[str, int]) -> dict[str, int]:
    """Knees and elbows that names do not tell: the joint nearest to halfway between the ends of the limb."""
    lengths = tree.lengths
    middles: dict[str, int] = {}
    for side in SIDES:
        for start, middle, end in (("knee", "ankle", "foot"), ("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")):
            ends = [(dict(found) | middles).get(f"{side}_{name}") for name in (start, end)]
            if f"{side}_{middle}" in found or ends[0] is None or ends[1] is None:
                continue
            path = tree.between(ends[0], ends[1])
            if len(path) > 1:
                along = lengths[list(path)].cumsum(dim=0)
                middles[f"{side}_{middle}"] = path[int((along[:-1] - along[-1] / 2).abs().argmin())]
    return middles


def _ends(tree: _Tree, found: Mapping[str, int]) -> dict[str, int]:
    """Wrists, ankles and a head that names do not tell: the joint in which the bone of forearm, shin or neck ends."""
    ends: dict[str, int] = {}
    for side in SIDES:
        for middle, end in (("elbow", "wrist"), ("knee", "ankle")):
            last = _last_of_bone(tree, found.get(f"{side}_{middle}"), side)
            if f"{side}_{end}" not in found and last is not None:
                ends[f"{side}_{end}"] = last
    if "head" not in found and (last := _end_of_neck(tree, found)) is not None:
        ends["head"] = last
    return ends


def _end_of_neck(tree: _Tree, found: Mapping[str, int]) -> int | None:
    """Where the neck ends; without a neck, what rises from where the arms meet."""
    necks = [joint for joint, name in enumerate(tree.words) if name.kind == "neck" and not name.aside]
    if necks:
        return _last_of_bone(tree, max(necks, key=lambda joint: len(tree.paths[joint])))
    limbs = [found.get(f"{side}_{joint}") for joint in ("shoulder", "hip") for side in SIDES]
    if None in limbs:
        return None
    chest = tree.common(joint for joint in limbs[:2] if joint is not None)
    last = _last_of_bone(tree, chest)
    rest = tree.skeleton.rest_positions
    shoulders, hips = (
        rest[[joint for joint in pair if joint is not None]].mean(dim=0) for pair in (limbs[:2], limbs[2:])
    )
    rises = last is not None and float(cosine_similarity(rest[last] - rest[chest], shoulders - hips, dim=0)) > _RISES
    return last if rises else None


def _last_of_bone(tree: _Tree, joint: int | None, side: str = "") -> int | None:
    """The farthest child of a joint that is no twist bone nor of another side; None if it has none away from it."""
    children = [] if joint is None else tree.children[joint]
    children = [child for child in children if not tree.words[child].twist and tree.words[child].side in ("", side)]
    last = max(children, key=lambda child: float(tree.lengths[child]), default=None)
    return last if last is not None and float(tree.lengths[last]) > 0 else None


def _palm(tree: _Tree, side: str, wrist: int) -> int | None:
    """The first joint of the middle finger, or else of another one: where the palm points."""
    fingers = {
        joint: name.finger for joint, name in enumerate(tree.words) if name.finger and wrist in tree.paths[joint]
    }
    fingers = {joint: word for joint, word in fingers.items() if word not in ("thumb", "thmb")}
    first = min((len(tree.paths[joint]) for joint in fingers), default=0)
    for words in (("middle", "mid"), ("index", "indx")):
        named = [joint for joint, word in fingers.items() if word in words]
        if named:
            return min(named, key=lambda joint: len(tree.paths[joint]))
    nearest = [joint for joint in fingers if len(tree.paths[joint]) == first]  # numbered, from thumb to little finger
    return nearest[len(nearest) // 2] if nearest else None


def _by_shape(tree: _Tree) -> dict[str, int]:
    """The roles that the tree and the rest pose tell; empty if they tell no body."""
    lengths = tree.lengths
    longest = _longest_paths(tree, lengths)
    pairs = _mirrored_pairs(tree, lengths, longest)
    if len(pairs) < 2:
        return {}
    # legs are the pair nearer to the root, arms the one farther from it; of several, the longest limbs
    pairs = sorted(pairs, key=lambda pair: -pair[3])[:2]
    legs, arms = sorted(pairs, key=lambda pair: len(tree.paths[pair[0]]))
    if legs[0] == arms[0]:
        return {}
    found: dict[str, int] = {}
    for pair, roles in ((legs, ("hip", "knee", "ankle")), (arms, ("shoulder", "elbow", "wrist"))):
        limbs = [_three_joints(longest[start], tree) for start in pair[1:3]]
        if any(limb is None for limb in limbs):
            return {}
        for side, limb in zip(_sides(tree, limbs, legs, arms), limbs, strict=True):
            assert limb is not None
            found |= {f"{side}_{role}": joint for role, joint in zip(roles, limb, strict=True)}
    chest = arms[0]
    others = [child for child in tree.children[chest] if child not in arms[1:3]]
    if not others:
        return {}
    neck = max(others, key=lambda child: float(sum(lengths[joint] for joint in longest[child])))
    found["head"] = longest[neck][min(1, len(longest[neck]) - 1)]
    return found


def _longest_paths(tree: _Tree, lengths: Tensor) -> list[tuple[int, ...]]:
    """Of each joint, the path (with it) to the leaf that is farthest along the bones."""
    reach: list[float] = [0.0] * len(tree.parents)
    path: list[tuple[int, ...]] = [(joint,) for joint in range(len(tree.parents))]
    for joint in range(len(tree.parents) - 1, 0, -1):
        parent, total = tree.parents[joint], reach[joint] + float(lengths[joint])
        if total > reach[parent]:
            reach[parent], path[parent] = total, (parent, *path[joint])
    return path


def _mirrored_pairs(tree: _Tree, lengths: Tensor, longest: list[tuple[int, ...]]) -> list[tuple[int, int, int, float]]:
    """Forks with two branches of like bone lengths: (fork, branch, branch, length of a branch)."""
    pairs = []
    for fork, children in enumerate(tree.children):
        for number, one in enumerate(children):
            for other in children[number + 1 :]:
                shared = min(len(longest[one]), len(longest[other]))  # a prop may hang on one of them
                a, b = (lengths[list(longest[branch][:shared])] for branch in (one, other))
                if shared >= 3 and torch.allclose(a, b, rtol=0.1, atol=0.02 * float(a.sum())):
                    pairs.append((fork, one, other, float(a[1:].sum())))
    return pairs


def _three_joints(path: tuple[int, ...], tree: _Tree) -> tuple[int, int, int] | None:
    """Start, middle and end of a limb: of the two longest neighbouring bones that are about as long as one another.

    A bone may have joints within, as twist bones are: on a straight line, and well inside it.
    """
    if len(path) < 3:
        return None
    path = path[:_MOST_JOINTS]
    along = tree.lengths[list(path)].cumsum(dim=0).tolist()
    straight = tree.skeleton.rest_positions[list(path)]

    def is_bone(a: int, b: int) -> bool:
        length = along[b] - along[a]
        inner = [along[n] - along[n - 1] for n in range(a + 1, b + 1)]
        whole = float((straight[b] - straight[a]).norm()) > _STRAIGHT * length
        return b == a + 1 or (whole and min(inner) > _LEAST_PART * length)

    found, longest = (0, 1, 2), 0.0
    for start, middle, end in itertools.combinations(range(len(path)), 3):
        bones = along[middle] - along[start], along[end] - along[middle]
        alike = min(bones) > _LIKE_BONES * max(bones)
        if alike and sum(bones) > longest and is_bone(start, middle) and is_bone(middle, end):
            found, longest = (start, middle, end), sum(bones)
    return path[found[0]], path[found[1]], path[found[2]]


def _sides(
    tree: _Tree,
    limbs: list[tuple[int, int, int] | None],
    legs: tuple[int, int, int, float],
    arms: tuple[int, int, int, float],
) -> tuple[str, str]:
    """The sides of two limbs: by their names' words for sides, or by the rest pose, left of where the feet point."""
    named = [tree.words[limb[0]].side or tree.words[limb[1]].side for limb in limbs if limb is not None]
    if sorted(named) == ["left", "right"]:
        return named[0], named[1]
    assert limbs[0] is not None and limbs[1] is not None
    rest = tree.skeleton.rest_positions
    up = rest[arms[0]] - rest[legs[0]]
    left = torch.linalg.cross(up, _forward(tree, legs))
    across = rest[limbs[0][0]] - rest[limbs[1][0]]
    return ("left", "right") if float(across @ left) >= 0 else ("right", "left")


def _forward(tree: _Tree, legs: tuple[int, int, int, float]) -> Tensor:
    """Where the legs (3,) say that the front is: where toes point and knees stand out."""
    rest = tree.skeleton.rest_positions
    feet = [tree.paths[leaf] for leaf in range(len(tree.parents)) if not tree.children[leaf]]
    forward = torch.zeros(3)
    for path in (path for path in feet if legs[1] in path or legs[2] in path):
        hip, knee, ankle = _three_joints(path[path.index(legs[0]) + 1 :], tree) or path[-1:] * 3
        forward += rest[path[-1]] - rest[ankle] + rest[knee] - (rest[hip] + rest[ankle]) / 2
    return forward


def _complete(tree: _Tree, found: dict[str, int], sources: dict[str, str]) -> Humanoid:
    """Adds pelvis, spine, chest and neck, which follow from the limbs and the head."""
    joints = dict(found)
    joints.setdefault("pelvis", tree.common([joints["left_hip"], joints["right_hip"]]))
    sources.setdefault("pelvis", "name" if tree.words[joints["pelvis"]].kind in ("pelvis", "spine") else "shape")
    arms = [joints.get(f"{side}_collar", joints[f"{side}_shoulder"]) for side in SIDES]
    chest = tree.common([*arms, joints["head"]])
    while tree.words[chest].kind == "neck" and chest != joints["pelvis"]:  # 3ds Max hangs the arms on the neck
        chest = tree.parents[chest]
    joints.setdefault("chest", chest)
    chest = joints["chest"]
    fork = tree.common([joints["pelvis"], chest])
    spine = tuple(joint for joint in tree.between(fork, chest) if not tree.words[joint].aside)
    necks = tuple(joint for joint in tree.between(chest, joints["head"])[:-1] if not tree.words[joint].aside)
    if necks:
        joints.setdefault("neck", necks[0])
    for role in joints:
        sources.setdefault(role, "shape")
    return Humanoid(tree.skeleton, joints, spine, necks, sources)
