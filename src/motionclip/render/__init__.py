"""Images of motions, by a rasteriser that needs neither a display nor a graphics card."""

from motionclip.render.clip_frames import render_clip_frames
from motionclip.render.films import Film, make_film, render_frames
from motionclip.render.scene import Look, stick_figure
from motionclip.render.stills import contact_sheet, filmstrip, strobe

__all__ = [
    "Film",
    "Look",
    "contact_sheet",
    "filmstrip",
    "make_film",
    "render_clip_frames",
    "render_frames",
    "stick_figure",
    "strobe",
]
