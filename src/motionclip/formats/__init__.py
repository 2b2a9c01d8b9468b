"""One file per format; `read_motion` and `write_motion` pick by suffix."""

from motionclip.formats.registry import READERS, WRITERS, check_writable, read_motion, write_motion

__all__ = ["READERS", "WRITERS", "check_writable", "read_motion", "write_motion"]
