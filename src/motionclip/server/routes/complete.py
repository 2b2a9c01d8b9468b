"""Gaps of an uploaded motion filled, and the motion continued."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from motionclip.applications.complete import extend as extended
from motionclip.applications.complete import fill as filled
from motionclip.server.answers import motion_answer
from motionclip.server.openapi import asks, gives_motion
from motionclip.server.routes.make import wanted
from motionclip.server.schemas import Extend, Fill
from motionclip.server.service import OnStep, Service, service_of
from motionclip.server.uploads import read_form

router = APIRouter(tags=["complete"])
Given = Annotated[Service, Depends(service_of)]


@router.post("/fill", response_class=Response, responses=gives_motion(), openapi_extra=asks(Fill))
async def fill(request: Request, service: Given) -> Response:
    """The motion with other frames in its gaps, which go on from those before and into those behind."""
    kind, form = wanted(request), await read_form(request, Fill)
    asked = form.asked

    def work(on_step: OnStep) -> Response:
        motion = filled(
            service.model,
            form.motion(asked.motion),
            asked.gaps,
            text=asked.text,
            seed=asked.seed,
            guidance=asked.guidance,
            on_step=on_step,
        )
        return motion_answer(motion, kind)

    return await service.do_in_steps(work)


@router.post("/extend", response_class=Response, responses=gives_motion(), openapi_extra=asks(Extend))
async def extend(request: Request, service: Given) -> Response:
    """The motion, going on for some seconds, or beginning some seconds earlier."""
    kind, form = wanted(request), await read_form(request, Extend)
    asked = form.asked

    def work(on_step: OnStep) -> Response:
        motion = extended(
            service.model,
            form.motion(asked.motion),
            asked.seconds,
            text=asked.text,
            before=asked.before,
            seed=asked.seed,
            guidance=asked.guidance,
            on_step=on_step,
        )
        return motion_answer(motion, kind)

    return await service.do_in_steps(work)
