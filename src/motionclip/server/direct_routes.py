"""The routes that direct: several takes, constraints, stories, loops, and changes without words."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

import motionclip
from motionclip import Motion, MotionCLIP
from motionclip.applications import DEFAULT_SECONDS
from motionclip.applications.loop import repeat
from motionclip.applications.storyboard import film
from motionclip.errors import MotionError
from motionclip.motion import in_place
from motionclip.progress import ProgressCallback
from motionclip.server import direct_schemas as schemas
from motionclip.server.responses import JSON, PNG, ZIP, choose, motions_response
from motionclip.server.routing import Answer, headers_of, motion_route
from motionclip.server.schemas import motions_content
from motionclip.server.service import ServiceDependency
from motionclip.server.uploads import Form
from motionclip.serving import MAX_STORY_SECONDS, check_size

router = APIRouter()
_route = partial(motion_route, router)


@router.post("/candidates", response_class=Response, responses=motions_content())
async def candidates(body: schemas.CandidatesRequest, request: Request, service: ServiceDependency) -> Response:
    """The best takes of a sentence: JSON, a picture of all (image/png), or files (application/zip).

    The header `Takes` says for each its seed, its cosine with the words, and what of it no body does.
    """
    media_type = choose(request.headers.get("accept", ""), (JSON, PNG, ZIP))

    def work() -> Response:
        found = motionclip.candidates(
            service.model,
            body.text,
            count=body.count,
            keep=body.keep,
            seconds=body.seconds,
            seed=body.seed,
            guidance=body.guidance,
        )
        about = [
            {"seed": each.seed, "agreement": round(each.agreement, 3), "faults": dict(each.plausibility.faults)}
            for each in found
        ]
        titles = [f"{body.text}, seed {each.seed}" for each in found]
        response = motions_response([each.motion for each in found], titles, media_type, body.archive)
        response.headers.update(headers_of({"Takes": about}))
        return response

    return await service.run(work)


@_route("/direct", schemas.DirectRequest)
def direct(model: MotionCLIP, form: Form[schemas.DirectRequest], progress: ProgressCallback) -> Answer:
    """What words say, or an uploaded motion does, along a path, through poses, with joints at places.

    The header `Errors` says how far the motion is from each, metres: the path, then the poses, then the pins.
    """
    body = form.body
    directed = motionclip.direct(
        model,
        form.source(body.source),
        body.read(form),
        seconds=body.seconds,
        seed=body.seed,
        guidance=body.guidance,
        on_step=progress,
    )
    return Answer(directed.motion, {"Errors": [round(error, 4) for error in directed.errors]})


@_route("/storyboard", schemas.StoryboardRequest)
def storyboard(model: MotionCLIP, form: Form[schemas.StoryboardRequest], progress: ProgressCallback) -> Answer:
    """One motion that does one thing after the other, with tracks of parts of the body.

    The header `Errors` says how far it is from its constraints, and then from those of its shots, metres.
    """
    body = form.body
    shots = [motionclip.Shot(form.source(shot.source), shot.seconds, tuple(shot.read(form))) for shot in body.shots]
    total = 0.0
    for shot in shots:
        default = shot.source.duration if isinstance(shot.source, Motion) else DEFAULT_SECONDS
        total += default if shot.seconds is None else shot.seconds
    if total > MAX_STORY_SECONDS:
        raise MotionError(f"a storyboard of {total:g} s; expected at most {MAX_STORY_SECONDS:g}")
    how: dict[str, Any] = {"seed": body.seed, "guidance": body.guidance}
    directed = film(model, shots, constraints=body.read(form), overlap=body.overlap, on_piece=progress, **how)
    tracks = [
        motionclip.Track(each.part, form.source(each.source), each.start, each.end, each.fade) for each in body.tracks
    ]
    errors = [round(error, 4) for error in directed.errors]
    return Answer(motionclip.overlay(model, directed.motion, tracks, **how), {"Errors": errors})


@_route("/loop", schemas.LoopRequest)
def loop(model: MotionCLIP, form: Form[schemas.LoopRequest], _: ProgressCallback) -> Answer:
    """The cycle of a motion whose last frame runs into its first.

    The header `Loop` says how it goes on: its seconds, its displacement (x, z), metres, its turn, radians, and the mean
    distance of joints between where the last frames lead and the first one, centimetres.
    """
    body = form.body
    source = form.source(body.source)
    if isinstance(source, str):
        seconds = model.max_seconds if body.seconds is None else body.seconds
        source = motionclip.text_to_motion(model, source, seconds=seconds, seed=body.seed, guidance=body.guidance)
    cycle = motionclip.make_loop(source)
    about = {
        "seconds": round(cycle.motion.duration, 3),
        "displacement": [round(metres, 4) for metres in cycle.displacement],
        "turn": round(cycle.turn, 4),
        "gap_cm": round(cycle.gap_cm, 2),
    }
    check_size(body.cycles * cycle.motion.num_frames, cycle.motion.skeleton.num_joints)
    repeated = repeat(cycle, body.cycles)
    return Answer(in_place(repeated) if body.in_place else repeated, {"Loop": about})


@_route("/retime", schemas.RetimeRequest)
def retime(_: MotionCLIP, form: Form[schemas.RetimeRequest], __: ProgressCallback) -> Motion:
    """A part of a motion, backwards, mirrored, faster or slower, held, followed by others: without words."""
    body, motion = form.body, form.motion(form.body.motion)
    slowest = min((factor for _, factor in body.speed), default=1.0)
    held = sum(seconds for _, seconds in body.hold)
    follow = [form.motion(part) for part in body.then]
    seconds = motion.duration / slowest + held + sum(each.duration for each in follow)
    check_size(seconds * motion.fps, motion.skeleton.num_joints)
    return motionclip.retime(
        motion,
        span=body.crop,
        backwards=body.reverse,
        mirrored=body.mirror,
        speed=body.speed,
        holds=body.hold,
        then=follow,
        on_spot=body.in_place,
    )
