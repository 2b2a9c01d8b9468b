"""Gaps of an uploaded motion filled, and the motion continued."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from motionclip.applications.complete import extend as extended
from motionclip.applications.complete import fill as filled
from motionclip.motion import Motion
from motionclip.progress import OnStep
from motionclip.server.openapi import asks, gives_motion
from motionclip.server.routes.answering import answer_form_in_steps
from motionclip.server.schemas import Extend, Fill
from motionclip.server.service import Given
from motionclip.server.uploads import Form

router = APIRouter(tags=["complete"])


@router.post("/fill", response_class=Response, responses=gives_motion(), openapi_extra=asks(Fill))
async def fill(request: Request, service: Given) -> Response:
    """The motion with other frames in its gaps, which go on from those before and into those behind."""

    def make(form: Form[Fill], on_step: OnStep) -> Motion:
        asked = form.asked
        return filled(
            service.model,
            form.motion(asked.motion),
            asked.gaps,
            text=asked.text,
            seed=asked.seed,
            guidance=asked.guidance,
            on_step=on_step,
        )

    return await answer_form_in_steps(request, service, Fill, make)


@router.post("/extend", response_class=Response, responses=gives_motion(), openapi_extra=asks(Extend))
async def extend(request: Request, service: Given) -> Response:
    """The motion, going on for some seconds, or beginning some seconds earlier."""

    def make(form: Form[Extend], on_step: OnStep) -> Motion:
        asked = form.asked
        return extended(
            service.model,
            form.motion(asked.motion),
            asked.seconds,
            text=asked.text,
            before=asked.before,
            seed=asked.seed,
            guidance=asked.guidance,
            on_step=on_step,
        )

    return await answer_form_in_steps(request, service, Extend, make)
