"""The documents: links lead somewhere, and the reference names what the package offers."""

from __future__ import annotations

import re
from pathlib import Path

import motionclip

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")


def test_links_lead_to_files() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken


def test_the_reference_names_all_of_the_front_door() -> None:
    page = (ROOT / "docs" / "api" / "index.md").read_text()
    assert not [name for name in motionclip.__all__ if f"[{name}][motionclip." not in page]
