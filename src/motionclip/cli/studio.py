"""`motionclip studio`: the applications as a page in the browser."""

from __future__ import annotations

import webbrowser
from importlib.util import find_spec
from pathlib import Path

_NEEDED = ("viser", "fastapi", "orjson")


def studio(
    library: Path | None = None,
    port: int = 8080,
    model: str = "base",
    tower_weights: Path | None = None,
    open_page: bool = True,
) -> None:
    """See and shape motions in the browser: type a sentence and watch it; docs/studio.md walks through it.

    The page is for browsers on this machine alone.

    Args:
        library: a folder with motion files, or a store made by `motionclip prepare`, for the map; what the page has
            made, if not given.
        port: to listen at; the next free one is taken where it is in use.
        model: a shipped model's name, a model folder, or a run folder.
        tower_weights: folder or file of the text tower's weights, if they are not to come from the hub.
        open_page: open the page in the default browser.
    """
    from motionclip.cli.console import say
    from motionclip.errors import MotionClipError

    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise MotionClipError(
            f"no {', '.join(missing)}; expected the studio's packages: pip install motionclip[studio]"
        )
    from motionclip.cli.serve import read_library
    from motionclip.model.pipeline import load
    from motionclip.studio.app import Studio

    network = load(model, tower_weights=tower_weights)
    page = Studio(network, library=read_library(network, library), port=port)
    say(f"{page.address} (stop with Ctrl-C)")
    try:
        if open_page:
            webbrowser.open(page.address)
        page.wait()
    finally:
        page.close()
