"""Joint maps: JSON files that name joints by body part, for skeletons that are not recognised by themselves.

{"pelvis": "Bone01", "left_hip": "Bone02", ..., "#joints": ["Bone01", ...]}

Parts without a name ("") and keys that begin with # are left out; the latter are for whoever edits the file.
"""

from __future__ import annotations

import json
from pathlib import Path

from motionclip.errors import FormatError
from motionclip.formats.files import read_bytes, replacing
from motionclip.gate.documents import DocumentError, Name, checked, parse_object
from motionclip.motion import Skeleton
from motionclip.motion.retarget.humanoid import ROLES, recognised_roles


def read_joint_map(path: str | Path) -> dict[str, str]:
    """Returns role (``humanoid.ROLES``) to joint name.

    Raises:
        FormatError: if the file is missing, or is no JSON object of roles and names.
    """
    expected = 'an object such as {"left_hip": "Bone02"}'
    try:
        found = parse_object(read_bytes(path))
    except DocumentError as error:
        raise FormatError(path, str(error), expected) from error
    named = {}
    for role, name in found.items():
        if role.startswith("#") or name == "":
            continue
        if role not in ROLES:
            raise FormatError(path, f"a body part {role!r}", f"some of {', '.join(ROLES)}")
        try:
            named[role] = checked(name, Name)
        except DocumentError as error:
            raise FormatError(path, f"{role}: {error}", "the name of a joint") from error
    return named


def write_joint_map(skeleton: Skeleton, path: str | Path) -> None:
    """Writes a map to edit: all roles with the joints that were recognised, and the names of all joints."""
    known = recognised_roles(skeleton)
    content = {role: known.get(role, "") for role in ROLES} | {"#joints": list(skeleton.names)}
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
