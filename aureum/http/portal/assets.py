"""What pages of the portal load besides themselves: one style sheet, and modules that make some tasks quicker. Their
addresses change with them."""

from functools import cache
from importlib.resources import files

from starlette.routing import Route

from aureum.http.contract.packed import Asset, PackedAnswer

STYLES = ("portal.css", "documents.css")
"""The files of the style sheet, in the order in which later rules win over earlier ones."""

MODULES = ("draw.js", "read.js")
"""Each is loaded by the pages that name it."""


@cache
def style() -> PackedAnswer:
    """The style sheet of all pages."""
    folder = files("aureum.http.portal") / "styles"
    return PackedAnswer(b"\n".join((folder / name).read_bytes() for name in STYLES), "text/css")


@cache
def modules() -> dict[str, PackedAnswer]:
    """The modules, by name."""
    folder = files("aureum.http.portal") / "modules"
    return {name: PackedAnswer((folder / name).read_bytes(), "text/javascript") for name in MODULES}


def module(name: str) -> str:
    """The address of a module."""
    return f"/portal/modules/{modules()[name].digest[:16]}/{name}"


def routes() -> list[Route]:
    """Of what pages load."""
    scripts = [Route(module(name), Asset(packed), include_in_schema=False) for name, packed in modules().items()]
    return [*scripts, Route("/portal/portal.css", Asset(style()), include_in_schema=False)]
