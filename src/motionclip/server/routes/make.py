"""Motions of sentences and of latents."""

from __future__ import annotations

import torch
from fastapi import APIRouter, Request
from starlette.responses import Response

from motionclip.applications.text_to_motion import DEFAULT_SECONDS
from motionclip.errors import ModelError
from motionclip.server.answers import motion_answer
from motionclip.server.batching import Order
from motionclip.server.negotiation import is_film
from motionclip.server.openapi import gives_motion
from motionclip.server.routes.answering import wanted
from motionclip.server.schemas import Decode, Generate
from motionclip.server.service import Given

router = APIRouter(tags=["make"])


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
