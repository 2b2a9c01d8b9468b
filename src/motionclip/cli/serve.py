"""`motionclip serve`, `studio` and `mcp`: the applications over HTTP, as a page, and as tools of an assistant."""

from __future__ import annotations

import logging
import os
import signal
import webbrowser
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

import motionclip
from motionclip.cli.console import say, track
from motionclip.cli.options import Library, Model, ModelOptions, optional
from motionclip.errors import MotionClipError
from motionclip.server.limits import Limits

if TYPE_CHECKING:
    from fastapi import FastAPI

    from motionclip.applications.search import LibraryIndex
    from motionclip.model.pipeline import MotionCLIP

#: Environment variable with the token, where it is not to be seen in the list of processes.
_TOKEN = "MOTIONCLIP_TOKEN"

Port = Annotated[int, arg(metavar="PORT")]


def serve(
    *,
    host: Annotated[str, arg(metavar="ADDRESS")] = "127.0.0.1",
    port: Port = 8000,
    token: Annotated[str | None, optional(str, "TOKEN", default=f"${_TOKEN}")] = None,
    library: Library = None,
    workers: Annotated[int, arg(metavar="N")] = 1,
    options: Model,
    limits: Limits = Limits(),  # noqa: B008  # frozen
) -> None:
    """Answer requests for motions over HTTP.

    Stopped by Ctrl-C or SIGTERM, it finishes what takes a few seconds more; docs/server.md shows the requests.

    Args:
        host: Address to listen at; other machines reach it only if this is not a loopback address.
        port: Port to listen at.
        token: What clients have to send, required where other machines reach the server.
        library: For /search: a folder with motion files, or a store made by `motionclip prepare`.
        workers: Processes that answer, each with a model, limits and metrics of its own; one for each core makes most.
        limits: What each process holds at once.
    """
    _check_packages("server", "fastapi", "uvicorn", "multipart", "prometheus_client", "orjson")
    from motionclip.server.connections import server_of
    from motionclip.server.middleware import check_binding
    from motionclip.server.workers import serve_in_processes

    token = token or os.environ.get(_TOKEN) or None
    check_binding(host, token)
    if workers < 1:
        raise MotionClipError(f"--workers {workers}; expected 1 or more")
    make_app = partial(_app, options, library, token, limits)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port} (stop with Ctrl-C)"
    if workers > 1:
        say(address)
        serve_in_processes(make_app, host, port, limits, workers)
        return
    app = make_app()
    say(address)
    server_of(app, host, port, limits).run()


def _app(options: ModelOptions, library: Path | None, token: str | None, limits: Limits) -> FastAPI:
    """Returns the app of this process, whose log is on stderr, one line of JSON for each request."""
    from motionclip.server.app import create_app
    from motionclip.server.middleware import LOG

    model = options.load()
    app = create_app(model, library=_read_library(model, library), token=token, limits=limits)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    return app


def studio(
    *,
    library: Library = None,
    port: Port = 8080,
    open_page: bool = True,
    options: Model,
) -> None:
    """See and shape motions in the browser: type a text and watch it.

    Only browsers on this machine reach the page; docs/studio.md walks through it.

    Args:
        library: For the map: a folder with motion files, or a store made by `motionclip prepare`; what was made on the
            page if not given.
        port: Port to listen at; the next free one is taken if it is in use.
        open_page: Open the page in the default browser.
    """
    _check_packages("studio", "viser")
    from motionclip.serving import end_soon
    from motionclip.studio.app import Studio

    model = options.load()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends it as Ctrl-C does
    page = Studio(model, library=_read_library(model, library), port=port)
    say(f"{page.address} (stop with Ctrl-C)")
    try:
        if open_page:
            webbrowser.open(page.address)
        page.wait()
    finally:
        end_soon()
        page.close()


def mcp(*, folder: Annotated[Path, arg(metavar="DIR")] = Path(), options: Model) -> None:
    """Offer motions as tools to an assistant (Model Context Protocol).

    It speaks over standard input and output: an assistant starts it, as docs/mcp.md shows.

    Args:
        folder: Where the tools read and write files, and nowhere else.
    """
    _check_packages("mcp", "mcp")
    from motionclip.server.mcp_tools import mcp_server

    if not folder.is_dir():
        raise MotionClipError(f"--folder {folder}: no such folder; expected one that is there")
    mcp_server(options.load(), folder).run()


def _check_packages(extra: str, *needed: str) -> None:
    """Checks that the packages of an extra are installed.

    Raises:
        MotionClipError: if not.
    """
    if missing := [name for name in needed if find_spec(name) is None]:
        packages = f"the {extra}'s packages: pip install motionclip[{extra}]"
        raise MotionClipError(f"no {', '.join(missing)}; expected {packages}")


def _read_library(model: MotionCLIP, library: Path | None) -> LibraryIndex | None:
    """Returns the index of a library, read with a progress bar; None without a library."""
    if library is None:
        return None
    with track("reading the library") as progress:
        return motionclip.index_library(model, library, progress=progress)
