"""What pages of the portal load besides themselves: one style sheet, under an address that changes with it."""

from functools import cache
from importlib.resources import files

from starlette.routing import Route

from aureum.http.contract.packed import Asset, PackedAnswer

STYLES = ("portal.css",)
"""The files of the style sheet, in the order in which later rules win over earlier ones."""


@cache
def style() -> PackedAnswer:
    """The style sheet of all pages."""
    folder = files("aureum.http.portal") / "styles"
    return PackedAnswer(b"\n".join((folder / name).read_bytes() for name in STYLES), "text/css")


def routes() -> list[Route]:
    """Of what pages load."""
    return [Route("/portal/portal.css", Asset(style()), include_in_schema=False)]
