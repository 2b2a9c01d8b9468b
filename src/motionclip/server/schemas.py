"""Bodies of requests and answers, as OpenAPI shows them. Metres, seconds, Y up, facing +Z, right-handed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.json_schema import models_json_schema

from motionclip.applications import DEFAULT_GUIDANCE, DEFAULT_TAKES
from motionclip.applications.interpolate import PathName
from motionclip.seeds import SEEDS
from motionclip.server import limits
from motionclip.server.responses import JSON, PNG, ZIP, file_types
from motionclip.serving import MAX_SECONDS, MAX_STORY_SECONDS

Text = Annotated[str, StringConstraints(min_length=1, max_length=limits.MAX_TEXT)]
Seed = Annotated[int, Field(ge=0, lt=SEEDS, description="Another seed gives another motion of the same words.")]
Seconds = Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)]
LongSeconds = Annotated[float, Field(gt=0, le=MAX_STORY_SECONDS, allow_inf_nan=False)]
Second = Annotated[float, Field(ge=0, le=MAX_SECONDS, allow_inf_nan=False)]
Guidance = Annotated[
    float, Field(ge=0, le=10, allow_inf_nan=False, description="Above 1 follows the words more closely.")
]
Strength = Annotated[
    float, Field(ge=-10, le=10, allow_inf_nan=False, description="1 for all of the change, more to exaggerate.")
]
Cosine = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
Texts = Annotated[list[Text], Field(min_length=1, max_length=limits.MAX_TEXTS)]
LabelSetName = Literal["babel60", "babel120", "bandai"]


def example(**fields: Any) -> ConfigDict:
    """Returns the settings of a body of a request, with the example that the OpenAPI document shows."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [fields]})


class RequestBody(BaseModel):
    """Base of the bodies of requests. Unknown fields are errors."""

    model_config = ConfigDict(extra="forbid")


class FilePart(RequestBody):
    """A motion file of the form: the name of its part."""

    file: Annotated[str, StringConstraints(min_length=1, max_length=64)] = "file"


TextOrFile = Annotated[Text | FilePart, Field(description="Words, or the part of the form with a motion file.")]


class SampledRequest(RequestBody):
    """Base of the requests that sample motions of texts."""

    seconds: Seconds | None = Field(None, description="Length; that of a given motion, or 4, if not given.")
    seed: Seed = 0
    guidance: Guidance = DEFAULT_GUIDANCE


class GenerateRequest(SampledRequest):
    """A motion for a sentence; "..., then ..." is done one after the other."""

    model_config = example(text="a person waves with both hands", seconds=2, seed=1)

    text: Text
    seconds: LongSeconds | None = Field(None, description="Length; 4 for each thing that is done, if not given.")
    takes: int = Field(
        DEFAULT_TAKES,
        ge=1,
        le=limits.MAX_TAKES,
        description="Takes that are decoded of one thing, of which the best is kept; 1 is several times as fast.",
    )


class InterpolateRequest(SampledRequest):
    """Motions from one to another, both ends included."""

    model_config = example(a="a person walks", b="a person runs", steps=3, seconds=2)

    a: TextOrFile
    b: TextOrFile
    steps: int = Field(5, ge=2, le=limits.MAX_STEPS)
    path: PathName = "sphere"
    archive: Literal[".bvh", ".glb", ".npz"] = Field(".bvh", description="What an answer of application/zip holds.")


class EditRequest(SampledRequest):
    """A motion, less what one says, with what another says."""

    model_config = example(base="a person walks", minus="a person walks", plus="a person runs", seconds=2)

    base: TextOrFile
    minus: TextOrFile | None = None
    plus: TextOrFile | None = None
    strength: Strength = 1.0
    arithmetic: bool = False


class RestyleRequest(SampledRequest):
    """A motion, done in another style."""

    model_config = example(base="a person walks", style="elderly", seconds=2)

    base: TextOrFile
    style: Text
    strength: Strength = 1.0


class ComposeRequest(SampledRequest):
    """The upper body of one motion on the lower body of another."""

    model_config = example(upper="a person waves with both hands", lower="a person walks", seconds=2)

    upper: TextOrFile
    lower: TextOrFile


class MotionRequest(RequestBody):
    """A request about one uploaded motion."""

    model_config = example(motion={"file": "file"})

    motion: FilePart = FilePart()


class CompletionRequest(MotionRequest):
    """Base of the requests for frames that an uploaded motion does not have."""

    text: Text | None = Field(None, description="What is done in them; what the motion suggests if not given.")
    seed: Seed | None = None
    guidance: Guidance = DEFAULT_GUIDANCE


class FillRequest(CompletionRequest):
    """A motion with gaps, each from a second to a later one."""

    model_config = example(gaps=[[0.5, 1.0]])

    gaps: list[tuple[Second, Second]] = Field(min_length=1, max_length=limits.MAX_GAPS)


class ExtendRequest(CompletionRequest):
    """A motion that is to go on, or to begin earlier."""

    model_config = example(seconds=1, text="a person runs")

    seconds: Seconds = 2.0
    before: bool = False


class RecognizeRequest(MotionRequest):
    """What is done in a motion, out of labels."""

    model_config = example(labels=["walking", "running", "waving"], top=2)

    labels: LabelSetName | Texts = "babel60"
    top: int = Field(5, ge=1, le=limits.MAX_TEXTS)
    none_below: Cosine | None = Field(None, description="Cosine below which no label fits; -1 to always name one.")


class CaptionRequest(MotionRequest):
    """The sentences that are nearest to what is done in a motion."""

    model_config = example(top=3)

    sentences: Texts | None = Field(None, description="What to choose from; the server's own if not given.")
    top: int = Field(5, ge=1, le=limits.MAX_TEXTS)


class ConvertRequest(MotionRequest):
    """A motion in another format, or a part of it."""

    model_config = example(start=0.5, end=1.5, fps=60)

    fps: float | None = Field(None, ge=1, le=240, allow_inf_nan=False)
    start: float = Field(0, ge=0, le=MAX_SECONDS, allow_inf_nan=False)
    end: float | None = Field(None, gt=0, le=MAX_SECONDS, allow_inf_nan=False)
    retarget: bool = Field(False, description="Onto the canonical skeleton of 24 joints, feet on the ground.")


class SearchRequest(RequestBody):
    """Stretches of the library that fit all queries together."""

    model_config = example(queries=["a person walks"], top=3)

    queries: list[TextOrFile] = Field(min_length=1, max_length=limits.MAX_FILES)
    top: int = Field(10, ge=1, le=limits.MAX_HITS)
    least: Cosine = -1.0


class DecodeRequest(RequestBody):
    """A motion of a latent, such as ``/encode`` gives."""

    latent: list[Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]] = Field(min_length=1, max_length=4096)
    seconds: Seconds = 4.0


class ResponseBody(BaseModel):
    """Base of the bodies of answers; made of an object with the same attributes."""

    model_config = ConfigDict(from_attributes=True)


class MotionResponse(ResponseBody):
    """A motion of T frames and J joints."""

    fps: float
    joints: list[str] = Field(description="J names.")
    parents: list[int] = Field(description="J indices; -1 for the root.")
    offsets: list[list[float]] = Field(description="J x 3: from the parent, in the rest pose, metres.")
    positions: list[list[list[float]]] = Field(description="T x J x 3: in the world, metres.")
    rotations: list[list[list[float]]] = Field(
        description="T x J x 4: relative to the parent, unit quaternions x, y, z, w."
    )


class MotionsResponse(ResponseBody):
    """Several motions."""

    motions: list[MotionResponse]


class RecognizedLabel(ResponseBody):
    """A label, its probability and its cosine."""

    label: str
    confidence: float
    cosine: float


class RecognizedStretch(ResponseBody):
    """A stretch of time with one answer."""

    start: float
    end: float
    label: str
    confidence: float


class RecognizeResponse(ResponseBody):
    """What is done in a motion, the surest answer first, and when."""

    seconds: float
    guesses: list[RecognizedLabel]
    timeline: list[RecognizedStretch]


class CaptionSentence(ResponseBody):
    """A sentence and its cosine with the motion."""

    text: str
    cosine: float


class CaptionStretch(ResponseBody):
    """The nearest sentences of a stretch of time."""

    start: float
    end: float
    nearest: list[CaptionSentence]


class CaptionResponse(ResponseBody):
    """A motion in words, every four seconds."""

    stretches: list[CaptionStretch]


class SearchHit(ResponseBody):
    """A stretch of a motion of the library that fits."""

    file: str
    start: float
    end: float
    cosine: float


class SearchResponse(ResponseBody):
    """Hits, the best first."""

    hits: list[SearchHit]


class EncodeResponse(ResponseBody):
    """A motion as a latent: a direction, of unit length but for the paper's network."""

    latent: list[float]
    seconds: float = Field(description="Length of the motion, for /decode.")


class HealthResponse(ResponseBody):
    """That the server runs."""

    status: Literal["ok"] = "ok"
    version: str
    library: int | None = Field(description="Windows of motion that can be searched; null without a library.")


class ErrorDetail(ResponseBody):
    """What was wrong."""

    type: str
    message: str


class ErrorResponse(ResponseBody):
    """Every answer that is not a success."""

    error: ErrorDetail


# What FastAPI cannot see of the routes: forms with files, and formats by Accept header.

_REF = "#/components/schemas/{model}"
_BINARY = {"type": "string", "format": "binary"}
#: Schemas that only ``form_body``, ``motion_content`` and ``motions_content`` refer to.
_REFERENCED = set[type[BaseModel]]()
_ERRORS = {
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
    status: {"model": ErrorResponse, "description": text} for status, text in _ERRORS.items()
}


def form_body(schema: type[RequestBody]) -> dict[str, Any]:
    """Returns ``openapi_extra`` of a route that takes a form with files, or JSON alone where texts will do."""
    reference = _ref(schema)
    form: dict[str, Any] = {
        "type": "object",
        "properties": {"request": reference, "file": _BINARY},
        "additionalProperties": _BINARY,
    }
    content: dict[str, Any] = {
        "multipart/form-data": {"schema": form, "encoding": {"request": {"contentType": JSON}}},
    }
    if issubclass(schema, MotionRequest):
        form["required"] = ["file"]
    else:
        form["required"] = ["request"]
        content[JSON] = {"schema": reference}
    return {"requestBody": {"required": True, "content": content}}


def motion_content() -> dict[int | str, dict[str, Any]]:
    """Returns ``responses`` of a route that answers with a motion."""
    files = {media_type: {"schema": _BINARY} for media_type in file_types()}
    return {200: {"description": "The motion.", "content": {JSON: {"schema": _ref(MotionResponse)}, **files}}}


def motions_content() -> dict[int | str, dict[str, Any]]:
    """Returns ``responses`` of a route that answers with several motions."""
    content = {JSON: {"schema": _ref(MotionsResponse)}, PNG: {"schema": _BINARY}, ZIP: {"schema": _BINARY}}
    return {200: {"description": "The motions.", "content": content}}


def openapi_document(app: FastAPI, *, latent_dim: int, needs_token: bool) -> dict[str, Any]:
    """Returns the OpenAPI document of an app, with the schemas that its routes refer to by hand.

    Args:
        app: whose routes are described.
        latent_dim: D, for the example of ``/decode``.
        needs_token: whether clients have to send one.
    """
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        kinds = [(schema, "validation") for schema in sorted(_REFERENCED, key=lambda each: each.__name__)]
        _, own = models_json_schema(kinds, ref_template=_REF)  # type: ignore[arg-type]
        components = document.setdefault("components", {})
        components["schemas"] = own["$defs"] | components.get("schemas", {})
        components["schemas"]["DecodeRequest"]["examples"] = [{"latent": [latent_dim**-0.5] * latent_dim, "seconds": 2}]
        if needs_token:
            components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            document["security"] = [{"token": []}]
        app.openapi_schema = document
    return app.openapi_schema


def _ref(schema: type[BaseModel]) -> dict[str, str]:
    _REFERENCED.add(schema)
    return {"$ref": _REF.format(model=schema.__name__)}
