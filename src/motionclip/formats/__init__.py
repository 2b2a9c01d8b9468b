"""The file formats of motions, one file per format; :mod:`motionclip.io` picks among them by suffix."""

from motionclip.formats.rigs import Rig, load_rig

__all__ = ["Rig", "load_rig"]
