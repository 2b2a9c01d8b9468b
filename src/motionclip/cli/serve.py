"""`motionclip serve`: the applications over HTTP."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from motionclip.server.limits import Limits

if TYPE_CHECKING:
    from motionclip.applications.search.library import LibraryIndex
    from motionclip.model.pipeline import MotionCLIP


import webbrowser

#: Where a token may stand that is not to be seen in the list of processes.
_TOKEN = "MOTIONCLIP_TOKEN"
_NEEDED = ("fastapi", "uvicorn", "multipart", "prometheus_client", "orjson")


def serve(
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    library: Path | None = None,
    model: str = "base",
    encoder_weights: Path | None = None,
    limits: Limits = Limits(),  # noqa: B008  # frozen
) -> None:
    """Answer requests for motions over HTTP until it is stopped; docs/server.md shows them.

    Stopped (Ctrl-C or SIGTERM), it finishes what it has begun.

    Args:
        host: address to listen at; other machines reach it only where this is not a loopback address.
        port: to listen at.
        token: what clients have to say, needed where other machines reach it; MOTIONCLIP_TOKEN if not given.
        library: a folder with motion files, or a store made by `motionclip prepare`, for /search.
        model: a shipped model's name, a model folder, or a run folder.
        encoder_weights: folder or file of the text encoder's weights, if they are not to come from the hub.
        limits: what it holds at once.
    """
    from motionclip.cli.console import say
    from motionclip.errors import MotionClipError

    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise MotionClipError(
            f"no {', '.join(missing)}; expected the server's packages: pip install motionclip[server]"
        )
    import uvicorn

    from motionclip.model.pipeline import load
    from motionclip.server.app import create_app
    from motionclip.server.middleware import check_binding

    token = token or os.environ.get(_TOKEN) or None
    check_binding(host, token)
    network = load(model, encoder_weights=encoder_weights)
    app = create_app(network, library=read_library(network, library), token=token, limits=limits)
    _log_to_stderr()
    say(f"http://{f'[{host}]' if ':' in host else host}:{port} (stop with Ctrl-C; what can be asked: /openapi.json)")
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(limits.seconds) + 1,
    )


def read_library(network: MotionCLIP, library: Path | None) -> LibraryIndex | None:
    """The index of a library, with a progress bar; None without a library."""
    from motionclip.applications.search.library import index_library
    from motionclip.cli.console import counted

    if library is None:
        return None
    with counted("reading the library", shown=False) as progress:
        return index_library(network, library, progress=progress)


def _log_to_stderr() -> None:
    """One line of JSON for each request."""
    import logging

    from motionclip.server.middleware import LOG

    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


# `motionclip studio`: the applications as a page in the browser.


_STUDIO_NEEDED = ("viser",)


def studio(
    library: Path | None = None,
    port: int = 8080,
    model: str = "base",
    encoder_weights: Path | None = None,
    open_page: bool = True,
) -> None:
    """See and shape motions in the browser: type a sentence and watch it; docs/studio.md walks through it.

    The page is for browsers on this machine alone.

    Args:
        library: a folder with motion files, or a store made by `motionclip prepare`, for the map; what the page has
            made, if not given.
        port: to listen at; the next free one is taken where it is in use.
        model: a shipped model's name, a model folder, or a run folder.
        encoder_weights: folder or file of the text encoder's weights, if they are not to come from the hub.
        open_page: open the page in the default browser.
    """
    from motionclip.cli.console import say
    from motionclip.errors import MotionClipError

    if missing := [name for name in _STUDIO_NEEDED if find_spec(name) is None]:
        raise MotionClipError(
            f"no {', '.join(missing)}; expected the studio's packages: pip install motionclip[studio]"
        )
    from motionclip.model.pipeline import load
    from motionclip.studio.app import Studio

    network = load(model, encoder_weights=encoder_weights)
    page = Studio(network, library=read_library(network, library), port=port)
    say(f"{page.address} (stop with Ctrl-C)")
    try:
        if open_page:
            webbrowser.open(page.address)
        page.wait()
    finally:
        page.close()
