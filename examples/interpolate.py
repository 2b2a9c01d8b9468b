"""Motions between two motions."""

from pathlib import Path

import motionclip
from motionclip.render import contact_sheet

out = Path("out/interpolate")
model = motionclip.load()

# 1. Five motions from one to the other, both ends among them.
steps = motionclip.interpolate(model, "a person walks", "wave with both hands", 5, seconds=2)
for number, step in enumerate(steps, 1):
    motionclip.write_motion(step, out / f"step_{number}.bvh")

# 2. Either end can be a motion: motionclip.read_motion("take.bvh"). Straight: in equal steps of what the decoder sees.
more = motionclip.interpolate(model, steps[2], "a person runs", 3, path="straight")

# 3. All of them in a picture.
titles = [f"{25 * number} %" for number in range(5)] + [f"straight {50 * number} %" for number in range(3)]
contact_sheet([*steps, *more], titles, cell=(320, 120), poses=5).save(out / "steps.png")
print(out)
