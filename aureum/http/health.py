"""Whether this process lives, whether it can do its work, and its measurements; whatever the Host."""

from ipaddress import ip_address

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from aureum.http.answers import answer, encoded

READY = "SELECT 1"


async def get_healthz(request: Request) -> Response:
    """The process answers."""
    return answer(request, encoded({"status": "ok"}))


async def get_readyz(request: Request) -> Response:
    """The database answers too. Raises Unavailable."""
    await request.app.state.aureum.database.rows(READY)
    return answer(request, encoded({"status": "ready"}))


async def get_metrics(request: Request) -> Response:
    """For Prometheus, from loopback or AUREUM_METRICS_NETWORKS; to anybody else there is no such page."""
    app = request.app.state.aureum
    peer = request.client.host if request.client else ""
    try:
        address = ip_address(peer)
    except ValueError:
        address = None
    if address is None or not any(address in network for network in app.settings.metrics_networks):
        raise HTTPException(404)
    return Response(app.metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")
