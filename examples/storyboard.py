"""A storyboard: words and motions with durations become one motion with smooth transitions."""

from pathlib import Path

import motionclip

out = Path("out/storyboard")
model = motionclip.load()

# 1. Words with a length in seconds; longer than the model's six seconds is done in pieces.
shots = [motionclip.Shot("a person walks", 8), motionclip.Shot("a person raises both hands", 3)]

# 2. A motion of your own in between, of any length: motionclip.read_motion("take.bvh"). Here one that the model makes.
run = motionclip.text_to_motion(model, "a person runs", seconds=3)
shots += [motionclip.Shot(run), motionclip.Shot("a person walks like an old man", 4)]

# 3. One motion. With a callback it tells how far it is.
film = motionclip.storyboard(model, shots, on_piece=lambda done, total: print(f"piece {done} of {total}"))
motionclip.write_motion(film, out / "film.bvh")
motionclip.write_motion(film, out / "film.png")
print(f"{film.duration:.1f} seconds in {out}")
