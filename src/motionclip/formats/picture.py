"""PNG: a motion as one picture, a film strip."""

from __future__ import annotations

from pathlib import Path

from motionclip.formats.files import replacing
from motionclip.motion import Motion


def write_picture(motion: Motion, path: str | Path) -> None:
    """Writes a film strip of the motion as PNG.

    Args:
        motion: on any skeleton that can be retargeted to the default body.
        path: the file; written under a temporary name and renamed.
    """
    from motionclip.render import filmstrip

    with replacing(path) as temporary:
        filmstrip(motion).save(temporary, format="PNG", optimize=True)
