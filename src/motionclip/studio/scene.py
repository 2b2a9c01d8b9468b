"""What a page draws: the body on its ground, or several side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import viser
from numpy.typing import NDArray

from motionclip.body import Body
from motionclip.studio.takes import Poses

#: Where the camera stands, and what it looks at: metres from the body's place on the ground.
EYE, TARGET = (1.5, 1.2, 2.75), (0.0, 0.42, 0.0)
BODY_COLOUR, _ACCENT = (88, 142, 208), (34, 139, 230)  # the accent is that of viser's blue buttons
#: Metres between bodies that are compared, and how much farther away the camera goes for each.
_APART, _BACK = 1.1, 0.55
#: Half the side of the ground, metres: further than the grid can be seen.
_GROUND_HALF = 60.0

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Ground:
    """Colours of the ground.

    Attributes:
        plane: between the lines.
        cell: lines at every half metre.
        section: lines at every metre.
    """

    plane: Colour
    cell: Colour
    section: Colour


LIGHT = Ground((236, 239, 243), (208, 214, 222), (172, 180, 192))
DARK = Ground((38, 43, 51), (58, 65, 76), (84, 93, 107))


def set_theme(gui: viser.GuiApi, *, dark: bool) -> None:
    """Has a page, or every new one, look dark or light."""
    gui.configure_theme(dark_mode=dark, show_logo=False, show_share_button=False, brand_color=_ACCENT)


def add_skin(
    scene: viser.SceneApi, name: str, body: Body, scale: float = 1.0, opacity: float | None = None
) -> viser.MeshSkinnedHandle:
    """Adds a body in its rest pose to a scene, larger or smaller than it is, or one that is seen through."""
    return scene.add_mesh_skinned(
        name,
        scale * body.vertices.numpy(),
        body.faces.numpy(),
        bone_wxyzs=np.tile((1.0, 0.0, 0.0, 0.0), (body.skeleton.num_joints, 1)),
        bone_positions=scale * body.skeleton.rest_positions.double().numpy(),
        skin_weights=body.weights.numpy(),
        color=BODY_COLOUR,
        opacity=opacity,
        cast_shadow=opacity is None,
        side="double",  # characters have capes and hair of one layer
    )


class BodyScene:
    """Draws poses. The camera stands still and the ground moves, so that a user may turn the camera meanwhile.

    Args:
        client: one browser.
        body: drawn in its rest pose until the first call of ``pose``.
        on_choose: called with the number of a body that was clicked, where there are several.
    """

    def __init__(self, client: viser.ClientHandle, body: Body, on_choose: Callable[[int], None]):
        self._client, self._body, self._on_choose = client, body, on_choose
        scene = client.scene
        scene.set_up_direction("+y")
        self._world = scene.add_frame("/world", show_axes=False)
        self._ground = scene.add_grid(
            "/world/ground",
            2 * _GROUND_HALF,
            2 * _GROUND_HALF,
            plane="xz",
            cell_color=LIGHT.cell,
            section_color=LIGHT.section,
            cell_size=0.5,
            section_size=1.0,
            fade_distance=14.0,
            shadow_opacity=0.25,
            plane_color=LIGHT.plane,
            plane_opacity=0.6,
        )
        self._bodies = 0  # of which this is the last
        self._skins, self._clickable = [self._add_skin(0)], 0
        self._labels: list[viser.LabelHandle] = []
        self._count = 1
        self._rest_body(self._skins[0])
        self.aim_camera()

    def set_body(self, body: Body) -> None:
        """Draws another body from now on."""
        if body is self._body:
            return
        for skin in self._skins:  # as in show_bodies, they are not removed
            skin.visible = False
        self._body, self._count = body, 1
        self._bodies += 1
        self._skins, self._clickable = [self._add_skin(0)], 0
        self._rest_body(self._skins[0])
        for label in self._labels:
            label.visible = False

    def _add_skin(self, number: int) -> viser.MeshSkinnedHandle:
        return add_skin(self._client.scene, f"/world/body{self._bodies}_{number}", self._body)

    def _rest_body(self, skin: viser.MeshSkinnedHandle) -> None:
        rest = self._body.skeleton.rest_positions.double().numpy() - np.array([0.0, self._body.sole, 0.0])
        for bone, position in zip(skin.bones, rest, strict=True):
            bone.position = position

    def show_bodies(self, count: int) -> None:
        """Has so many bodies side by side, with numbers that can be clicked if there are several."""
        if count == self._count:
            return
        self._count = count
        while len(self._skins) < count:
            self._skins.append(self._add_skin(len(self._skins)))
        while count > 1 and self._clickable < count:
            self._skins[self._clickable].on_click(partial(self._choose, self._clickable))
            self._clickable += 1
        while count > 1 and len(self._labels) < count:
            number = len(self._labels)
            self._labels.append(self._client.scene.add_label(f"/label{number}", str(number + 1)))
        # hidden and not removed: viser's page fails at a click after the removal of what could be clicked
        for number, skin in enumerate(self._skins):
            skin.visible = number < count
        for label, x in zip(self._labels, [*_places(count), *[0.0] * len(self._labels)], strict=False):
            label.position = (x, 2.0, 0.0)
        for number, label in enumerate(self._labels):
            label.visible = 1 < count > number
        self.aim_camera(back=_BACK * (count - 1))

    def _choose(self, number: int, _: object) -> None:
        self._on_choose(number)

    def set_dark(self, dark: bool) -> None:
        """Has the page look dark or light."""
        set_theme(self._client.gui, dark=dark)
        ground = DARK if dark else LIGHT
        self._ground.plane_color = ground.plane
        self._ground.cell_color, self._ground.section_color = ground.cell, ground.section

    def pose(self, shown: Sequence[Poses], frame: int) -> None:
        """Shows one frame of as many motions as there are bodies; one that is over stands in its last pose."""
        frames = [min(frame, len(poses.quats) - 1) for poses in shown]
        centre = np.mean([poses.path[number] for poses, number in zip(shown, frames, strict=True)], axis=0)
        with self._client.atomic():
            self._world.position = (-centre[0], 0.0, -centre[1])
            for skin, poses, number, x in zip(self._skins, shown, frames, _places(len(shown)), strict=False):
                aside = np.array([x, 0.0, 0.0])
                for bone, quat, place in zip(skin.bones, poses.quats[number], poses.positions[number], strict=True):
                    bone.wxyz, bone.position = quat, place + aside

    def aim_camera(self, aside: float = 0.0, back: float = 0.0) -> None:
        """Puts the camera where it began, or some metres aside, to the left of the body, or farther back."""
        away = np.array(EYE) - np.array(TARGET)
        eye = np.array(EYE) + back * away / np.linalg.norm(away)
        self._client.camera.position = eye + np.array([-aside, 0.0, aside])
        self._client.camera.look_at = np.array(TARGET) - np.array([aside, 0.0, 0.0])


def _places(count: int) -> NDArray:
    """Where bodies stand side by side, metres to the left."""
    return _APART * (np.arange(count) - (count - 1) / 2)
