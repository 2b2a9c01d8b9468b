"""JSON, YAML and what is like them: read as values of stated types and ranges, or refused with the place.

One gate for all documents. A schema is a type as msgspec knows it: a dataclass, a ``TypedDict``, ``list[str]``, with
bounds from :class:`msgspec.Meta`. JSON is taken strictly: no NaN, no numbers beyond a double, no half of a character,
no nesting without end. What a schema does not name is passed over, unless it forbids that. YAML makes no objects.
"""

from __future__ import annotations

import codecs
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

T = TypeVar("T")

#: Whole numbers that count things of which memory holds some, and numbers that are no damage.
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Number = Annotated[float, Meta(ge=-1e15, le=1e15)]
#: Frames per second.
Rate = Annotated[float, Meta(ge=0.01, le=100_000)]
#: Characters of a name.
Name = Annotated[str, Meta(max_length=10_000)]

_LARGEST = 1 << 29  # bytes of a document; the manifest of the largest data set has 1e8


class DocumentError(ValueError):
    """What a document has that does not fit, and where."""


def parse(content: str | bytes, schema: type[T]) -> T:
    """Returns the value of a JSON document.

    Args:
        content: of the file, in UTF-8.
        schema: its type.

    Raises:
        DocumentError: if it is no JSON, or holds anything else.
        MotionClipError: as the schema, where it checks more than types.
    """
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    if len(raw) > _LARGEST:
        raise DocumentError(f"{len(raw):,} bytes; at most {_LARGEST:,} are read")
    try:
        return msgspec.json.decode(raw.removeprefix(codecs.BOM_UTF8), type=schema)
    except (msgspec.MsgspecError, UnicodeDecodeError, OverflowError, RecursionError) as error:
        raise DocumentError(_explained(error)) from error


def parse_yaml(content: str | bytes, schema: type[T]) -> T:
    """Returns the value of a YAML document.

    Aliases make a small file large inside, so lists in a schema need bounds.

    Args:
        content: of the file.
        schema: its type.

    Raises:
        DocumentError: if it is no YAML, or holds anything else.
    """
    import yaml  # few files are YAML

    try:
        values = yaml.safe_load(content)
    except RecursionError as error:
        raise DocumentError(_explained(error)) from error
    except Exception as error:  # what makes its dates and numbers raises nearly anything
        raise DocumentError(f"this is not YAML: {str(error) or type(error).__name__}") from error
    return checked(values, schema)


def checked(values: object, schema: type[T]) -> T:
    """Returns values that were read in another way, as those of a schema.

    Raises:
        As :func:`parse`.
    """
    try:
        return msgspec.convert(values, schema)
    except (msgspec.MsgspecError, OverflowError, RecursionError) as error:
        raise DocumentError(_explained(error)) from error


def parse_object(content: str | bytes) -> dict[str, Any]:
    """Returns a JSON object as it is; whoever keeps it whole checks the parts that it reads by :func:`checked`.

    Raises:
        DocumentError: if it is none.
    """
    return parse(content, dict[str, Any])


def _explained(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    return str(error).replace(" - at `$", " at `") if str(error) else type(error).__name__
