"""A z-buffer rasteriser, compiled. Deterministic, headless, one thread; releases the GIL.

Arrays here are float32 unless said otherwise; images have their first row at the top. Bodies are
drawn at twice the resolution and averaged 2 x 2; the ground is filtered analytically. All loops stay
inside the bounding box of what they draw.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

SUPERSAMPLING = 2
SHADOW_CELLS = 72  # cells along one side of a shadow's square
SHADOW_SIDE = 3.6  # metres
_SHADOW_STRENGTH = 0.42
# The numpy error model: a check of every divisor would keep loops from running on vectors.
_compiled = njit(cache=True, fastmath=True, nogil=True, error_model="numpy")


@_compiled
def project(vertices: Floats, eye: Floats, axes: Floats, focal: np.float32, width: int, height: int) -> Floats:
    """Screen positions (V, 3) of world points (V, 3): x and y in pixels, and 1 / depth (<= 0: behind the eye)."""
    screen = np.empty_like(vertices)
    for i in range(vertices.shape[0]):
        x, y, z = vertices[i, 0] - eye[0], vertices[i, 1] - eye[1], vertices[i, 2] - eye[2]
        right = axes[0, 0] * x + axes[0, 1] * y + axes[0, 2] * z
        up = axes[1, 0] * x + axes[1, 1] * y + axes[1, 2] * z
        depth = -(axes[2, 0] * x + axes[2, 1] * y + axes[2, 2] * z)
        inverse = np.float32(1.0) / depth if depth > 0.05 else np.float32(-1.0)
        screen[i, 0] = np.float32(0.5) * width + focal * right * inverse
        screen[i, 1] = np.float32(0.5) * height - focal * up * inverse
        screen[i, 2] = inverse
    return screen


@_compiled
def vertex_normals(vertices: Floats, faces: Ints) -> Floats:
    """Unit normals (V, 3): the mean of the normals of the faces (F, 3) around a vertex, weighted by area."""
    normals = np.zeros_like(vertices)
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ux, uy, uz = vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1], vertices[b, 2] - vertices[a, 2]
        vx, vy, vz = vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1], vertices[c, 2] - vertices[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for corner in (a, b, c):
            normals[corner, 0] += nx
            normals[corner, 1] += ny
            normals[corner, 2] += nz
    for i in range(normals.shape[0]):
        length = np.sqrt(normals[i, 0] ** 2 + normals[i, 1] ** 2 + normals[i, 2] ** 2) + np.float32(1e-12)
        for k in range(3):
            normals[i, k] /= length
    return normals


@_compiled
def shade(normals: Floats, light: Floats, axes: Floats) -> Floats:
    """Brightness (V,): Lambert light from ``light`` (3,), soft light from the sky, and a little from the viewer.

    Args:
        normals: (V, 3) unit.
        light: (3,) unit, towards the light.
        axes: (3, 3) of the camera; its third row points at the viewer.
    """
    brightness = np.empty(normals.shape[0], dtype=np.float32)
    for i in range(normals.shape[0]):
        x, y, z = normals[i, 0], normals[i, 1], normals[i, 2]
        lambert = max(np.float32(0.0), x * light[0] + y * light[1] + z * light[2])
        facing = max(np.float32(0.0), x * axes[2, 0] + y * axes[2, 1] + z * axes[2, 2])
        sky = np.float32(0.5) * (np.float32(1.0) + y)
        brightness[i] = 0.36 + 0.22 * sky + 0.50 * lambert + 0.14 * facing
    return brightness


@_compiled
def fill(
    screen: Floats, brightness: Floats, faces: Ints, number: int, depth: Floats, value: Floats, owner: Ints
) -> None:
    """Draws the faces of body ``number`` that look at the viewer into the depth, value and owner buffers.

    ``depth`` keeps the largest 1 / depth; ``value`` the brightness and ``owner`` the number of what is there.
    """
    height, width = depth.shape
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay, bx, by, cx, cy = screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1], screen[c, 0], screen[c, 1]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area >= 0 or screen[a, 2] <= 0 or screen[b, 2] <= 0 or screen[c, 2] <= 0:
            continue  # y points down, so a face seen from outside has a negative area
        left, right = max(0, int(np.ceil(min(ax, bx, cx) - 0.5))), min(width - 1, int(np.floor(max(ax, bx, cx) - 0.5)))
        top, bottom = max(0, int(np.ceil(min(ay, by, cy) - 0.5))), min(height - 1, int(np.floor(max(ay, by, cy) - 0.5)))
        scale = np.float32(1.0) / area
        step_b, step_c = (cy - ay) * scale, (ay - by) * scale  # how the weights change from column to column
        start = np.float32(left + 0.5) - ax
        for row in range(top, bottom + 1):
            down = np.float32(row + 0.5) - ay
            wb, wc = start * step_b - down * (cx - ax) * scale, start * step_c + down * (bx - ax) * scale
            for column in range(left, right + 1):
                wa = np.float32(1.0) - wb - wc
                if wa >= 0 and wb >= 0 and wc >= 0:
                    nearness = wa * screen[a, 2] + wb * screen[b, 2] + wc * screen[c, 2]
                    if nearness > depth[row, column]:
                        depth[row, column] = nearness
                        value[row, column] = wa * brightness[a] + wb * brightness[b] + wc * brightness[c]
                        owner[row, column] = number
                wb += step_b
                wc += step_c


@_compiled
def resolve(image: Floats, depth: Floats, value: Floats, owner: Ints, colours: Floats) -> None:
    """Blends the bodies into the image (H, W, 3), 2 x 2 samples a pixel, and clears the depth buffer."""
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            covered, red, green, blue = 0, np.float32(0.0), np.float32(0.0), np.float32(0.0)
            for y in range(2 * row, 2 * row + 2):
                for x in range(2 * column, 2 * column + 2):
                    if depth[y, x] > 0:
                        covered += 1
                        who, bright = owner[y, x], value[y, x]
                        red += min(np.float32(1.0), colours[who, 0] * bright)
                        green += min(np.float32(1.0), colours[who, 1] * bright)
                        blue += min(np.float32(1.0), colours[who, 2] * bright)
                        depth[y, x] = 0
            if covered:
                rest = np.float32(4 - covered)
                image[row, column, 0] = (image[row, column, 0] * rest + red) * np.float32(0.25)
                image[row, column, 1] = (image[row, column, 1] * rest + green) * np.float32(0.25)
                image[row, column, 2] = (image[row, column, 2] * rest + blue) * np.float32(0.25)


@_compiled
def shadow_corner(vertices: Floats, light: Floats) -> Floats:
    """The corner (x, z) of the square on the floor that a body's shadow is drawn in."""
    low, high = vertices[0].copy(), vertices[0].copy()
    for i in range(vertices.shape[0]):
        for k in range(3):
            low[k], high[k] = min(low[k], vertices[i, k]), max(high[k], vertices[i, k])
    middle = (low + high) * np.float32(0.5)
    thrown = max(middle[1], np.float32(0.0)) / light[1]
    corner = np.empty(2, dtype=np.float32)
    corner[0] = middle[0] - light[0] * thrown - np.float32(SHADOW_SIDE / 2)
    corner[1] = middle[2] - light[2] * thrown - np.float32(SHADOW_SIDE / 2)
    return corner


@_compiled
def shadow_map(vertices: Floats, light: Floats, corner: Floats) -> Floats:
    """Soft shadow (N, N) of points (V, 3) on the floor y = 0, in [0, 1]; cell (0, 0) is at ``corner`` (x, z).

    Each point is thrown along the light onto the floor and spread over four cells; points high above the
    floor count less. The map is then blurred.
    """
    cells, size = np.zeros((SHADOW_CELLS, SHADOW_CELLS), dtype=np.float32), np.float32(SHADOW_SIDE / SHADOW_CELLS)
    share = np.float32(7000.0 / vertices.shape[0])
    for i in range(vertices.shape[0]):
        height = max(np.float32(0.0), vertices[i, 1])
        x = (vertices[i, 0] - light[0] / light[1] * height - corner[0]) / size - np.float32(0.5)
        z = (vertices[i, 2] - light[2] / light[1] * height - corner[1]) / size - np.float32(0.5)
        column, row = int(np.floor(x)), int(np.floor(z))
        if 0 <= column < SHADOW_CELLS - 1 and 0 <= row < SHADOW_CELLS - 1:
            weight = share / (np.float32(1.0) + height * height * np.float32(0.8))
            fx, fz = x - column, z - row
            cells[row, column] += weight * (1 - fx) * (1 - fz)
            cells[row, column + 1] += weight * fx * (1 - fz)
            cells[row + 1, column] += weight * (1 - fx) * fz
            cells[row + 1, column + 1] += weight * fx * fz
    cells = np.float32(1.0) - np.exp(-cells * np.float32(0.22))
    for _ in range(2):
        cells = _blurred(_blurred(cells).T).T
    return cells


@_compiled
def _blurred(cells: Floats) -> Floats:
    """The map blurred along its rows by the binomial kernel (1 4 6 4 1) / 16; nothing lies outside."""
    out = np.zeros(cells.shape, dtype=np.float32)
    for row in range(2, cells.shape[0] - 2):
        for column in range(cells.shape[1]):
            near = cells[row - 1, column] + cells[row + 1, column]
            far = cells[row - 2, column] + cells[row + 2, column]
            out[row, column] = (6 * cells[row, column] + 4 * near + far) * np.float32(0.0625)
    return out


@_compiled
def darken(image: Floats, cells: Floats, corner: Floats, eye: Floats, axes: Floats, focal: np.float32) -> None:
    """Lays a shadow map onto the floor y = 0 of the image (H, W, 3)."""
    height, width = image.shape[0], image.shape[1]
    size = np.float32(SHADOW_SIDE / SHADOW_CELLS)
    square = np.empty((4, 3), dtype=np.float32)
    for i in range(4):
        square[i, 0], square[i, 1], square[i, 2] = (
            corner[0] + (i % 2) * SHADOW_SIDE,
            0,
            corner[1] + (i // 2) * SHADOW_SIDE,
        )
    bounds = project(square, eye, axes, focal, width, height)
    behind = bounds[:, 2].min() <= 0
    left, right = (0, width) if behind else (max(0, int(bounds[:, 0].min())), min(width, int(bounds[:, 0].max()) + 1))
    top, bottom = (0, height) if behind else (max(0, int(bounds[:, 1].min())), min(height, int(bounds[:, 1].max()) + 1))
    for row in range(top, bottom):
        for column in range(left, right):
            x, z, depth = _floor_point(np.float32(column + 0.5), np.float32(row + 0.5), width, height, eye, axes, focal)
            u, v = (x - corner[0]) / size - np.float32(0.5), (z - corner[1]) / size - np.float32(0.5)
            i, j = int(np.floor(u)), int(np.floor(v))
            if depth <= 0 or i < 0 or j < 0 or i >= SHADOW_CELLS - 1 or j >= SHADOW_CELLS - 1:
                continue
            fu, fv = u - i, v - j
            upper = cells[j, i] * (1 - fu) + cells[j, i + 1] * fu
            lower = cells[j + 1, i] * (1 - fu) + cells[j + 1, i + 1] * fu
            light = np.float32(1.0) - np.float32(_SHADOW_STRENGTH) * (upper * (1 - fv) + lower * fv)
            for channel in range(3):
                image[row, column, channel] *= light


@_compiled
def _floor_point(
    x: np.float32, y: np.float32, width: int, height: int, eye: Floats, axes: Floats, focal: np.float32
) -> tuple[np.float32, np.float32, np.float32]:
    """Where the ray through image point (x, y) meets the floor: world x, z and depth; depth 0 if it does not."""
    right, up = (x - np.float32(0.5 * width)) / focal, (np.float32(0.5 * height) - y) / focal
    dy = axes[0, 1] * right + axes[1, 1] * up - axes[2, 1]
    depth = max(np.float32(0.0), eye[1]) / max(np.float32(1e-4), -dy) * (dy < 0)
    dx = axes[0, 0] * right + axes[1, 0] * up - axes[2, 0]
    dz = axes[0, 2] * right + axes[1, 2] * up - axes[2, 2]
    return eye[0] + depth * dx, eye[2] + depth * dz, depth


@_compiled
def _square_wave(x: np.float32, width: np.float32) -> np.float32:
    """Mean of the square wave +1 on [0, 1), -1 on [1, 2), ... over an interval of ``width`` around x."""
    half = max(width, np.float32(1e-4)) * np.float32(0.5)
    return (_triangle(x + half) - _triangle(x - half)) / (half + half)


@_compiled
def _triangle(x: np.float32) -> np.float32:
    """The integral of the square wave: a triangle wave of period 2 and height 1."""
    phase = x - np.float32(2.0) * np.floor(x * np.float32(0.5))
    return np.float32(1.0) - abs(phase - np.float32(1.0))


@_compiled
def ground(
    height: int, width: int, eye: Floats, axes: Floats, focal: np.float32, centre: Floats, reach: float, colours: Floats
) -> Floats:
    """An empty scene (H, W, 3): a checkered floor that fades into the background.

    The checkers are averaged over the floor that a pixel sees, taken as a rectangle along x and z.

    Args:
        height: pixels.
        width: pixels.
        eye: (3,) of the camera, metres.
        axes: (3, 3) of the camera, without roll: its right is level.
        focal: focal length, pixels.
        centre: (2,) x and z where the floor is clearest, metres.
        reach: distance from there at which it has faded, metres.
        colours: (3, 3) of background, dark and light tiles, in [0, 1]; tiles are half a metre wide.
    """
    image = np.empty((height, width, 3), dtype=np.float32)
    one, half, faded = np.float32(1.0), np.float32(0.5), np.float32(1.0 / (reach * reach))
    light, dark = np.empty(width, dtype=np.float32), np.empty(width, dtype=np.float32)  # how much of each tile
    for row in range(height):
        y = np.float32(row + 0.5)
        for column in range(width):  # apart from the storing below: so it runs on vectors
            x, z, distance = _floor_point(np.float32(column + 0.5), y, width, height, eye, axes, focal)
            away = (x - centre[0]) * (x - centre[0]) + (z - centre[1]) * (z - centre[1])
            fade = max(np.float32(0.0), one - away * faded) * (distance > 0)
            # One pixel right moves the floor point by `step` along the camera's level right axis; one pixel
            # down moves it towards the camera, by more the flatter the ray comes in.
            step = distance / focal
            steep = step * distance / eye[1]
            across = abs(step * axes[0, 0]) + abs(steep * axes[2, 0])
            along = abs(step * axes[0, 2]) + abs(steep * axes[2, 2])
            mix = half + half * _square_wave(x + x, across + across) * _square_wave(z + z, along + along)
            light[column], dark[column] = fade * fade * mix, fade * fade * (one - mix)
        for column in range(width):
            for k in range(3):
                tiles = light[column] * (colours[2, k] - colours[0, k]) + dark[column] * (colours[1, k] - colours[0, k])
                image[row, column, k] = colours[0, k] + tiles
    return image
