"""motionclip: words, human motion and pictures in one latent space.

>>> model = motionclip.load()
>>> motion = motionclip.text_to_motion(model, "a person waves", seconds=4)
>>> motionclip.write_motion(motion, "wave.bvh")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for type checkers and editors: the same names as in _MODULES
    from motionclip.applications.candidates import candidates as candidates
    from motionclip.applications.caption import caption as caption
    from motionclip.applications.complete import complete as complete
    from motionclip.applications.complete import extend as extend
    from motionclip.applications.direct import Directed as Directed
    from motionclip.applications.direct import Pin as Pin
    from motionclip.applications.direct import PoseAt as PoseAt
    from motionclip.applications.direct import RootPath as RootPath
    from motionclip.applications.directed import direct as direct
    from motionclip.applications.edit import compose as compose
    from motionclip.applications.edit import edit as edit
    from motionclip.applications.edit import restyle as restyle
    from motionclip.applications.evaluate import evaluate as evaluate
    from motionclip.applications.interpolate import interpolate as interpolate
    from motionclip.applications.long import long_motion as long_motion
    from motionclip.applications.loop import make_loop as make_loop
    from motionclip.applications.recognize import recognize as recognize
    from motionclip.applications.reconstruct import reconstruct as reconstruct
    from motionclip.applications.retime import retime as retime
    from motionclip.applications.search import index_library as index_library
    from motionclip.applications.search import search as search
    from motionclip.applications.storyboard import Shot as Shot
    from motionclip.applications.storyboard import storyboard as storyboard
    from motionclip.applications.text_to_motion import text_to_motion as text_to_motion
    from motionclip.applications.tracks import Track as Track
    from motionclip.applications.tracks import overlay as overlay
    from motionclip.formats import load_rig as load_rig
    from motionclip.io import read_motion as read_motion
    from motionclip.io import write_motion as write_motion
    from motionclip.model.pipeline import MotionCLIP as MotionCLIP
    from motionclip.model.pipeline import load as load
    from motionclip.motion import Motion as Motion
    from motionclip.motion import Skeleton as Skeleton

__version__ = "0.1.0"

#: The module of each public name: it is imported on first use, so that `motionclip --help` does not wait for PyTorch.
_MODULES = {
    "Directed": "applications.direct",
    "Motion": "motion",
    "MotionCLIP": "model.pipeline",
    "Pin": "applications.direct",
    "PoseAt": "applications.direct",
    "RootPath": "applications.direct",
    "Shot": "applications.storyboard",
    "Skeleton": "motion",
    "Track": "applications.tracks",
    "candidates": "applications.candidates",
    "caption": "applications.caption",
    "complete": "applications.complete",
    "compose": "applications.edit",
    "direct": "applications.directed",
    "edit": "applications.edit",
    "evaluate": "applications.evaluate",
    "extend": "applications.complete",
    "index_library": "applications.search",
    "interpolate": "applications.interpolate",
    "load": "model.pipeline",
    "load_rig": "formats",
    "long_motion": "applications.long",
    "make_loop": "applications.loop",
    "overlay": "applications.tracks",
    "read_motion": "io",
    "recognize": "applications.recognize",
    "reconstruct": "applications.reconstruct",
    "retime": "applications.retime",
    "restyle": "applications.edit",
    "search": "applications.search",
    "storyboard": "applications.storyboard",
    "text_to_motion": "applications.text_to_motion",
    "write_motion": "io",
}

__all__ = list(_MODULES)


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'motionclip' has no attribute {name!r}")
    value = getattr(import_module(f"motionclip.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
