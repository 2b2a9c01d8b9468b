"""CSV: the path of the root and the contacts of the feet as curves, for game engines."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from motionclip.formats.files import replacing
from motionclip.motion import Motion, heading
from motionclip.motion.contacts import CONTACT_JOINTS, foot_contacts
from motionclip.motion.retarget import on_canonical


def write_curves(motion: Motion, path: str | Path) -> None:
    """Writes where the body is and faces, and which foot joints touch the floor: a header, then a line for each frame.

    The columns are ``time`` in seconds, ``root_x``, ``root_y``, ``root_z`` in metres, Y up, ``yaw`` in degrees (0 faces
    +Z, positive turns towards +X, continuous over whole turns), and for each ankle and toe base 1 on the floor, else 0.

    Args:
        motion: on any human-like skeleton.
        path: the file; it appears whole or not at all.

    Raises:
        SkeletonError: if no human body is found in the skeleton.
    """
    body = on_canonical(motion)
    times = np.arange(body.num_frames)[:, None] / body.fps
    yaw = np.rad2deg(np.unwrap(heading(body).double().numpy(force=True)))[:, None]
    contacts = foot_contacts(body.positions, body.fps).numpy(force=True)
    table = np.concatenate([times, body.root.double().numpy(force=True), yaw, contacts], axis=1)
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerow(["time", "root_x", "root_y", "root_z", "yaw", *CONTACT_JOINTS])
        np.savetxt(file, table, fmt=["%.6f"] * 5 + ["%d"] * len(CONTACT_JOINTS), delimiter=",")
