"""The worst moments of recordings, by which the limits of `metrics/plausibility.py` are set, and of generated motions.

    python benchmarks/plausibility.py STORE ...

Windows of at most four seconds of all clips; percentiles over windows, stores together and each.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict

import numpy as np

from motionclip.data.store import Store
from motionclip.metrics.plausibility import LIMITS, plausibility

PERCENTILES = (50, 95, 98, 99, 99.9)
FRAMES = 120


def figures(store: Store) -> dict[str, list[float]]:
    """Returns the figures of all windows of a store."""
    found: dict[str, list[float]] = {name: [] for name in LIMITS}
    for index in range(len(store)):
        motion = store.motion(index)
        for start in range(0, motion.num_frames, FRAMES):
            window = motion.frames(start, min(start + FRAMES, motion.num_frames))
            for name, value in asdict(plausibility(window)).items():
                found[name].append(value)
    return found


def show(title: str, found: dict[str, list[float]]) -> None:
    print(f"{title}: {len(found['twist_deg'])} windows; percentiles {PERCENTILES}, and share beyond the limit")
    for name, values in found.items():
        row = " ".join(f"{value:8.2f}" for value in np.percentile(values, PERCENTILES))
        print(f"  {name:18s} {row}   {100 * np.mean(np.array(values) > LIMITS[name]):5.1f} %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stores", nargs="+")
    everything: dict[str, list[float]] = {name: [] for name in LIMITS}
    for folder in parser.parse_args().stores:
        found = figures(Store.open(folder))
        show(folder, found)
        for name, values in found.items():
            everything[name] += values
    show("all", everything)


if __name__ == "__main__":
    main()
