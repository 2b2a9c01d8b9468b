"""The server as an ASGI app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from motionclip.applications.search.library import LibraryIndex
from motionclip.model.pipeline import MotionCLIP
from motionclip.server import pages
from motionclip.server.errors import handle_exception
from motionclip.server.limits import Limits
from motionclip.server.middleware import AccessLog, Guard, RequestLimits
from motionclip.server.routes import router
from motionclip.server.schemas import ERROR_RESPONSES, openapi_document
from motionclip.server.service import Service

_DESCRIPTION = (
    "Words and human motion in one latent space. The Accept header (here the *media type* of an answer) chooses the "
    "format of a motion."
)


def create_app(
    model: MotionCLIP,
    *,
    library: LibraryIndex | None = None,
    token: str | None = None,
    limits: Limits | None = None,
) -> FastAPI:
    """Returns the applications over HTTP as an ASGI app.

    Args:
        model: from :func:`motionclip.load`.
        library: what ``/search`` searches; from ``index_library`` with the same model.
        token: bearer token of the clients; without one, only requests addressed to a loopback host are answered.
        limits: of what the server holds at once.
    """
    limits = limits or Limits()
    service = Service(model, library, limits)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        service.close()

    app = FastAPI(
        title="motionclip",
        version=version("motionclip"),
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # FastAPI's own page loads its scripts from elsewhere
        redoc_url=None,
        responses=ERROR_RESPONSES,
    )
    app.state.service = service
    app.include_router(pages.router)
    app.include_router(router)
    app.openapi = partial(  # type: ignore[method-assign]
        openapi_document, app, latent_dim=model.config.latent_dim, needs_token=token is not None
    )
    app.add_exception_handler(HTTPException, handle_exception)
    app.add_exception_handler(RequestValidationError, handle_exception)
    # the last one added is the outermost
    app.add_middleware(RequestLimits, limits=limits)
    app.add_middleware(Guard, token=token)
    app.add_middleware(AccessLog, metrics=service.metrics)
    return app
