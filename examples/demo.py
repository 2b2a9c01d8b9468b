"""The main job, from Python: sentences become motion files and a picture.

Run with `make demo`; the files land in out/demo.
"""

from pathlib import Path

import motionclip
from motionclip.render import contact_sheet

SENTENCES = [
    "a person walks",
    "an exhausted person walks",
    "a person walks like an old man",
    "turn left while walking",
    "a person runs",
    "a person jumps",
    "wave with the right hand",
    "raise both hands",
    "dance",
    "kick",
]
SEED = 2  # another number gives other takes of the same words

out = Path("out/demo")
model = motionclip.load()
motions = motionclip.text_to_motion(model, SENTENCES, seconds=4, seed=SEED)
for sentence, motion in zip(SENTENCES, motions, strict=True):
    for suffix in (".bvh", ".glb", ".mp4"):
        path = out / (sentence.replace(" ", "_") + suffix)
        motionclip.write_motion(motion, path)
        print(path)
contact_sheet(motions, SENTENCES).save(out / "sheet.png")
print(out / "sheet.png")
