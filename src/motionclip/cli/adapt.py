"""`motionclip adapt`: another tower in front of a trained model."""

from __future__ import annotations

from pathlib import Path


def adapt(
    tower: str, out: Path, model: str = "base", tower_weights: Path | None = None, captions: Path | None = None
) -> None:
    """Let a trained model take the texts, and the pictures, of another tower: a linear map, fitted without training.

    Args:
        tower: the tower to adapt to, such as clip:ViT-B-32.
        out: folder of the adapted model.
        model: a shipped model's name, a model folder, or a run folder.
        tower_weights: folder or file of the tower's weights, if they are not to come from the hub.
        captions: a text file with one caption per line to fit the map on; the package's own sentences if not given.
    """
    import shutil

    from motionclip.applications.adapt import adapt as adapt_model
    from motionclip.cli.console import say
    from motionclip.errors import DataError
    from motionclip.model.checkpoint import CARD_FILE, find_model, save_network
    from motionclip.model.pipeline import load
    from motionclip.towers import load_tower

    if out.exists():
        raise DataError(f"{out} exists; expected a new folder")
    texts = None if captions is None else [line for line in captions.read_text("utf-8").splitlines() if line.strip()]
    result = adapt_model(load(model), load_tower(tower, tower_weights), texts, on_stage=say)
    save_network(result.network, out)
    card = find_model(model) / CARD_FILE
    if card.is_file():  # the terms of the weights stay what they are
        shutil.copy(card, out / CARD_FILE)
    found = result.held_out
    say(
        f"fitted on {result.captions} captions; of every tenth, held out, the own latent is found at rank 1 by "
        f"{found.recall[0]:.1f} % among {found.candidates}, median rank {found.median_rank:g}"
    )
    if result.gap is not None:
        say(f"cosine of mean text and mean picture: {result.gap:.2f}; pictures are moved by the difference")
    say(f"the model is in {out}")
