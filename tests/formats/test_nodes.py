"""Trees of nodes, as glTF and FBX files hold them, become motions whose bones are rigid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from corpus import swaying

from motionclip.formats.nodes import Nodes, nodes_to_motion
from motionclip.motion import Motion


def nodes_of(motion: Motion, carriers: tuple[str, ...], targets: tuple[str, ...]) -> Nodes:
    """A motion as nodes, on carriers that stand at the origin, of which the first has targets beside the body."""
    count, skeleton = len(carriers), motion.skeleton
    names = [*carriers, *skeleton.names, *targets]
    parents = [
        *range(-1, count - 1),
        count - 1,
        *(count + parent for parent in skeleton.parents[1:]),
        *[0] * len(targets),
    ]
    world = np.tile(np.eye(4), (motion.num_frames, len(names), 1, 1))
    body = slice(count, count + skeleton.num_joints)
    world[:, body, :3, :3], world[:, body, :3, 3] = motion.world[0].numpy(), motion.positions.numpy()
    rest = np.tile(np.eye(4), (len(names), 1, 1))
    rest[body, :3, 3] = skeleton.rest_positions.numpy()
    return Nodes(names, parents, rest, world, frozenset(range(len(names))))


@pytest.mark.parametrize("carriers", [("root",), ("root", "attach"), ("Armature", "root", "n_hara")])
@pytest.mark.parametrize("targets", [(), ("ik_foot_root", "ik_hand_root")])
def test_a_body_that_travels_on_what_carries_it_keeps_its_path(
    carriers: tuple[str, ...], targets: tuple[str, ...]
) -> None:
    still = swaying()
    motion = replace(still, root=still.root + torch.linspace(0, 1, still.num_frames)[:, None])
    found = nodes_to_motion(Path("walk.glb"), nodes_of(motion, carriers, targets), motion.fps)
    assert found.skeleton.names == motion.skeleton.names
    torch.testing.assert_close(found.positions, motion.positions, atol=1e-4, rtol=0)


def test_legs_stay_though_the_spine_is_stretched() -> None:
    """And though hands with many fingers make a chest the heavier part of the body."""
    motion = swaying()
    nodes = nodes_of(motion, ("root",), ())
    names, parents, above = list(nodes.names), list(nodes.parents), nodes.names.index("spine1")
    below = [number for number, parent in enumerate(parents) if number >= above and _is_below(parents, number, above)]
    nodes.world[:, below, 1, 3] += np.linspace(0, 0.1, motion.num_frames)[:, None]
    nodes.world[:, 1:, 2, 3] += np.linspace(0, 1.0, motion.num_frames)[:, None]
    fingers = [names.index(f"{side}_hand") for side in ("left", "right") for _ in range(20)]
    names += [f"{names[hand]}_finger{number}" for number, hand in enumerate(fingers)]
    more = Nodes(
        names,
        [*parents, *fingers],
        np.concatenate([nodes.rest, nodes.rest[fingers]]),
        np.concatenate([nodes.world, nodes.world[:, fingers]], axis=1),
        frozenset(range(len(names))),
    )
    assert "left_knee" in nodes_to_motion(Path("walk.glb"), more, motion.fps).skeleton.names


def _is_below(parents: list[int], node: int, above: int) -> bool:
    while node >= 0 and node != above:
        node = parents[node]
    return node == above
