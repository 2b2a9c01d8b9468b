"""One file per format; `read_motion` and `write_motion` pick by suffix."""

from motionclip.formats.registry import READERS, WRITERS, check_writable, read_motion, write_motion
from motionclip.formats.rigs import Rig, load_rig

__all__ = ["READERS", "WRITERS", "Rig", "check_writable", "load_rig", "read_motion", "write_motion"]
