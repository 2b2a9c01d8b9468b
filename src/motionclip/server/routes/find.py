"""Search in the library that the server was started with."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, Request

from motionclip.applications.search import search as find
from motionclip.server.openapi import asks
from motionclip.server.refusals import Refusal
from motionclip.server.schemas import Found, HitFound, Search
from motionclip.server.service import Given
from motionclip.server.uploads import read_form

router = APIRouter(tags=["find"])


@router.post("/search", openapi_extra=asks(Search))
async def search(request: Request, service: Given) -> Found:
    """Stretches of the library that fit words, motions, or all of several together."""
    library = service.library
    if library is None:
        raise Refusal(404, "NoLibrary", "this server searches nothing; it is to be started with --library")
    form = await read_form(request, Search)
    asked = form.asked

    def work() -> Found:
        queries = [form.source(query) for query in asked.queries]
        hits = find(service.model, library, queries, top=asked.top, least=asked.least)
        return Found(hits=[HitFound(**asdict(hit)) for hit in hits])

    return await service.do(work)
