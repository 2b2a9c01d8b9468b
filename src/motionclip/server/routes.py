"""The routes: what each request asks of the model, and what it is answered with."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

import motionclip
from motionclip import Motion, MotionCLIP
from motionclip.applications.familiarity import familiarity
from motionclip.applications.long import is_long, shots_of
from motionclip.applications.recognize import label_set, labels_of
from motionclip.applications.text_to_motion import seconds_of
from motionclip.errors import ModelError
from motionclip.motion import crop, resample
from motionclip.motion.retarget import retarget
from motionclip.progress import ProgressCallback
from motionclip.server import schemas
from motionclip.server.batching import BatchedRequest
from motionclip.server.direct_routes import router as direct_router
from motionclip.server.errors import HttpError, busy_error
from motionclip.server.responses import (
    JSON,
    PNG,
    ZIP,
    choose,
    is_rendered,
    motion_response,
    motions_response,
)
from motionclip.server.routing import headers_of, motion_route, motion_type
from motionclip.server.schemas import form_body, motion_content, motions_content
from motionclip.server.service import ServiceDependency
from motionclip.server.uploads import Form, read_form
from motionclip.serving import check_size

router = APIRouter(routes=[*direct_router.routes])
_route = partial(motion_route, router)


# State of the server


@router.get("/health")
async def health(request: Request, service: ServiceDependency) -> schemas.HealthResponse:
    """That the server runs; needs no token."""
    library = None if service.library is None else len(service.library)
    return schemas.HealthResponse(version=request.app.version, library=library)


@router.get("/ready")
async def ready(request: Request, service: ServiceDependency) -> schemas.HealthResponse:
    """That it takes work now, or 503; needs no token."""
    if service.is_full:
        raise busy_error("the lines are full")
    if service.is_stuck:
        raise busy_error("no worker answers")
    return await health(request, service)


@router.get("/metrics", response_class=Response)
async def metrics(service: ServiceDependency) -> Response:
    """Counters in the text format of Prometheus."""
    return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)


# Motions from texts and from latents


@router.post("/generate", response_class=Response, responses=motion_content())
async def generate(body: schemas.GenerateRequest, request: Request, service: ServiceDependency) -> Response:
    """A motion for a sentence, of any length; "..., then ..." is done one after the other.

    Short ones that arrive together are made together. The header `Familiarity` says how near the words are to those
    that the model knows, and which is nearest.
    """
    model, media_type, shots = service.model, motion_type(request), shots_of(body.text)
    how: dict[str, Any] = {"seed": body.seed, "guidance": body.guidance}

    def answer(motion: Motion, progress: ProgressCallback | None = None) -> Response:
        response = motion_response(motion, media_type, progress)
        known = min(familiarity(model, shots), key=lambda each: each.score, default=None)
        if known is not None:
            about = {"known": known.is_known, "score": round(known.score, 3), "nearest": known.nearest}
            response.headers.update(headers_of({"Familiarity": about}))
        return response

    if is_long(model, body.text, body.seconds):
        return await service.run_with_progress(
            lambda progress: answer(
                motionclip.long_motion(model, body.text, seconds=body.seconds, on_piece=progress, **how), progress
            )
        )
    seconds = seconds_of(model, (), body.seconds)
    motion = await service.batcher.motion(BatchedRequest(body.text, seconds, takes=body.takes, **how))
    if is_rendered(media_type):
        return await service.run_with_progress(lambda progress: answer(motion, progress))
    return await service.run(lambda: answer(motion), quick=True)


@router.post("/decode", response_class=Response, responses=motion_content())
async def decode(body: schemas.DecodeRequest, request: Request, service: ServiceDependency) -> Response:
    """The motion of a latent."""
    media_type, expected = motion_type(request), service.model.config.latent_dim
    if len(body.latent) != expected:
        raise ModelError(f"a latent of {len(body.latent)} numbers; this model's have {expected}")
    latent = torch.tensor([body.latent])
    return await service.run_with_progress(
        lambda progress: motion_response(service.model.decode(latent, body.seconds)[0], media_type, progress)
    )


# Motions from texts and other motions


@router.post(
    "/interpolate",
    response_class=Response,
    responses=motions_content(),
    openapi_extra=form_body(schemas.InterpolateRequest),
)
async def interpolate(request: Request, service: ServiceDependency) -> Response:
    """Motions from one to another: JSON, a picture of all (image/png), or files (application/zip)."""
    media_type = choose(request.headers.get("accept", ""), (JSON, PNG, ZIP))
    form = await read_form(request, schemas.InterpolateRequest, service)
    body = form.body

    def work() -> Response:
        motions = motionclip.interpolate(
            service.model,
            form.source(body.a),
            form.source(body.b),
            body.steps,
            path=body.path,
            seconds=body.seconds,
            seed=body.seed,
            guidance=body.guidance,
        )
        titles = [f"{step} of {body.steps}" for step in range(1, body.steps + 1)]
        return motions_response(motions, titles, media_type, body.archive)

    return await service.run(work)


@_route("/edit", schemas.EditRequest)
def edit(model: MotionCLIP, form: Form[schemas.EditRequest], _: ProgressCallback) -> Motion:
    """`base`, less `minus`, with `plus`."""
    body = form.body
    return motionclip.edit(
        model,
        form.source(body.base),
        minus=None if body.minus is None else form.source(body.minus),
        plus=None if body.plus is None else form.source(body.plus),
        strength=body.strength,
        seconds=body.seconds,
        seed=body.seed,
        guidance=body.guidance,
        arithmetic=body.arithmetic,
    )


@_route("/restyle", schemas.RestyleRequest)
def restyle(model: MotionCLIP, form: Form[schemas.RestyleRequest], _: ProgressCallback) -> Motion:
    """`base`, done in another style: one that the model knows by name, such as "elderly", or in words."""
    body = form.body
    return motionclip.restyle(
        model,
        form.source(body.base),
        body.style,
        strength=body.strength,
        seconds=body.seconds,
        seed=body.seed,
        guidance=body.guidance,
    )


@_route("/compose", schemas.ComposeRequest)
def compose(model: MotionCLIP, form: Form[schemas.ComposeRequest], _: ProgressCallback) -> Motion:
    """What one does above the waist, while legs and path do the other."""
    body = form.body
    upper, lower = form.source(body.upper), form.source(body.lower)
    return motionclip.compose(model, upper, lower, seconds=body.seconds, seed=body.seed, guidance=body.guidance)


# Uploaded motions, changed


@_route("/fill", schemas.FillRequest)
def fill(model: MotionCLIP, form: Form[schemas.FillRequest], progress: ProgressCallback) -> Motion:
    """The motion with other frames in its gaps, which go on from those before and into those behind."""
    body, motion = form.body, form.motion(form.body.motion)
    return motionclip.complete(
        model, motion, body.gaps, text=body.text, seed=body.seed, guidance=body.guidance, on_step=progress
    )


@_route("/extend", schemas.ExtendRequest)
def extend(model: MotionCLIP, form: Form[schemas.ExtendRequest], progress: ProgressCallback) -> Motion:
    """The motion, going on for some seconds, or beginning some seconds earlier."""
    body, motion = form.body, form.motion(form.body.motion)
    return motionclip.extend(
        model,
        motion,
        body.seconds,
        text=body.text,
        before=body.before,
        seed=body.seed,
        guidance=body.guidance,
        on_step=progress,
    )


@_route("/convert", schemas.ConvertRequest)
def convert(_: MotionCLIP, form: Form[schemas.ConvertRequest], __: ProgressCallback) -> Motion:
    """The motion in another format, or a part of it."""
    body = form.body
    motion = crop(form.motion(body.motion), body.start, body.end)
    fps = motion.fps if body.fps is None else body.fps
    check_size(motion.duration * fps, motion.skeleton.num_joints)
    return resample(retarget(motion) if body.retarget else motion, fps)


# Uploaded motions, described


@router.post("/recognize", openapi_extra=form_body(schemas.RecognizeRequest))
async def recognize(request: Request, service: ServiceDependency) -> schemas.RecognizeResponse:
    """What is done, out of labels, and when."""
    form = await read_form(request, schemas.RecognizeRequest, service)
    body = form.body

    def work() -> schemas.RecognizeResponse:
        labels = label_set(body.labels) if isinstance(body.labels, str) else labels_of(body.labels)
        motions = [form.motion(body.motion)]
        (found,) = motionclip.recognize(service.model, motions, labels, top=body.top, none_below=body.none_below)
        return schemas.RecognizeResponse.model_validate(found)

    return await service.run(work)


@router.post("/caption", openapi_extra=form_body(schemas.CaptionRequest))
async def caption(request: Request, service: ServiceDependency) -> schemas.CaptionResponse:
    """The sentences that are nearest to what is done, every four seconds."""
    form = await read_form(request, schemas.CaptionRequest, service)
    body = form.body

    def work() -> schemas.CaptionResponse:
        (found,) = motionclip.caption(service.model, [form.motion(body.motion)], body.sentences, top=body.top)
        return schemas.CaptionResponse.model_validate({"stretches": found})

    return await service.run(work)


@router.post("/encode", openapi_extra=form_body(schemas.MotionRequest))
async def encode(request: Request, service: ServiceDependency) -> schemas.EncodeResponse:
    """The motion's latent."""
    form = await read_form(request, schemas.MotionRequest, service)

    def work() -> schemas.EncodeResponse:
        motion = form.motion(form.body.motion)
        return schemas.EncodeResponse(latent=service.model.encode([motion])[0].tolist(), seconds=motion.duration)

    return await service.run(work)


@router.post("/search", openapi_extra=form_body(schemas.SearchRequest))
async def search(request: Request, service: ServiceDependency) -> schemas.SearchResponse:
    """Stretches of the library that fit words, motions, or all of several together."""
    library = service.library
    if library is None:
        raise HttpError(404, "NoLibrary", "this server searches nothing; it is to be started with --library")
    form = await read_form(request, schemas.SearchRequest, service)

    def work() -> schemas.SearchResponse:
        queries = [form.source(query) for query in form.body.queries]
        hits = motionclip.search(service.model, library, queries, top=form.body.top, least=form.body.least)
        return schemas.SearchResponse.model_validate({"hits": hits})

    return await service.run(work)
