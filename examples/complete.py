"""Gaps filled, a motion continued, and a motion through the auto-encoder and back."""

from pathlib import Path

import motionclip

out = Path("out/complete")
model = motionclip.load()

# 1. A motion of your own, of any length: motionclip.read_motion("take.bvh"). Here one that the model makes.
walk = motionclip.text_to_motion(model, "a person walks", seconds=4)

# 2. What happens from second 1.5 to 2.5 is made anew; every other frame stays as it is.
whole = motionclip.complete(model, walk, [(1.5, 2.5)])
motionclip.write_motion(whole, out / "filled.bvh")

# 3. One more second, with words for what is done in it. Another seed gives another second.
longer = motionclip.extend(model, walk, 1.0, text="a person waves both hands", seed=1)
motionclip.write_motion(longer, out / "longer.bvh")
motionclip.write_motion(longer, out / "longer.png")

# 4. What the model keeps of a motion.
motionclip.write_motion(motionclip.reconstruct(model, walk), out / "reconstructed.bvh")
print(f"{walk.duration:.1f} s became {longer.duration:.1f} s in {out}")
