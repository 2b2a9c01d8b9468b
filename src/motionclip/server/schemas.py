"""What requests ask and what answers say, as OpenAPI shows it. Metres, seconds, Y up, facing +Z, right-handed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.json_schema import models_json_schema

from motionclip.applications.interpolate import PathName
from motionclip.applications.storyboard import DEFAULT_OVERLAP
from motionclip.applications.text_to_motion import DEFAULT_GUIDANCE
from motionclip.server import limits, schemas
from motionclip.server.responses import JSON, PNG, ZIP, file_types
from motionclip.serving import MAX_SECONDS

Words = Annotated[str, StringConstraints(min_length=1, max_length=limits.MAX_TEXT)]
Seed = Annotated[int, Field(ge=0, lt=2**63, description="Another seed gives another motion of the same words.")]
Seconds = Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)]
Second = Annotated[float, Field(ge=0, le=MAX_SECONDS, allow_inf_nan=False)]
Guidance = Annotated[
    float, Field(ge=0, le=10, allow_inf_nan=False, description="Above 1 follows the words more closely.")
]
Strength = Annotated[
    float, Field(ge=-10, le=10, allow_inf_nan=False, description="1 for all of the change, more to exaggerate.")
]
Share = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
Many = Annotated[list[Words], Field(min_length=1, max_length=limits.MAX_TEXTS)]
LabelSetName = Literal["babel60", "babel120", "bandai"]


class Asked(BaseModel):
    """A request: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid")


class FilePart(Asked):
    """A motion file of the form: the name of its part."""

    file: Annotated[str, StringConstraints(min_length=1, max_length=64)] = "file"


SourceSaid = Annotated[Words | FilePart, Field(description="Words, or the part of the form with a motion file.")]


class Drawn(Asked):
    """What every request says that draws motions."""

    seconds: Seconds | None = Field(None, description="Length; that of a given motion, or 4, if not given.")
    seed: Seed = 0
    guidance: Guidance = DEFAULT_GUIDANCE


class Generate(Drawn):
    """A motion for a sentence."""

    text: Words


class Interpolate(Drawn):
    """Motions from one to another, both ends included."""

    a: SourceSaid
    b: SourceSaid
    steps: int = Field(5, ge=2, le=limits.MAX_STEPS)
    path: PathName = "sphere"
    archive: Literal[".bvh", ".glb", ".npz"] = Field(".bvh", description="What an answer of application/zip holds.")


class Edit(Drawn):
    """A motion, less what one says, with what another says."""

    base: SourceSaid
    minus: SourceSaid | None = None
    plus: SourceSaid | None = None
    strength: Strength = 1.0
    arithmetic: bool = False


class Restyle(Drawn):
    """A motion, done in another style."""

    base: SourceSaid
    style: Words
    strength: Strength = 1.0


class Compose(Drawn):
    """The upper body of one motion on the lower body of another."""

    upper: SourceSaid
    lower: SourceSaid


class ShotSaid(Asked):
    """What is done, and for how long: 4 s for words, and the whole of a motion, if not given."""

    source: SourceSaid
    seconds: Seconds | None = None


class Storyboard(Asked):
    """One motion that does one thing after the other."""

    shots: list[ShotSaid] = Field(min_length=1, max_length=limits.MAX_SHOTS)
    overlap: float = Field(DEFAULT_OVERLAP, gt=0, le=5, allow_inf_nan=False, description="Seconds of each seam.")
    seed: Seed = 0
    guidance: Guidance = DEFAULT_GUIDANCE


class OneFile(Asked):
    """A request about one uploaded motion."""

    motion: FilePart = FilePart()


class Completed(OneFile):
    """What frames that are not there are to show."""

    text: Words | None = Field(None, description="What is done in them; what the motion suggests if not given.")
    seed: Seed | None = None
    guidance: Guidance = DEFAULT_GUIDANCE


class Fill(Completed):
    """A motion with gaps, each from a second to a later one."""

    gaps: list[tuple[Second, Second]] = Field(min_length=1, max_length=limits.MAX_GAPS)


class Extend(Completed):
    """A motion that is to go on, or to begin earlier."""

    seconds: Seconds = 2.0
    before: bool = False


class Recognize(OneFile):
    """What is done in a motion, out of labels."""

    labels: LabelSetName | Many = "babel60"
    top: int = Field(5, ge=1, le=limits.MAX_TEXTS)
    none_below: Share | None = Field(None, description="Cosine below which no label fits; -1 to always name one.")


class Caption(OneFile):
    """The sentences that are nearest to what is done in a motion."""

    sentences: Many | None = Field(None, description="What to choose from; the server's own if not given.")
    top: int = Field(5, ge=1, le=limits.MAX_TEXTS)


class Convert(OneFile):
    """A motion in another format, or a part of it."""

    fps: float | None = Field(None, ge=1, le=240, allow_inf_nan=False)
    start: float = Field(0, ge=0, le=MAX_SECONDS, allow_inf_nan=False)
    end: float | None = Field(None, gt=0, le=MAX_SECONDS, allow_inf_nan=False)
    retarget: bool = Field(False, description="Onto the canonical skeleton of 24 joints, feet on the ground.")


class Search(Asked):
    """Stretches of the library that fit all queries together."""

    queries: list[SourceSaid] = Field(min_length=1, max_length=limits.MAX_FILES)
    top: int = Field(10, ge=1, le=limits.MAX_HITS)
    least: Share = -1.0


class Decode(Asked):
    """A motion of a latent, such as ``/encode`` gives."""

    latent: list[Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]] = Field(min_length=1, max_length=4096)
    seconds: Seconds = 4.0


class MotionDocument(BaseModel):
    """A motion of T frames and J joints."""

    fps: float
    joints: list[str] = Field(description="J names.")
    parents: list[int] = Field(description="J indices; -1 for the root.")
    offsets: list[list[float]] = Field(description="J x 3: from the parent, in the rest pose, metres.")
    positions: list[list[list[float]]] = Field(description="T x J x 3: in the world, metres.")
    rotations: list[list[list[float]]] = Field(
        description="T x J x 4: relative to the parent, unit quaternions x, y, z, w."
    )


class MotionsDocument(BaseModel):
    """Several motions."""

    motions: list[MotionDocument]


class Guessed(BaseModel):
    """A label, its probability and its cosine."""

    label: str
    confidence: float
    cosine: float


class Stretch(BaseModel):
    """A stretch of time with one answer."""

    start: float
    end: float
    label: str
    confidence: float


class Recognized(BaseModel):
    """What is done in a motion, the surest answer first, and when."""

    seconds: float
    guesses: list[Guessed]
    timeline: list[Stretch]


class Sentence(BaseModel):
    """A sentence and its cosine with the motion."""

    text: str
    cosine: float


class CaptionStretch(BaseModel):
    """The nearest sentences of a stretch of time."""

    start: float
    end: float
    nearest: list[Sentence]


class Captioned(BaseModel):
    """A motion in words, every four seconds."""

    stretches: list[CaptionStretch]


class HitFound(BaseModel):
    """A stretch of a motion of the library that fits."""

    file: str
    start: float
    end: float
    cosine: float


class Found(BaseModel):
    """Hits, the best first."""

    hits: list[HitFound]


class Encoded(BaseModel):
    """A motion as a latent: a direction, of unit length but for the paper's network."""

    latent: list[float]
    seconds: float = Field(description="Length of the motion, for /decode.")


class Health(BaseModel):
    """That the server runs."""

    status: Literal["ok"] = "ok"
    version: str
    library: int | None = Field(description="Windows of motion that can be searched; null without a library.")


class ErrorSaid(BaseModel):
    """What was wrong."""

    type: str
    message: str


class ErrorDocument(BaseModel):
    """Every answer that is not a success."""

    error: ErrorSaid


# The parts of the OpenAPI document that FastAPI cannot see: forms with files, and formats by Accept header.


_REF = "#/components/schemas/{model}"
_BINARY = {"type": "string", "format": "binary"}
#: Schemas that only this file refers to.
_FORMS: tuple[type[BaseModel], ...] = (
    schemas.Interpolate,
    schemas.Edit,
    schemas.Restyle,
    schemas.Compose,
    schemas.Storyboard,
    schemas.Fill,
    schemas.Extend,
    schemas.Recognize,
    schemas.Caption,
    schemas.Convert,
    schemas.OneFile,
    schemas.Search,
)
_REFUSED = {
    400: "Not what HTTP, JSON or a form looks like.",
    401: "No token, or a wrong one.",
    406: "None of the formats of the Accept header.",
    413: "Too large.",
    415: "A body or a file of a type that is not read.",
    422: "Cannot be done: the message says what was expected.",
    503: "Too much is asked at once, or too much of one request; Retry-After says when to try again.",
}

#: ``responses`` of all routes.
ERROR_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": schemas.ErrorDocument, "description": text} for status, text in _REFUSED.items()
}


def asks(kind: type[BaseModel]) -> dict[str, Any]:
    """``openapi_extra`` of a route that takes a form with files, or JSON alone where words will do."""
    said = _ref(kind)
    form: dict[str, Any] = {
        "type": "object",
        "properties": {"request": said, "file": _BINARY},
        "additionalProperties": _BINARY,
    }
    content: dict[str, Any] = {
        "multipart/form-data": {"schema": form, "encoding": {"request": {"contentType": JSON}}},
    }
    if issubclass(kind, schemas.OneFile):
        form["required"] = ["file"]
    else:
        form["required"] = ["request"]
        content[JSON] = {"schema": said}
    return {"requestBody": {"required": True, "content": content}}


def gives_motion() -> dict[int | str, dict[str, Any]]:
    """``responses`` of a route that answers with a motion."""
    files = {kind: {"schema": _BINARY} for kind in file_types()}
    return {200: {"description": "The motion.", "content": {JSON: {"schema": _ref(schemas.MotionDocument)}, **files}}}


def gives_motions() -> dict[int | str, dict[str, Any]]:
    """``responses`` of a route that answers with several motions."""
    content = {JSON: {"schema": _ref(schemas.MotionsDocument)}, PNG: {"schema": _BINARY}, ZIP: {"schema": _BINARY}}
    return {200: {"description": "The motions.", "content": content}}


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an app, with the schemas that its routes refer to by hand."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        kinds = [(kind, "validation") for kind in (*_FORMS, schemas.MotionDocument, schemas.MotionsDocument)]
        _, own = models_json_schema(kinds, ref_template=_REF)  # type: ignore[arg-type]
        components = made.setdefault("components", {}).setdefault("schemas", {})
        made["components"]["schemas"] = own["$defs"] | components
        app.openapi_schema = made
    return app.openapi_schema


def _ref(kind: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=kind.__name__)}
