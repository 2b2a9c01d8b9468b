"""Find motions in a folder by words, by a motion, and by both."""

from pathlib import Path

import motionclip

model = motionclip.load()

# 1. A library is a folder of motion files (or a prepared store). Here the model makes one.
library = Path("out/library")
for words in ("walk", "walk like an old man", "run", "wave the left hand", "raise both hands"):
    motion = motionclip.text_to_motion(model, words, seconds=4)
    motionclip.write_motion(motion, library / f"{words.replace(' ', '_')}.bvh")

# 2. Its index is made once. The next time only files that are new or have changed are read.
index = motionclip.index_library(model, library, folder="out/index")
print(f"{len(index)} windows of {len(index.files)} files, {len(index.unreadable)} cannot be read")

# 3. By words.
for hit in motionclip.search(model, index, ["an elderly person walks"], top=3):
    print(f"{hit.cosine:.2f} {hit.file}, {hit.start:.1f} to {hit.end:.1f} s")

# 4. By a motion, and by a motion and words together.
take = motionclip.read_motion(library / "run.bvh")
for queries in ([take], [take, "a person walks"]):
    print([hit.file for hit in motionclip.search(model, index, queries, top=3)])
