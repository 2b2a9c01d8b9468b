"""Motions of sentences and of latents."""

from __future__ import annotations

from typing import Annotated

import torch
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from motionclip.applications.text_to_motion import DEFAULT_SECONDS
from motionclip.errors import ModelError
from motionclip.server.answers import motion_answer
from motionclip.server.batching import Order
from motionclip.server.negotiation import JSON, choose, file_types, is_film
from motionclip.server.openapi import gives_motion
from motionclip.server.schemas import Decode, Generate
from motionclip.server.service import Service, service_of

router = APIRouter(tags=["make"])
Given = Annotated[Service, Depends(service_of)]


@router.post("/generate", response_class=Response, responses=gives_motion())
async def generate(asked: Generate, request: Request, service: Given) -> Response:
    """A motion for a sentence. Sentences that arrive together are made together."""
    kind = wanted(request)
    seconds = min(DEFAULT_SECONDS, service.model.max_seconds) if asked.seconds is None else asked.seconds
    motion = await service.batcher.motion(Order(asked.text, seconds, asked.seed, asked.guidance))
    return await service.do(lambda: motion_answer(motion, kind), quick=not is_film(kind))


@router.post("/decode", response_class=Response, responses=gives_motion())
async def decode(asked: Decode, request: Request, service: Given) -> Response:
    """The motion of a latent."""
    kind, expected = wanted(request), service.model.config.latent_dim
    if len(asked.latent) != expected:
        raise ModelError(f"a latent of {len(asked.latent)} numbers; this model's have {expected}")
    latent = torch.tensor([asked.latent])

    def work() -> Response:
        return motion_answer(service.model.decode(latent, asked.seconds)[0], kind)

    return await service.do(work)


def wanted(request: Request) -> str:
    """The media type of a motion that a client wants; JSON if it does not say.

    Raises:
        Refusal: 406, if none is possible.
    """
    return choose(request.headers.get("accept", ""), (JSON, *file_types()))
