"""What is shown, as a file."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import viser

from motionclip.errors import FormatError, SkeletonError
from motionclip.formats import WRITERS, Rig, check_writable, load_rig
from motionclip.motion.retarget import RIGS
from motionclip.server.answers import file_bytes
from motionclip.studio.panels.values import set_value
from motionclip.studio.session import Take
from motionclip.studio.visitor import Visitor

#: Packages that some formats need.
_NEEDS = {".mp4": "av", ".usd": "pxr", ".usda": "pxr", ".usdc": "pxr", ".usdz": "pxr"}
#: What formats are for, and which.
_GROUPS = {
    "Skeleton": (".bvh", ".csv", ".npz"),
    "Body": (".glb", ".usd", ".usda", ".usdc", ".usdz"),
    "Research": (".amass.npz", ".npy"),
    "Picture": (".mp4", ".webp", ".gif", ".png"),
}
_OWN = "ours"


class Export:
    """A button for each format that can be written here, and on whose skeleton.

    Args:
        visitor: whose.
    """

    def __init__(self, visitor: Visitor):
        self._visitor = visitor
        self._own_rig: Rig | None = None
        gui = visitor.client.gui
        hint = "On whose skeleton: bvh, csv, npz, and glb and usd where the rig has a skin."
        self._rig = gui.add_dropdown("Rig", (_OWN, *RIGS), hint=hint)
        own = gui.add_upload_button("A rig of your own (.bvh .glb)", icon=viser.Icon.UPLOAD, mime_type=".bvh,.glb")
        own.on_upload(lambda _: self._read_rig(own.value))
        for label, suffixes in groups().items():
            group = gui.add_button_group(label, suffixes)
            group.on_click(lambda event: self._export(event.target.value))

    def _read_rig(self, file: viser.UploadedFile) -> None:
        self._visitor.do("rig", lambda job: read_rig(file), self._use_rig)

    def _use_rig(self, rig: Rig) -> None:
        self._own_rig = rig
        self._rig.options = (_OWN, *RIGS, rig.name)
        set_value(self._rig, rig.name)

    def _export(self, suffix: str) -> None:
        shown, rig, own = self._visitor.shown, self._rig.value, self._own_rig
        if shown is None:
            self._visitor.tell("Nothing to export", "make a motion first, or read a file")
            return

        def work(job: object) -> tuple[str, bytes]:
            name = file_name(shown, suffix)
            target = None if rig == _OWN else own if own is not None and own.name == rig else load_rig(rig)
            check_writable(name, target)
            return name, file_bytes(shown.motion, suffix, target)

        self._visitor.do(f"export as {suffix}", work, self._send)

    def _send(self, made: tuple[str, bytes]) -> None:
        self._visitor.client.send_file_download(*made, save_immediately=True)


def groups() -> dict[str, tuple[str, ...]]:
    """Every format that can be written here, by what it is for."""
    known = {suffix: label for label, suffixes in _GROUPS.items() for suffix in suffixes}
    usable = [suffix for suffix in WRITERS if suffix not in _NEEDS or find_spec(_NEEDS[suffix]) is not None]
    labels = dict.fromkeys(known.get(suffix, "Other") for suffix in usable)
    return {label: tuple(s for s in usable if known.get(s, "Other") == label) for label in labels}


def file_name(take: Take, suffix: str) -> str:
    """A plain name for the file of a take."""
    return (re.sub(r"[^a-z0-9]+", "-", take.title.lower()).strip("-") or "motion") + suffix


def read_rig(file: viser.UploadedFile) -> Rig:
    """The rig of an uploaded file, under the file's name.

    Raises:
        FormatError: if it is no rig.
        SkeletonError: if its joints are of no known family, or its rest pose does not stand.
    """
    name = Path(file.name).name
    suffix = Path(name).suffix.lower()
    if suffix not in (".bvh", ".glb"):
        raise FormatError(name, f"a file that ends in {suffix!r}", "a .bvh or .glb file with a skeleton")
    with TemporaryDirectory(prefix="motionclip-") as folder:
        path = Path(folder) / f"rig{suffix}"
        path.write_bytes(file.content)
        try:
            return replace(load_rig(path), name=name)
        except FormatError as error:  # its path says nothing to a user
            raise FormatError(name, error.problem, error.expected, error.line) from error
        except SkeletonError as error:
            raise SkeletonError(str(error).replace(str(path), name)) from error
