"""The rasteriser against slow twins."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from motionclip.render import raster
from motionclip.render.camera import Camera, view_axes
from motionclip.render.scene import Look, Scene

SIZE = 24


def buffers() -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    return np.zeros((SIZE, SIZE), np.float32), np.zeros((SIZE, SIZE), np.float32), np.full((SIZE, SIZE), -1, np.int32)


def triangles(seed: int, count: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """Corners on the screen (some outside it), their brightness, and faces that look at the viewer."""
    rng = np.random.default_rng(seed)
    screen = (rng.random((3 * count, 3)) * [1.6 * SIZE, 1.6 * SIZE, 1] - [0.3 * SIZE, 0.3 * SIZE, -0.2]).astype("f4")
    faces = np.arange(3 * count, dtype=np.int32).reshape(-1, 3)
    for face in faces:
        (ax, ay), (bx, by), (cx, cy) = screen[face, :2]
        if (bx - ax) * (cy - ay) > (by - ay) * (cx - ax):
            face[1], face[2] = face[2], face[1]
    return screen, rng.random(3 * count).astype("f4"), faces


def filled_one_by_one(
    screen: NDArray[np.float32], brightness: NDArray[np.float32], faces: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slow twin of ``fill``: for each pixel centre, barycentric weights by a linear system, the nearest face wins."""
    depth, value = np.zeros((SIZE, SIZE)), np.zeros((SIZE, SIZE))
    for row in range(SIZE):
        for column in range(SIZE):
            for face in faces:
                system = np.vstack([screen[face, :2].T, np.ones(3)]).astype(float)
                weights = np.linalg.solve(system, [column + 0.5, row + 0.5, 1])
                nearness = weights @ screen[face, 2]
                if (weights >= 0).all() and nearness > depth[row, column]:
                    depth[row, column], value[row, column] = nearness, weights @ brightness[face]
    return depth, value


@pytest.mark.parametrize("seed", range(4))
def test_fill_equals_the_slow_twin(seed: int) -> None:
    screen, brightness, faces = triangles(seed, 6)
    depth, value, owner = buffers()
    raster.fill(screen, brightness, faces, 3, depth, value, owner)
    slow_depth, slow_value = filled_one_by_one(screen, brightness, faces)
    differ = np.abs(depth - slow_depth) > 1e-4
    assert differ.sum() <= 2  # pixel centres that lie on an edge to within rounding
    assert np.abs(value - slow_value)[~differ].max() < 1e-3
    assert ((owner == 3) == (depth > 0)).all()
    assert 20 < (depth > 0).sum() < SIZE * SIZE


def test_faces_seen_from_behind_or_behind_the_eye_are_not_drawn() -> None:
    screen, brightness, faces = triangles(0, 6)
    depth, value, owner = buffers()
    raster.fill(screen, brightness, faces[:, ::-1].copy(), 0, depth, value, owner)
    screen[:, 2] = -1
    raster.fill(screen, brightness, faces, 0, depth, value, owner)
    assert not depth.any()


def test_project_equals_the_pinhole_formula() -> None:
    axes, eye = view_axes(0.7, 0.3).astype("f4"), np.array([1, 2, 5], "f4")
    points = np.random.default_rng(0).normal(size=(50, 3)).astype("f4")
    x, y, z = ((points - eye) @ axes.T).T
    screen = raster.project(points, eye, axes, np.float32(100), 64, 48)
    assert np.allclose(screen[:, 0], 32 + 100 * x / -z, atol=1e-3)
    assert np.allclose(screen[:, 1], 24 - 100 * y / -z, atol=1e-3)
    assert np.allclose(screen[:, 2], 1 / -z, atol=1e-5)
    assert raster.project(eye[None] + axes[2:], eye, axes, np.float32(100), 64, 48)[0, 2] < 0


def test_normals_of_a_tetrahedron_point_away_from_its_middle() -> None:
    corners = np.array([[1, 1, 1], [-1, -1, 1], [-1, 1, -1], [1, -1, -1]], "f4")
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32)
    assert np.allclose(raster.vertex_normals(corners, faces), corners / np.sqrt(3), atol=1e-6)


def test_resolve_mixes_the_samples_of_a_pixel_and_clears_the_depth() -> None:
    picture = np.full((2, 2, 3), 0.8, np.float32)
    depth, value, owner = np.zeros((4, 4), "f4"), np.full((4, 4), 0.5, "f4"), np.zeros((4, 4), np.int32)
    depth[0, 0] = depth[2:, 2:] = 1
    raster.resolve(picture, depth, value, owner, np.array([[1, 0.4, 4.0]], "f4"))
    assert np.allclose(picture[0, 0], [0.725, 0.65, 0.85])  # three quarters of what was there
    assert np.allclose(picture[1, 1], [0.5, 0.2, 1.0])
    assert np.allclose(picture[0, 1], 0.8)
    assert not depth.any()


def lens(camera: Camera, size: int) -> tuple[NDArray[np.float32], NDArray[np.float32], np.float32]:
    focal = np.float32(size / 2 / np.tan(camera.field_of_view / 2))
    return camera.eye.astype("f4"), camera.axes.astype("f4"), focal


def test_ground_equals_the_mean_over_each_pixel() -> None:
    axes, size, fine = view_axes(0.5, 0.6), 16, 16
    camera = Camera(axes[2] * 4 + [0.1, 0.0, 0.2], axes, 0.5)
    tones = np.array([[1, 1, 1], [0, 0, 0], [1, 1, 1]], "f4")
    eye, rows, focal = lens(camera, size)
    drawn = raster.ground(size, size, eye, rows, focal, np.zeros(2, "f4"), 1e3, tones)[..., 0]
    steps = (np.arange(size * fine) + 0.5) / fine
    right, down = np.meshgrid((steps - size / 2) / focal, (steps - size / 2) / focal)
    rays = right[..., None] * axes[0] - down[..., None] * axes[1] - axes[2]
    points = camera.eye + rays * (-camera.eye[1] / rays[..., 1:2])
    tiles = (np.floor(2 * points[..., 0]) + np.floor(2 * points[..., 2])) % 2 == 0
    mean = tiles.reshape(size, fine, size, fine).mean((1, 3))
    assert np.abs(drawn - mean).mean() < 0.08  # a pixel's patch of floor is not quite a rectangle
    inside = (mean == 0) | (mean == 1)
    assert inside.sum() > 40
    assert np.abs(drawn - mean)[inside].mean() < 0.02


def test_ground_is_background_above_the_horizon_and_far_away() -> None:
    look = Look()
    scene = Scene(np.zeros((0, 3), np.int32), 32, 32, look)
    axes = view_axes(0.0, 0.05)
    picture = scene.ground(Camera(np.array([0, 1.0, 5.0]), axes, 0.8), (0.0, 0.0))
    assert np.allclose(picture[:10], look.background)
    assert np.abs(picture[-1] - look.background).max() > 0.02


def test_shadow_falls_below_and_away_from_the_light() -> None:
    points = np.random.default_rng(0).normal(size=(4000, 3)).astype("f4") * 0.05
    light = np.array([0.6, 0.8, 0.0], "f4")
    corner = np.array([-1.8, -1.8], "f4")
    cell = raster.SHADOW_SIDE / raster.SHADOW_CELLS

    def middle_of_shadow(height: float) -> NDArray[np.float64]:
        cells = raster.shadow_map(points + np.array([0, height, 0], "f4"), light, corner)
        rows, columns = np.mgrid[: raster.SHADOW_CELLS, : raster.SHADOW_CELLS]
        assert cells.min() >= 0 and cells.max() <= 1
        centre = np.array([(cells * columns).sum(), (cells * rows).sum()]) / cells.sum()
        return (centre + 0.5) * cell + corner

    assert np.allclose(middle_of_shadow(0.2), [-0.15, 0], atol=0.02)
    assert np.allclose(middle_of_shadow(1.0), [-0.75, 0], atol=0.02)
    lifted = raster.shadow_map(points + np.array([0, 1.5, 0], "f4"), light, corner)
    assert lifted.max() < raster.shadow_map(points + np.array([0, 0.2, 0], "f4"), light, corner).max()


def test_darken_changes_only_the_floor_in_the_square() -> None:
    axes = view_axes(0.0, 0.3)
    eye, rows, focal = lens(Camera(axes[2] * 8, axes, 0.8), 64)
    cells, corner = np.ones((raster.SHADOW_CELLS, raster.SHADOW_CELLS), "f4"), np.array([-1.8, -1.8], "f4")
    picture = np.ones((64, 64, 3), np.float32)
    raster.darken(picture, cells, corner, eye, rows, focal)
    assert picture[32, 32, 0] < 0.7
    assert (picture[:16] == 1).all() and (picture[32, :8] == 1).all()
