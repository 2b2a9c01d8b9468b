"""Values of fields, set from here."""

from __future__ import annotations

from typing import TypeVar

import viser

T = TypeVar("T")


def set_value(field: viser.GuiInputHandle[T], value: T) -> None:
    """Shows another value in a field."""
    field.value = value  # type: ignore[misc]  # viser's property has a setter that mypy does not see
