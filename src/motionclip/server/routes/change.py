"""Motions of motions: between two, edited, in another style, put together, one after the other."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from motionclip.applications.compose import compose as put_together
from motionclip.applications.edit import edit as edited
from motionclip.applications.edit import restyle as restyled
from motionclip.applications.interpolate import interpolate as between
from motionclip.applications.storyboard import Shot
from motionclip.applications.storyboard import storyboard as film
from motionclip.applications.text_to_motion import DEFAULT_SECONDS
from motionclip.errors import MotionError
from motionclip.motion import Motion
from motionclip.progress import OnStep
from motionclip.server.answers import motions_answer
from motionclip.server.limits import MAX_STORY_SECONDS
from motionclip.server.negotiation import JSON, PNG, ZIP, choose
from motionclip.server.openapi import asks, gives_motion, gives_motions
from motionclip.server.routes.answering import answer_form, answer_form_in_steps
from motionclip.server.schemas import Compose, Edit, Interpolate, Restyle, Storyboard
from motionclip.server.service import Given
from motionclip.server.uploads import Form, read_form

router = APIRouter(tags=["change"])


@router.post("/interpolate", response_class=Response, responses=gives_motions(), openapi_extra=asks(Interpolate))
async def interpolate(request: Request, service: Given) -> Response:
    """Motions from one to another: JSON, a picture of all (image/png), or files (application/zip)."""
    kind = choose(request.headers.get("accept", ""), (JSON, PNG, ZIP))
    form = await read_form(request, Interpolate)
    asked = form.asked

    def work() -> Response:
        motions = between(
            service.model,
            form.source(asked.a),
            form.source(asked.b),
            asked.steps,
            path=asked.path,
            seconds=asked.seconds,
            seed=asked.seed,
            guidance=asked.guidance,
        )
        titles = [f"{step} of {asked.steps}" for step in range(1, asked.steps + 1)]
        return motions_answer(motions, titles, kind, asked.archive)

    return await service.do(work)


@router.post("/edit", response_class=Response, responses=gives_motion(), openapi_extra=asks(Edit))
async def edit(request: Request, service: Given) -> Response:
    """``base``, less ``minus``, with ``plus``."""

    def make(form: Form[Edit]) -> Motion:
        asked = form.asked
        return edited(
            service.model,
            form.source(asked.base),
            minus=None if asked.minus is None else form.source(asked.minus),
            plus=None if asked.plus is None else form.source(asked.plus),
            strength=asked.strength,
            seconds=asked.seconds,
            seed=asked.seed,
            guidance=asked.guidance,
            arithmetic=asked.arithmetic,
        )

    return await answer_form(request, service, Edit, make)


@router.post("/restyle", response_class=Response, responses=gives_motion(), openapi_extra=asks(Restyle))
async def restyle(request: Request, service: Given) -> Response:
    """``base``, done in another style: one that the model knows by name, such as "elderly", or in words."""

    def make(form: Form[Restyle]) -> Motion:
        asked = form.asked
        return restyled(
            service.model,
            form.source(asked.base),
            asked.style,
            strength=asked.strength,
            seconds=asked.seconds,
            seed=asked.seed,
            guidance=asked.guidance,
        )

    return await answer_form(request, service, Restyle, make)


@router.post("/compose", response_class=Response, responses=gives_motion(), openapi_extra=asks(Compose))
async def compose(request: Request, service: Given) -> Response:
    """What one does above the waist, while legs and path do the other."""

    def make(form: Form[Compose]) -> Motion:
        asked = form.asked
        return put_together(
            service.model,
            form.source(asked.upper),
            form.source(asked.lower),
            seconds=asked.seconds,
            seed=asked.seed,
            guidance=asked.guidance,
        )

    return await answer_form(request, service, Compose, make)


@router.post("/storyboard", response_class=Response, responses=gives_motion(), openapi_extra=asks(Storyboard))
async def storyboard(request: Request, service: Given) -> Response:
    """One motion that does one thing after the other."""

    def make(form: Form[Storyboard], on_step: OnStep) -> Motion:
        asked = form.asked
        return film(
            service.model,
            _shots(form),
            overlap=asked.overlap,
            seed=asked.seed,
            guidance=asked.guidance,
            on_piece=on_step,
        )

    return await answer_form_in_steps(request, service, Storyboard, make)


def _shots(form: Form[Storyboard]) -> list[Shot]:
    """The shots.

    Raises:
        MotionError: if they last too long together.
    """
    shots = [Shot(form.source(said.source), said.seconds) for said in form.asked.shots]
    total = sum(_seconds(shot) for shot in shots)
    if total > MAX_STORY_SECONDS:
        raise MotionError(f"a storyboard of {total:g} s; expected at most {MAX_STORY_SECONDS:g}")
    return shots


def _seconds(shot: Shot) -> float:
    if shot.seconds is not None:
        return shot.seconds
    return shot.source.duration if isinstance(shot.source, Motion) else DEFAULT_SECONDS
