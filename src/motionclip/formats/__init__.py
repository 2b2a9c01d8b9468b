"""The file formats of motions, one file per format; :mod:`motionclip.io` picks among them by suffix."""

from motionclip.formats.rigs import RIG_SUFFIXES, Rig, load_rig

__all__ = ["RIG_SUFFIXES", "Rig", "load_rig"]
