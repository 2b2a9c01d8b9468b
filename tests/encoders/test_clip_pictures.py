"""CLIP's pictures against the plain formula of antialiased bicubic interpolation and of the crop."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from motionclip.encoders.clip.encoder import middle_square


def cubic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic kernel with a = -0.5."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def interpolation(old: int, new: int) -> NDArray[np.float64]:
    """Matrix (new, old) from old pixels to new ones; the kernel widens where pixels get fewer."""
    ratio = old / new
    centres = (np.arange(new) + 0.5) * ratio
    weights = cubic((np.arange(old) + 0.5 - centres[:, None]) / max(ratio, 1.0))
    return weights / weights.sum(axis=1, keepdims=True)


def plain(image: NDArray[np.uint8], size: int) -> NDArray[np.float64]:
    height, width = image.shape[:2]
    high, wide = (int(size * height / width), size) if width < height else (size, int(size * width / height))
    # Pillow goes along the rows first and keeps whole grey levels between the two passes.
    rows = np.rint(np.einsum("xw,hwc->hxc", interpolation(width, wide), image, optimize=True))
    resized = np.einsum("yh,hxc->yxc", interpolation(height, high), rows, optimize=True)
    top, left = round((high - size) / 2), round((wide - size) / 2)
    return resized[top : top + size, left : left + size]


def smooth_picture(height: int, width: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 9 + y / 17), np.sin(x / 5 - y / 23), np.cos(y / 7)]
    return np.stack([127.5 + 100 * wave for wave in waves], axis=-1).astype(np.uint8)


@pytest.mark.parametrize(
    "shape", [(480, 640), (640, 480), (100, 100), (50, 333), (224, 227), (1001, 224), (228, 232), (7, 9)]
)
def test_pictures_follow_the_plain_formula_to_half_a_grey_level(shape: tuple[int, int]) -> None:
    image = smooth_picture(*shape)
    found = middle_square(image, 224)
    assert found.shape == (224, 224, 3)
    assert found.dtype == np.uint8
    error = np.abs(found - plain(image, 224))
    assert (error > 0.51).mean() < 1e-3  # what rounding to 8 bits leaves
    assert error.max() < 1.5  # a value between the passes that lies on a half may round the other way


def test_the_middle_is_kept() -> None:
    image = np.zeros((224, 324, 3), np.uint8)
    image[:, 50:274] = 200
    assert (middle_square(image, 224) == 200).all()
    # Three columns too many: half of three rounds to two, as torchvision has it.
    assert np.array_equal(middle_square(smooth_picture(224, 227), 224), smooth_picture(224, 227)[:, 2:226])


def test_a_picture_of_the_right_size_stays_as_it_is() -> None:
    image = np.random.default_rng(0).integers(0, 256, (336, 336, 3), dtype=np.uint8)
    assert np.array_equal(middle_square(image, 336), image)
