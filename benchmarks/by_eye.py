"""Sixty prompts of all kinds on contact sheets, four seeds each, to be scored by eye.

    python benchmarks/by_eye.py base --out docs/pictures/by_eye

Writes a sheet of each ten prompts of ``by_eye.txt``, which were written before the models were trained. A score of each
prompt, given by looking at its four motions (0: something else, 1: partly or in some of them, 2: what it says), stands
in ``results/by_eye_MODEL.json``, and on the sheets where that file is there; the sum is printed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import torch
import tyro

import motionclip
from motionclip.render.stills import contact_sheet

HERE = Path(__file__).parent
SEEDS, SECONDS, ROWS = 4, 4.0, 10


def main(model: Annotated[str, tyro.conf.Positional] = "base", out: Path = Path("out/by_eye")) -> None:
    """Draw the sheets of a model.

    Args:
        model: its name or folder.
        out: folder of the sheets.
    """
    prompts = (HERE / "by_eye.txt").read_text(encoding="utf-8").split("\n")[:-1]
    known = HERE / "results" / f"by_eye_{Path(model).name}.json"
    scores: dict[str, int] = json.loads(known.read_text()) if known.is_file() else {}
    network = motionclip.load(model)
    out.mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(range(0, len(prompts), ROWS), 1):
        motions, titles = [], []
        for prompt in prompts[start : start + ROWS]:
            score = f" ({scores[prompt]} of 2)" if prompt in scores else ""
            for seed in range(SEEDS):
                motions.append(motionclip.text_to_motion(network, prompt, seconds=SECONDS, seed=seed))
                titles.append(f"{prompt}{score}" if seed == 0 else f"seed {seed}")
        sheet = contact_sheet(motions, titles, columns=SEEDS, cell=(400, 125), poses=7)
        sheet.save(out / f"{Path(model).name}_{number}.webp", quality=70)
    if scores:
        given = [scores[prompt] for prompt in prompts]
        print(
            f"{model}: {sum(given)} of {2 * len(prompts)} points; {given.count(2)} prompts at 2, {given.count(1)} at 1"
        )


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(tyro.cli(main))
