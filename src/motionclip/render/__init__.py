"""Pictures of motions, by a rasteriser that needs neither a display nor a graphics card."""

from motionclip.render.frames import each_frame, render_frames
from motionclip.render.portraits import portraits
from motionclip.render.scene import Look
from motionclip.render.strips import contact_sheet, filmstrip

__all__ = ["Look", "contact_sheet", "each_frame", "filmstrip", "portraits", "render_frames"]
