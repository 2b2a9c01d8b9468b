"""CLIP's pictures: shorter side to the model's size, bicubic, and the middle square of that.

On pixels, as OpenAI's code does (torchvision's Resize and CenterCrop on a Pillow image).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def middle_square(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """The middle (size, size, 3) of a picture (H, W, 3) whose shorter side is made ``size`` pixels long."""
    from PIL import Image

    height, width = image.shape[:2]
    shorter = min(height, width)
    high, wide = size * height // shorter, size * width // shorter
    if (high, wide) != (height, width):
        image = np.asarray(Image.fromarray(image).resize((wide, high), Image.Resampling.BICUBIC))
    top, left = round((high - size) / 2), round((wide - size) / 2)
    return image[top : top + size, left : left + size]
