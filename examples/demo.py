"""The main job, from Python: sentences become motion files, a sheet of film strips and a film.

Run with `make demo`; the files land in out/demo. `make pictures` puts the sheet and the film into the README.
"""

from pathlib import Path

import motionclip
from motionclip.render import contact_sheet, make_film
from motionclip.render.video import write_film

SENTENCES = [
    "walk like an old man",
    "wave with the right hand",
    "sit down and rest",
    "crawl under a table",
    "walk on a tightrope",
    "a person runs",
    "do push-ups",
    "put both hands on the hips",
    "get up off the floor",
    "climb a ladder",
]
IN_FILM = 6  # of them, from the first
SEED = 2  # another number gives other takes of the same words

out = Path("out/demo")
model = motionclip.load()
motions = motionclip.text_to_motion(model, SENTENCES, seconds=4, seed=SEED)
for sentence, motion in zip(SENTENCES, motions, strict=True):
    for suffix in (".bvh", ".glb"):
        path = out / (sentence.replace(" ", "_") + suffix)
        motionclip.write_motion(motion, path)
        print(path)
contact_sheet(motions, SENTENCES).save(out / "sheet.png")
film = make_film(motions[:IN_FILM], SENTENCES[:IN_FILM], size=(204, 260), fps=15)
write_film(film, out / "film.webp")
print(out / "sheet.png", out / "film.webp", sep="\n")
