"""JavaScript and a style sheet in viser's page, and what a script tells the studio.

viser takes no scripts, and those in HTML that is added to a page do not run; what an image does that cannot be loaded
does. To tell the studio something, a script types it into a text field of viser's, which is hidden.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from importlib import resources

import viser

from motionclip.gate.documents import DocumentError, Number, parse

#: Finds the hidden field. The count makes two equal messages two changes.
_TELL = """
let told = 0;
const tell = (...numbers) => {
  const field = document.querySelector("label[for='UUID']")?.closest(".mantine-Flex-root")?.querySelector("input");
  if (!field) return;
  const typed = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
  typed.call(field, JSON.stringify([(told += 1), ...numbers]));  // past React, which then hears of the change
  field.dispatchEvent(new Event("input", { bubbles: true }));
};
"""


def run_script(gui: viser.GuiApi, name: str, prelude: str = "") -> None:
    """Runs a script of the folder ``page`` in the page, again whenever its place in the page is drawn anew."""
    code = _page_file(f"{name}.js")
    gui.add_html(f'<img src="data:," alt="" hidden onerror="{escape(f"{{{prelude}{code}}}")}">')


def add_look(gui: viser.GuiApi) -> None:
    """Has the page look as its style sheet says."""
    gui.add_html(f"<style>{_page_file('look.css')}</style>")


def _page_file(name: str) -> str:
    return (resources.files("motionclip.studio") / "page" / name).read_text("utf-8")


def listen(gui: viser.GuiApi, name: str, on_told: Callable[[list[float]], None]) -> None:
    """Runs a script that calls ``tell`` with numbers, and has a function called with them."""
    field = gui.add_text(name, "")
    uuid = field._impl.uuid
    gui.add_html(f"<style>div:has(> .mantine-Flex-root label[for='{uuid}']) {{ display: none }}</style>")
    run_script(gui, name, _TELL.replace("UUID", uuid))

    @field.on_update
    def _(_: object) -> None:
        try:
            _count, *numbers = parse(field.value, list[Number])
        except (DocumentError, ValueError):  # nobody types here but the script
            return
        on_told(numbers)
