"""Whether this process lives, whether it can do its work, and its measurements; whatever the Host."""

from ipaddress import ip_address

from starlette.exceptions import HTTPException
from starlette.responses import Response

from aureum.domain.errors import Unavailable
from aureum.http.answers import answer, encoded
from aureum.http.endpoint import ANYBODY, Asked, Endpoint
from aureum.http.shapes import Shape
from aureum.store.database import ONLY_READS

READY = "SELECT current_setting('transaction_read_only')::boolean"

READY_SECONDS = 2.0
"""How long the database may take to answer: who asks seldom waits longer."""


class ShownHealth(Shape):
    """``ok`` or ``ready``."""

    status: str


async def get_healthz(asked: Asked) -> Response:
    """The process answers."""
    return answer(encoded({"status": "ok"}))


async def get_readyz(asked: Asked) -> Response:
    """The database answers too, is of this version, and lately nothing was refused that must be stored. Raises
    Unavailable, which says what it is."""
    database = asked.app.database
    ((only_reads,),) = await database.rows(READY, seconds=min(READY_SECONDS, database.watch.seconds))
    trouble = ONLY_READS if only_reads else database.watch.trouble()
    if trouble is not None:
        raise Unavailable(trouble)
    return answer(encoded({"status": "ready"}))


async def get_metrics(asked: Asked) -> Response:
    """For Prometheus, from loopback or AUREUM_METRICS_NETWORKS; to anybody else there is no such page."""
    app = asked.app
    client = asked.request.client
    peer = client.host if client else ""
    try:
        address = ip_address(peer)
    except ValueError:
        address = None
    if address is None or not any(address in network for network in app.settings.metrics_networks):
        raise HTTPException(404)
    return Response(app.metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")


ENDPOINTS = (
    Endpoint("GET", "/healthz", get_healthz, "Whether the process lives", access=ANYBODY, answers=ShownHealth),
    Endpoint("GET", "/readyz", get_readyz, "Whether it can do its work", access=ANYBODY, answers=ShownHealth),
    Endpoint(
        "GET",
        "/metrics",
        get_metrics,
        "Measurements, for Prometheus",
        access=ANYBODY,
        media="text/plain",
        refusals=(404,),
    ),
)
