"""For whoever runs the server: does it run, can it take work, what has it done."""

from __future__ import annotations

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from motionclip.server.refusals import busy
from motionclip.server.schemas import Health
from motionclip.server.service import Given

router = APIRouter(tags=["status"])


@router.get("/health")
async def health(request: Request, service: Given) -> Health:
    """That the server runs; needs no token."""
    library = None if service.library is None else len(service.library)
    return Health(version=request.app.version, library=library)


@router.get("/ready")
async def ready(request: Request, service: Given) -> Health:
    """That it takes work now, or 503; needs no token."""
    if service.is_full:
        raise busy("the lines are full")
    return await health(request, service)


@router.get("/metrics", response_class=Response)
async def metrics(service: Given) -> Response:
    """Counters in the text format of Prometheus."""
    return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)
