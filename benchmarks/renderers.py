"""Other renderers drawing what `render.portraits` draws: a grey body on white, by the same camera, for comparison.

Each is made for one mesh and picture size and is called with vertices (V, 3), their unit normals (V, 3) and a camera;
it returns a picture (H, W, 3) uint8 with its first row at the top. All of them light from the viewer's left above.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from motionclip.render.camera import Camera
from motionclip.render.scene import Look, Scene, to_bytes

Floats = NDArray[np.float32]
LOOK = Look(background=(1.0, 1.0, 1.0))
GREY = 0.7
NEAR, FAR = 0.1, 50.0


class Ours:
    """The rasteriser of this project; it makes the normals itself."""

    package = "motionclip"

    def __init__(self, faces: NDArray[np.int32], size: int):
        self.scene = Scene(faces, size, size, LOOK)

    def __call__(self, vertices: Floats, normals: Floats, camera: Camera) -> NDArray[np.uint8]:
        picture = np.ones((self.scene.height, self.scene.width, 3), np.float32)
        self.scene.draw_bodies(picture, vertices[None], np.full((1, 3), GREY, np.float32), camera)
        return to_bytes(picture)


def view_of(camera: Camera) -> Floats:
    """World to camera, (4, 4), acting on columns; the camera looks along -z."""
    view = np.eye(4, dtype=np.float32)
    view[:3, :3], view[:3, 3] = camera.axes, -camera.axes @ camera.eye
    return view


def light_of(camera: Camera) -> Floats:
    """(3,) unit, towards the light, in the world."""
    towards = np.array(LOOK.light) @ camera.axes
    return (towards / np.linalg.norm(towards)).astype(np.float32)


class ModernGL:
    """OpenGL through EGL: on a machine without a graphics card Mesa's llvmpipe. Four samples a pixel."""

    package = "moderngl"

    def __init__(self, faces: NDArray[np.int32], size: int):
        import moderngl

        self.size = size
        self.context = moderngl.create_context(standalone=True, backend="egl")
        self.context.enable(moderngl.DEPTH_TEST | moderngl.CULL_FACE)
        self.program = self.context.program(vertex_shader=_VERTEX, fragment_shader=_FRAGMENT)
        self.data = self.context.buffer(reserve=24 * (int(faces.max()) + 1))
        self.array = self.context.vertex_array(
            self.program, [(self.data, "3f 3f", "place", "normal")], self.context.buffer(faces.tobytes())
        )
        self.several = self.context.simple_framebuffer((size, size), samples=4)
        self.single = self.context.simple_framebuffer((size, size))

    def __call__(self, vertices: Floats, normals: Floats, camera: Camera) -> NDArray[np.uint8]:
        self.data.write(np.hstack([vertices, normals]).tobytes())
        slope = 1 / np.tan(camera.field_of_view / 2)
        projection = np.diag([slope, slope, -(FAR + NEAR) / (FAR - NEAR), 0]).astype(np.float32)
        projection[2, 3], projection[3, 2] = -2 * FAR * NEAR / (FAR - NEAR), -1
        self.program["screen"].write((projection @ view_of(camera)).T.tobytes())
        self.program["light"].write(light_of(camera).tobytes())
        self.several.use()
        self.several.clear(1, 1, 1)
        self.array.render()
        self.context.copy_framebuffer(self.single, self.several)
        pixels = np.frombuffer(self.single.read(components=3, alignment=1), np.uint8)
        return pixels.reshape(self.size, self.size, 3)[::-1]


_VERTEX = """
#version 330
uniform mat4 screen;
in vec3 place;
in vec3 normal;
out vec3 side;
void main() { side = normal; gl_Position = screen * vec4(place, 1.0); }
"""
_FRAGMENT = """
#version 330
uniform vec3 light;
in vec3 side;
out vec4 colour;
void main() { colour = vec4(vec3(0.7 * (0.45 + 0.6 * max(0.0, dot(normalize(side), light)))), 1.0); }
"""


class Panda3D:
    """Panda3D's own software renderer, which has no anti-aliasing: so at twice the size, averaged 2 x 2."""

    package = "panda3d"

    def __init__(self, faces: NDArray[np.int32], size: int):
        from panda3d import core

        core.load_prc_file_data("", "load-display p3tinydisplay\naudio-library-name null")
        core.load_prc_file_data("", "notify-level error\ncoordinate-system yup-right")
        self.core, self.size = core, 2 * size
        self.engine = core.GraphicsEngine.get_global_ptr()
        pipe = core.GraphicsPipeSelection.get_global_ptr().make_default_pipe()
        shape = core.FrameBufferProperties()
        shape.rgb_color, shape.depth_bits = True, 24
        flags = core.GraphicsPipe.BF_refuse_window
        window = core.WindowProperties.size(self.size, self.size)
        self.buffer = self.engine.make_output(pipe, "picture", 0, shape, window, flags)
        self.buffer.set_clear_color((1, 1, 1, 1))
        self.pixels = core.Texture()
        self.buffer.add_render_texture(self.pixels, core.GraphicsOutput.RTM_copy_ram)
        self._set_scene(faces)

    def _set_scene(self, faces: NDArray[np.int32]) -> None:
        core = self.core
        self.data = core.GeomVertexData("body", core.GeomVertexFormat.get_v3n3(), core.Geom.UH_dynamic)
        self.data.set_num_rows(int(faces.max()) + 1)
        triangles = core.GeomTriangles(core.Geom.UH_static)
        triangles.set_index_type(core.Geom.NT_uint32)
        indices = triangles.modify_vertices()
        indices.unclean_set_num_rows(faces.size)
        memoryview(indices).cast("B")[:] = faces.astype(np.uint32).tobytes()
        geom, node = core.Geom(self.data), core.GeomNode("body")
        geom.add_primitive(triangles)
        node.add_geom(geom)
        self.node, self.root = node, core.NodePath("root")
        self.body = self.root.attach_new_node(node)
        self.body.node().set_bounds(core.OmniBoundingVolume())
        self.lens, self.sun = core.PerspectiveLens(), core.DirectionalLight("sun")
        self.lens.set_near_far(NEAR, FAR)
        self.camera = self.root.attach_new_node(core.Camera("camera", self.lens))
        self.buffer.make_display_region().camera = self.camera
        ambient, colour = core.AmbientLight("ambient"), core.Material()
        ambient.color, self.sun.color = (0.45, 0.45, 0.45, 1), (0.6, 0.6, 0.6, 1)
        colour.ambient = colour.diffuse = (GREY, GREY, GREY, 1)
        self.root.set_material(colour)
        for light in (ambient, self.sun):
            self.root.set_light(self.root.attach_new_node(light))

    def __call__(self, vertices: Floats, normals: Floats, camera: Camera) -> NDArray[np.uint8]:
        core = self.core
        data = self.node.modify_geom(0).modify_vertex_data().modify_array(0)
        memoryview(data).cast("B")[:] = np.hstack([vertices, normals]).astype(np.float32).tobytes()
        self.lens.fov = float(np.degrees(camera.field_of_view))
        self.camera.set_mat(core.Mat4(*np.linalg.inv(view_of(camera)).T.flatten().tolist()))
        self.sun.direction = core.Vec3(*(-light_of(camera)).tolist())
        self.engine.render_frame()
        pixels = np.frombuffer(self.pixels.get_ram_image_as("RGB"), np.uint8)
        fine = Image.fromarray(pixels.reshape(self.size, self.size, 3))
        return np.asarray(fine.reduce(2))[::-1]


class Matplotlib:
    """Faces as polygons, the farthest first."""

    package = "matplotlib"

    def __init__(self, faces: NDArray[np.int32], size: int):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.collections import PolyCollection
        from matplotlib.figure import Figure

        self.faces, self.size = faces, size
        figure = Figure(figsize=(size / 100, size / 100), dpi=100)
        self.canvas = FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.axis("off")
        axes.set(xlim=(-1, 1), ylim=(-1, 1))
        self.polygons = PolyCollection([], linewidths=0.3)
        axes.add_collection(self.polygons)

    def __call__(self, vertices: Floats, normals: Floats, camera: Camera) -> NDArray[np.uint8]:
        seen = (vertices - camera.eye) @ camera.axes.T
        screen = -seen[:, :2] / seen[:, 2:] / np.tan(camera.field_of_view / 2)
        corners = screen[self.faces]
        first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        front = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0] > 0
        shown = self.faces[front][np.argsort(seen[self.faces[front], 2].mean(1))]
        bright = GREY * (0.45 + 0.6 * np.maximum(0, normals[shown].mean(1) @ light_of(camera)))
        self.polygons.set_verts(screen[shown])
        self.polygons.set_color(np.repeat(bright[:, None], 3, axis=1))
        self.canvas.draw()
        return np.asarray(self.canvas.buffer_rgba())[..., :3].copy()


ALL = (Ours, Panda3D, ModernGL, Matplotlib)
