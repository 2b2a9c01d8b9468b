"""What is done in an uploaded motion; and the motion as a latent, or in another format."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, Request
from starlette.responses import Response

from motionclip.applications.caption import caption as captioned
from motionclip.applications.labels import label_set, labels_of
from motionclip.applications.recognize import recognize as recognized
from motionclip.motion import Motion, crop, resample
from motionclip.motion.retarget import retarget
from motionclip.server.openapi import asks, gives_motion
from motionclip.server.routes.answering import answer_form
from motionclip.server.schemas import (
    Caption,
    Captioned,
    CaptionStretch,
    Convert,
    Encoded,
    Guessed,
    OneFile,
    Recognize,
    Recognized,
    Stretch,
)
from motionclip.server.service import Given
from motionclip.server.uploads import Form, check_size, read_form

router = APIRouter(tags=["understand"])


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
