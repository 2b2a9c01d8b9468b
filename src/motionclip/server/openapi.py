"""The parts of the OpenAPI document that FastAPI cannot see: forms with files, and formats by Accept header."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from motionclip.server import schemas
from motionclip.server.negotiation import JSON, PNG, ZIP, file_types

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
REFUSALS: dict[int | str, dict[str, Any]] = {
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
