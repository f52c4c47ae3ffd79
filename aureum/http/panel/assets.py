"""What pages load besides themselves: one style sheet, and the modules that make some tasks quicker.

Their addresses hold a digest of what is served there, so that browsers keep it and never show an old one. A module
imports another by its relative name, so that both come from the same version.
"""

import hashlib
from functools import cache
from importlib.resources import files

from starlette.routing import Route

from aureum.http.contract.packed import Asset, PackedAnswer

STYLES = (
    "tokens.css",
    "elements.css",
    "layout.css",
    "parts.css",
    "forms.css",
    "account.css",
    "picker.css",
    "showings.css",
    "tasks.css",
    "history.css",
    "records.css",
    "phone.css",
    "leads.css",
    "today.css",
    "reports.css",
    "envelopes.css",
    "print.css",
)
"""The files of the style sheet, in the order in which later rules win over earlier ones."""

MODULES = (
    "panel.js",
    "keys.js",
    "find.js",
    "live.js",
    "again.js",
    "picker.js",
    "history.js",
    "narrow.js",
    "leads.js",
    "showings.js",
)
"""Every page loads ``panel.js``; the others are loaded by the pages that name them."""


@cache
def style() -> PackedAnswer:
    """The style sheet of all pages."""
    folder = files("aureum.http.panel") / "styles"
    return PackedAnswer(b"\n".join((folder / name).read_bytes() for name in STYLES), "text/css")


@cache
def modules() -> dict[str, PackedAnswer]:
    """The modules, by name."""
    folder = files("aureum.http.panel") / "modules"
    return {name: PackedAnswer((folder / name).read_bytes(), "text/javascript") for name in MODULES}


@cache
def version() -> str:
    """One digest of all modules."""
    return hashlib.sha256("".join(one.digest for one in modules().values()).encode()).hexdigest()[:16]


def module(name: str) -> str:
    """The address of a module."""
    assert name in MODULES, name
    return f"/admin/modules/{version()}/{name}"


def routes() -> list[Route]:
    """Of the style sheet and of all modules."""
    scripts = [Route(module(name), Asset(packed), include_in_schema=False) for name, packed in modules().items()]
    return [Route("/admin/panel.css", Asset(style()), include_in_schema=False), *scripts]
