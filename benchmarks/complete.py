"""Gaps filled and motions continued, on `val` clips of Bandai-Namco and CMU, beside the ways that need no model.

From windows of 5 seconds the middle half second, one, or two are taken out and filled. Between the borders:

- `line`: joints on the shortest arc, the root on a straight line, at constant speed;
- `cubic`: the same with the speed that joints and root have at both borders (Hermite);
- `hold`: the pose and the place before the gap;
- `fill`: `motionclip.applications.complete.fill`.

From windows of 4 seconds the last one is taken away; `hold`, `coast` (the pose held, the root at its last speed) and
`extend` put another in its place. Errors are of the frames that were taken away: MPJPE with the root of every frame at
the origin, and the distance of the root. Acceleration is the largest of any joint in the two frames on each side of a
border; skate that of the made frames.

    python benchmarks/complete.py

Prints the figures and writes benchmarks/results/complete.json.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
import tyro

import motionclip
from motionclip.applications.complete import GapWindow, carry_residual, complete, extend, interpolated, with_frames
from motionclip.data import Store
from motionclip.metrics.physics import skate
from motionclip.motion import Motion
from motionclip.motion import rotations as rot

RESULTS = Path(__file__).parent / "results" / "complete.json"
GAPS = (0.5, 1.0, 2.0)
BETWEEN, ONWARD, LOST = 5.0, 4.0, 1.0
Way = Callable[[GapWindow], Motion]


def held(window: GapWindow) -> Motion:
    """The pose and the place before the gap."""
    frames = [window.start - 1] * (window.stop - window.start)
    before = replace(window.motion, rotations=window.motion.rotations[frames], root=window.motion.root[frames])
    return with_frames(window.motion, window.start, before)


def cubic(window: GapWindow) -> Motion:
    """With the speeds at both borders."""
    motion, still = window.motion, window.motion.rotations[window.start - 1]
    turns = carry_residual(
        rot.matrix_to_rotvec(still.mT @ motion.rotations), window.start, window.stop, torch.ones(3), motion.fps
    )
    path = carry_residual(motion.root, window.start, window.stop, torch.ones(3), motion.fps)
    made = replace(motion, rotations=still @ rot.rotvec_to_matrix(turns), root=path)
    return with_frames(motion, window.start, made)


def coast(window: GapWindow) -> Motion:
    """The pose held, the root as fast over the floor as in the last five frames."""
    motion, still = held(window), window.motion.root[window.start - 6 : window.start]
    speed = (still[-1] - still[0]) / 5 * torch.tensor([1.0, 0.0, 1.0])
    away = torch.arange(1, window.stop - window.start + 1)[:, None] * speed
    return replace(motion, root=torch.cat([motion.root[: window.start], motion.root[window.start :] + away]))


def windows(store: Store, seconds: float, most: int) -> list[Motion]:
    """Up to ``most`` windows of the clips of `val`, evenly taken from all that there are."""
    frames = round(seconds * 30)
    every = [
        motion.frames(start, start + frames)
        for motion in map(store.motion, store.split("val"))
        for start in range(0, motion.num_frames - frames + 1, frames)
    ]
    return every[:: max(1, -(-len(every) // most))]


def figures(cases: list[GapWindow], ways: dict[str, Way]) -> dict[str, dict[str, float]]:
    """Errors of each way, and the same figures of what was taken away."""
    made = {name: [way(case) for case in cases] for name, way in ways.items()}
    made["recorded"] = [case.motion for case in cases]
    return {name: _figures(cases, motions) for name, motions in made.items()}


def _figures(cases: list[GapWindow], motions: list[Motion]) -> dict[str, float]:
    poses, paths, sudden, pieces = [], [], [], []
    for case, motion in zip(cases, motions, strict=True):
        gap = slice(case.start, case.stop)
        apart = motion.positions[gap] - case.motion.positions[gap]
        poses.append((apart - apart[:, :1]).norm(dim=-1).mean())
        paths.append(apart[:, 0].norm(dim=-1).mean())
        rate = torch.diff(motion.positions, n=2, dim=0).norm(dim=-1).amax(dim=1) * motion.fps**2  # frame 1 is first
        borders = [border for border in (case.start, case.stop) if border < motion.num_frames]
        sudden.append(torch.stack([rate[border - 3 : border + 1].max() for border in borders]).max())
        pieces.append(motion.frames(case.start, case.stop))
    return {
        "mpjpe_mm": round(torch.stack(poses).mean().item() * 1000, 1),
        "root_cm": round(torch.stack(paths).mean().item() * 100, 2),
        "border_m_s2": round(torch.stack(sudden).mean().item(), 1),
        "skate_cm_s": round(skate(pieces), 1),
    }


def main(
    bandai: Path = Path(".stores/bandai_namco"), cmu: Path = Path(".stores/cmu"), /, most: int = 8, out: Path = RESULTS
) -> None:
    """Measure and write the figures.

    Args:
        bandai: store of Bandai-Namco.
        cmu: store of CMU.
        most: windows of each store.
        out: the file to write.
    """
    torch.set_num_threads(1)
    model = motionclip.load()
    found: dict[str, object] = {"command": "python benchmarks/complete.py"}
    for folder in (bandai, cmu):
        store = Store.open(folder)
        whole, start = windows(store, BETWEEN, most), round(ONWARD * 30 - LOST * 30)
        own: dict[str, object] = {"windows": len(whole)}
        for gap in GAPS:
            span = ((BETWEEN - gap) / 2, (BETWEEN + gap) / 2)
            cases = [GapWindow(motion, round(span[0] * 30), round(span[1] * 30)) for motion in whole]

            def filled(case: GapWindow, span: tuple[float, float] = span) -> Motion:
                return complete(model, case.motion, [span])

            own[f"gap_{gap:g}_s"] = figures(cases, {"hold": held, "line": interpolated, "cubic": cubic, "fill": filled})
        cases = [GapWindow(motion, start, motion.num_frames) for motion in windows(store, ONWARD, most)]

        def longer(case: GapWindow) -> Motion:
            return extend(model, case.motion.frames(0, case.start), LOST)

        own["continued"] = {"windows": len(cases)} | figures(cases, {"hold": held, "coast": coast, "extend": longer})
        found[folder.name] = own
    out.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    tyro.cli(main)
