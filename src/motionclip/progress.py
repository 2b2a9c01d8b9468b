"""How long work says how far it is."""

from __future__ import annotations

from collections.abc import Callable

#: Called with the number of steps that are done, and of all.
ProgressCallback = Callable[[int, int], None]
