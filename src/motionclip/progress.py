"""The callback through which long work reports its progress."""

from __future__ import annotations

from collections.abc import Callable

ProgressCallback = Callable[[int, int], None]
"""Called as ``progress(done, total)`` after each step: the steps that are done, 1 to ``total``, and all of them."""
