"""A sentence becomes a motion with onnxruntime and numpy alone, from what `motionclip export onnx onnx` wrote.

Run it in the folder above `onnx`; torch and this package are not needed.
"""

import csv
import json
import re
import unicodedata
from pathlib import Path

import numpy as np
import onnxruntime

FOLDER, SENTENCE, SECONDS, SEED = Path("onnx"), "a person waves with the right hand", 3.0, 1

manifest = json.loads((FOLDER / "manifest.json").read_text())


def run(name: str, **inputs: np.ndarray | np.float32) -> list[np.ndarray]:
    graph = onnxruntime.InferenceSession(FOLDER / manifest["graphs"][name]["file"])
    return graph.run(None, {key: np.asarray(value) for key, value in inputs.items()})


def tokenize(text: str) -> list[int]:
    """WordPiece: the longest known piece first, then the longest that goes on from there."""
    vocabulary = json.loads((FOLDER / manifest["tokenizer"]["file"]).read_text())["model"]["vocab"]
    plain = [c for c in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(c) != "Mn"]
    ids = [vocabulary["[CLS]"]]
    for word in "".join(c if c.isalnum() else f" {c} " for c in plain).split():
        pieces, start = [], 0
        while start < len(word):
            ends = (e for e in range(len(word), start, -1) if ("##" if start else "") + word[start:e] in vocabulary)
            end = next(ends, None)
            if end is None:
                pieces = [vocabulary["[UNK]"]]
                break
            pieces.append(vocabulary[("##" if start else "") + word[start:end]])
            start = end
        ids += pieces
    return [*ids, vocabulary["[SEP]"]]


# words -> their latent -> latents of draws; of some -> rotations, path, how far beyond a body they are, their worth
other_side = re.sub("left|right", lambda side: "right" if side[0] == "left" else "left", SENTENCE)
words, mirrored = (run("text", ids=np.array([tokenize(text)], np.int64))[1] for text in (SENTENCE, other_side))
latents, agreement, meant = words[:, None], np.ones((1, 1)), words  # of a model without a prior
how, frames = manifest["words_to_motion"], round(SECONDS * manifest["fps"])
if "prior" in manifest["graphs"]:
    noise = np.random.default_rng(SEED).standard_normal((1, how["draws"], manifest["latent_dim"] - 1), np.float32)
    mask, guidance = np.ones((1, frames), bool), np.float32(how["guidance"])
    drawing = {"noise": noise, "text": words, "mirrored": mirrored, "mask": mask, "guidance": guidance}
    latents, agreement, meant = run("prior", **drawing)
takes = min(how["takes"], len(latents[0]))
given = {"latent": latents[0, :takes], "mask": np.ones((takes, frames), bool), "words": meant.repeat(takes, axis=0)}
rotations, root, excess, worth = run("decoder", **given)
best = int((agreement[0, :takes] + worth - how["excess"] * excess).argmax())

# local rotations -> places of the joints, metres
skeleton = manifest["skeleton"]
world, places = list(rotations[best].transpose(1, 0, 2, 3)), [root[best]] * len(skeleton["names"])
for joint, parent in enumerate(skeleton["parents"]):
    if parent >= 0:
        places[joint] = places[parent] + world[parent] @ np.array(skeleton["offsets"][joint], np.float32)
        world[joint] = world[parent] @ world[joint]

with Path("motion.csv").open("w", newline="") as file:
    rows = csv.writer(file)
    rows.writerow(["seconds", *(f"{name}_{axis}" for name in skeleton["names"] for axis in "xyz")])
    for frame, row in enumerate(np.stack(places, axis=1).reshape(frames, -1)):
        rows.writerow([round(frame / manifest["fps"], 4), *np.round(row, 4)])
wrist = places[skeleton["names"].index("right_wrist")][:, 1]
print(f"motion.csv: {frames} frames; the right hand rises to {wrist.max():.2f} m")
