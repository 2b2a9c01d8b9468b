"""Turns the roles of docstrings (`:func:`) into links of the reference, when mkdocstrings reads them."""

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:class|meth|func|mod|attr|data):`~?([\w.]+)`")
_logger = griffe.get_logger("docstring_links")


class DocstringLinks(griffe.Extension):
    """Links every name that stands in a role. A name that leads nowhere is a warning, which ends a strict build."""

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        self._link(pkg)

    def _link(self, found: griffe.Object) -> None:
        if found.docstring:
            found.docstring.value = ROLE.sub(lambda role: link(found, role[1]), found.docstring.value)
        for member in found.members.values():
            if not member.is_alias:
                self._link(member)


def link(owner: griffe.Object, name: str) -> str:
    """The link of a name in the docstring of an object, by its path or by its name there."""
    try:
        path = name if name.startswith("motionclip.") else owner.resolve(name)
        target = owner.modules_collection[path]
        path = (target.final_target if target.is_alias else target).path
    except (griffe.NameResolutionError, griffe.AliasResolutionError, KeyError):
        _logger.warning(f"{owner.path}: no {name}, which its docstring names")
        return f"`{name}`"
    # Optional: what has no docstring of its own has no place in the reference.
    return f'<autoref identifier="{path}" optional><code>{name.rpartition(".")[2]}</code></autoref>'
