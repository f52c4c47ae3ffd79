"""``GET /``: what the address that ``aureum serve`` prints shows, under any Host."""

from typing import Annotated

from pydantic import Field
from starlette.responses import RedirectResponse, Response

from aureum import __version__
from aureum.http.contract.answers import answer, encoded
from aureum.http.contract.endpoint import ANYONE, Context, Endpoint
from aureum.http.wire.accept import prefers_page
from aureum.http.wire.shapes import Shape

PANEL = "/admin"


class DoorResponse(Shape):
    """The entry points of this installation, as paths."""

    name: str
    version: str
    panel: Annotated[str, Field(description="The admin panel.")]
    docs: Annotated[str, Field(description="The interactive API documentation.")]
    openapi: Annotated[str, Field(description="The OpenAPI document.")]
    health: Annotated[str, Field(description="The liveness check.")]
    ready: Annotated[str, Field(description="The readiness check.")]


LINKS = encoded(
    {
        "name": "Aureum",
        "version": __version__,
        "panel": PANEL,
        "docs": "/docs",
        "openapi": "/openapi.json",
        "health": "/healthz",
        "ready": "/readyz",
    }
)


async def get_door(context: Context) -> Response:
    """Returns the entry points as JSON. Browsers are redirected to the admin panel (303)."""
    if prefers_page(context.request.scope):
        return RedirectResponse(PANEL, 303, {"Vary": "Accept"})
    return answer(LINKS, headers={"Vary": "Accept"})


ENDPOINTS = (Endpoint("GET", "/", get_door, "List the entry points", access=ANYONE, answers=DoorResponse),)
