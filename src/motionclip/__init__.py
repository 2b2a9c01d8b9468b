"""motionclip: words, human motion and pictures in one latent space."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from motionclip.applications.text_to_motion import text_to_motion
    from motionclip.formats import read_motion, write_motion
    from motionclip.model.pipeline import MotionCLIP, load
    from motionclip.motion import Motion, Skeleton

__version__ = "0.1.0"
__all__ = ["Motion", "MotionCLIP", "Skeleton", "load", "read_motion", "text_to_motion", "write_motion"]

# Imported when first asked for, so that `motionclip --help` does not wait for PyTorch.
_HOMES = {
    "Motion": "motionclip.motion",
    "MotionCLIP": "motionclip.model.pipeline",
    "Skeleton": "motionclip.motion",
    "load": "motionclip.model.pipeline",
    "read_motion": "motionclip.formats",
    "text_to_motion": "motionclip.applications.text_to_motion",
    "write_motion": "motionclip.formats",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'motionclip' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
