"""motionclip: words, human motion and pictures in one latent space.

>>> model = motionclip.load()
>>> motion = motionclip.text_to_motion(model, "a person waves", seconds=4)
>>> motionclip.write_motion(motion, "wave.bvh")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from motionclip.applications.caption import caption
    from motionclip.applications.complete import complete, extend
    from motionclip.applications.edit import compose, edit, restyle
    from motionclip.applications.evaluate import evaluate
    from motionclip.applications.interpolate import interpolate
    from motionclip.applications.recognize import recognize
    from motionclip.applications.reconstruct import reconstruct
    from motionclip.applications.search import index_library, search
    from motionclip.applications.storyboard import Shot, storyboard
    from motionclip.applications.text_to_motion import text_to_motion
    from motionclip.formats import load_rig
    from motionclip.io import read_motion, write_motion
    from motionclip.model.pipeline import MotionCLIP, load
    from motionclip.motion import Motion, Skeleton

__version__ = "0.1.0"

#: Where each public name is defined. It is imported on first use, so that `motionclip --help` does not wait for PyTorch.
_MODULES = {
    "Motion": "motion",
    "MotionCLIP": "model.pipeline",
    "Shot": "applications.storyboard",
    "Skeleton": "motion",
    "caption": "applications.caption",
    "compose": "applications.edit",
    "edit": "applications.edit",
    "evaluate": "applications.evaluate",
    "extend": "applications.complete",
    "complete": "applications.complete",
    "index_library": "applications.search",
    "interpolate": "applications.interpolate",
    "load": "model.pipeline",
    "load_rig": "formats",
    "read_motion": "io",
    "recognize": "applications.recognize",
    "reconstruct": "applications.reconstruct",
    "restyle": "applications.edit",
    "search": "applications.search",
    "storyboard": "applications.storyboard",
    "text_to_motion": "applications.text_to_motion",
    "write_motion": "io",
}

__all__ = [
    "Motion",
    "MotionCLIP",
    "Shot",
    "Skeleton",
    "caption",
    "complete",
    "compose",
    "edit",
    "evaluate",
    "extend",
    "index_library",
    "interpolate",
    "load",
    "load_rig",
    "read_motion",
    "recognize",
    "reconstruct",
    "restyle",
    "search",
    "storyboard",
    "text_to_motion",
    "write_motion",
]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'motionclip' has no attribute {name!r}")
    value = getattr(import_module(f"motionclip.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
