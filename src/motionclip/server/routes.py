"""Search in the library that the server was started with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TypeVar

import torch
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from starlette.responses import Response

from motionclip.applications.caption import caption as captioned
from motionclip.applications.complete import complete as filled
from motionclip.applications.complete import extend as extended
from motionclip.applications.edit import compose as put_together
from motionclip.applications.edit import edit as edited
from motionclip.applications.edit import restyle as restyled
from motionclip.applications.interpolate import interpolate as between
from motionclip.applications.recognize import label_set, labels_of
from motionclip.applications.recognize import recognize as recognized
from motionclip.applications.search.search import search as find
from motionclip.applications.storyboard import Shot
from motionclip.applications.storyboard import storyboard as film
from motionclip.applications.text_to_motion import DEFAULT_SECONDS
from motionclip.errors import ModelError, MotionError
from motionclip.motion import Motion, crop, resample
from motionclip.motion.retarget import retarget
from motionclip.progress import ProgressCallback
from motionclip.server.batching import Order
from motionclip.server.errors import HttpError, busy
from motionclip.server.responses import JSON, PNG, ZIP, choose, file_types, is_film, motion_answer, motions_answer
from motionclip.server.schemas import (
    Caption,
    Captioned,
    CaptionStretch,
    Compose,
    Convert,
    Decode,
    Edit,
    Encoded,
    Extend,
    Fill,
    Found,
    Generate,
    Guessed,
    Health,
    HitFound,
    Interpolate,
    OneFile,
    Recognize,
    Recognized,
    Restyle,
    Search,
    Storyboard,
    Stretch,
    asks,
    gives_motion,
    gives_motions,
)
from motionclip.server.service import Given, Service
from motionclip.server.uploads import Form, read_form
from motionclip.serving import MAX_STORY_SECONDS, check_size

# What the routes that answer with one motion have in common.

router = APIRouter()


Asked = TypeVar("Asked", bound=BaseModel)


def wanted(request: Request) -> str:
    """The media type of a motion that a client wants; JSON if it does not say.

    Raises:
        HttpError: 406, if none is possible.
    """
    return choose(request.headers.get("accept", ""), (JSON, *file_types()))


async def answer_form(
    request: Request, service: Service, schema: type[Asked], make: Callable[[Form[Asked]], Motion]
) -> Response:
    """The motion that ``make`` makes, in a thread, of the form that was sent, in the format that is wanted.

    Raises:
        HttpError: if the form does not fit ``schema``, no such format is possible, or too much waits already.
    """
    kind, form = wanted(request), await read_form(request, schema)
    return await service.do(lambda: motion_answer(make(form), kind))


async def answer_form_in_steps(
    request: Request, service: Service, schema: type[Asked], make: Callable[[Form[Asked], ProgressCallback], Motion]
) -> Response:
    """As `answer_form`, for what takes long and says how far it is.

    Raises:
        HttpError: as `answer_form`.
    """
    kind, form = wanted(request), await read_form(request, schema)
    return await service.do_in_steps(lambda on_step: motion_answer(make(form, on_step), kind))


# For whoever runs the server: does it run, can it take work, what has it done.


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


# Motions of sentences and of latents.


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


# Motions of motions: between two, edited, in another style, put together, one after the other.


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

    def make(form: Form[Storyboard], on_step: ProgressCallback) -> Motion:
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


# Gaps of an uploaded motion filled, and the motion continued.


@router.post("/fill", response_class=Response, responses=gives_motion(), openapi_extra=asks(Fill))
async def fill(request: Request, service: Given) -> Response:
    """The motion with other frames in its gaps, which go on from those before and into those behind."""

    def make(form: Form[Fill], on_step: ProgressCallback) -> Motion:
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

    def make(form: Form[Extend], on_step: ProgressCallback) -> Motion:
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


# What is done in an uploaded motion; and the motion as a latent, or in another format.


@router.post("/recognize", openapi_extra=asks(Recognize))
async def recognize(request: Request, service: Given) -> Recognized:
    """What is done, out of labels, and when."""
    form = await read_form(request, Recognize)
    asked = form.asked

    def work() -> Recognized:
        labels = label_set(asked.labels) if isinstance(asked.labels, str) else labels_of(asked.labels)
        motion = form.motion(asked.motion)
        (found,) = recognized(service.model, [motion], labels, top=asked.top, none_below=asked.none_below)
        return Recognized(
            seconds=found.seconds,
            guesses=[Guessed(**asdict(guess)) for guess in found.guesses],
            timeline=[Stretch(**asdict(run)) for run in found.timeline],
        )

    return await service.do(work)


@router.post("/caption", openapi_extra=asks(Caption))
async def caption(request: Request, service: Given) -> Captioned:
    """The sentences that are nearest to what is done, every four seconds."""
    form = await read_form(request, Caption)
    asked = form.asked

    def work() -> Captioned:
        (found,) = captioned(service.model, [form.motion(asked.motion)], asked.sentences, top=asked.top)
        return Captioned(stretches=[CaptionStretch.model_validate(asdict(stretch)) for stretch in found])

    return await service.do(work)


@router.post("/encode", openapi_extra=asks(OneFile))
async def encode(request: Request, service: Given) -> Encoded:
    """The motion's latent."""
    form = await read_form(request, OneFile)

    def work() -> Encoded:
        motion = form.motion(form.asked.motion)
        return Encoded(latent=service.model.encode([motion])[0].tolist(), seconds=motion.duration)

    return await service.do(work)


@router.post("/convert", response_class=Response, responses=gives_motion(), openapi_extra=asks(Convert))
async def convert(request: Request, service: Given) -> Response:
    """The motion in another format, or a part of it."""
    return await answer_form(request, service, Convert, _converted)


def _converted(form: Form[Convert]) -> Motion:
    """A part of a motion, on another skeleton, at another rate.

    Raises:
        MotionError: if there is no such part, or it has too many frames.
    """
    asked = form.asked
    motion = crop(form.motion(asked.motion), asked.start, asked.end)
    fps = motion.fps if asked.fps is None else asked.fps
    check_size(motion.duration * fps, motion.skeleton.num_joints)
    return resample(retarget(motion) if asked.retarget else motion, fps)


@router.post("/search", openapi_extra=asks(Search))
async def search(request: Request, service: Given) -> Found:
    """Stretches of the library that fit words, motions, or all of several together."""
    library = service.library
    if library is None:
        raise HttpError(404, "NoLibrary", "this server searches nothing; it is to be started with --library")
    form = await read_form(request, Search)
    asked = form.asked

    def work() -> Found:
        queries = [form.source(query) for query in asked.queries]
        hits = find(service.model, library, queries, top=asked.top, least=asked.least)
        return Found(hits=[HitFound(**asdict(hit)) for hit in hits])

    return await service.do(work)
