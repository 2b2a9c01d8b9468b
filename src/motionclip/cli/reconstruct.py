"""`motionclip reconstruct`: a motion through the auto-encoder and back."""

from __future__ import annotations

from pathlib import Path

import tyro


def reconstruct(
    file: tyro.conf.Positional[Path],
    /,
    out: Path = Path("reconstructed.bvh"),
    picture: Path | None = None,
    model: str = "base",
    tower_weights: Path | None = None,
) -> None:
    """Encode a motion and decode it again: what the model keeps of it.

    Args:
        file: a motion file (.bvh .amc .npz) of any length.
        out: the file to write, its suffix choosing the format (.bvh .glb .npz .mp4 .gif .png).
        picture: where to write a picture of both (.png), a row for every four seconds.
        model: a shipped model's name, a model folder, or a run folder.
        tower_weights: folder or file of the text tower's weights, if they are not to come from the hub.
    """
    from motionclip.applications.reconstruct import reconstruct as make
    from motionclip.cli.comparison import draw_comparison
    from motionclip.cli.console import counted, say
    from motionclip.cli.results import save_motion
    from motionclip.formats import check_writable, read_motion
    from motionclip.model.pipeline import load

    check_writable(out)
    given = read_motion(file)
    network = load(model, tower_weights=tower_weights)
    with counted("pieces") as on_piece:
        made = make(network, given, on_piece=on_piece)
    save_motion(made, out)
    say(f"{out}: {made.duration:.2f} s")
    if picture is not None:
        draw_comparison(given, made, picture)
        say(picture)
