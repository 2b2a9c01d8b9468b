"""A motion is changed by words, in style, and two halves of a body."""

from pathlib import Path

import motionclip

out = Path("out/edit")
model = motionclip.load()

# 1. A motion. Any file does: motionclip.read_motion("take.bvh"). Here the model makes one.
walk = motionclip.text_to_motion(model, "a person walks", seconds=3)

# 2. Take something away and put something in its place; a strength above 1 exaggerates.
old = motionclip.edit(model, walk, minus="a person walks", plus="a person walks like an elderly person")
motionclip.write_motion(old, out / "old.bvh")

# 3. A style by name, whatever it is that is done. Words that are no known name do too: "like a robot".
motionclip.write_motion(motionclip.restyle(model, walk, "youthful"), out / "youthful.bvh")

# 4. Arms of one motion on the legs of another.
both = motionclip.compose(model, upper="wave with both hands", lower=walk)
motionclip.write_motion(both, out / "both.bvh")
motionclip.write_motion(both, out / "both.png")
print(out)
