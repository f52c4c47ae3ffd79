"""Whether this process lives, whether it can do its work, and its measurements, under any Host."""

from ipaddress import ip_address

from starlette.exceptions import HTTPException
from starlette.responses import Response

from aureum.domain.errors import Busy
from aureum.http.contract.answers import answer, encoded
from aureum.http.contract.endpoint import ANYONE, Context, Endpoint
from aureum.http.wire.shapes import Shape
from aureum.store.postgres.readiness import READY_SECONDS, check

MODEL_LOADING = "The routing model is still loading. Ask again in a few seconds."


class HealthResponse(Shape):
    """``ok`` or ``ready``."""

    status: str


async def get_healthz(context: Context) -> Response:
    """Answers while the process is running."""
    return answer(encoded({"status": "ok"}))


async def get_readyz(context: Context) -> Response:
    """Checks that the database is available and has the schema of this version, that no write was lately refused, and
    that the routing model has been loaded, or cannot be. Raises Busy, or Unavailable, which says what it is."""
    model = context.app.model
    if model is not None and model.loading():
        raise Busy(5, MODEL_LOADING)
    database = context.app.database
    async with database.connection(min(READY_SECONDS, database.watch.seconds)) as connection:
        await check(connection, database.watch)
    return answer(encoded({"status": "ready"}))


async def get_metrics(context: Context) -> Response:
    """Returns the metrics. Clients outside of loopback and ``AUREUM_METRICS_NETWORKS`` get 404."""
    app = context.app
    client = context.request.client
    peer = client.host if client else ""
    try:
        address = ip_address(peer)
    except ValueError:
        address = None
    if address is None or not any(address in network for network in app.settings.metrics_networks):
        raise HTTPException(404)
    return Response(app.metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")


ENDPOINTS = (
    Endpoint("GET", "/healthz", get_healthz, "Check that the process is alive", access=ANYONE, answers=HealthResponse),
    Endpoint("GET", "/readyz", get_readyz, "Check that the process is ready", access=ANYONE, answers=HealthResponse),
    Endpoint(
        "GET",
        "/metrics",
        get_metrics,
        "Get metrics for Prometheus",
        access=ANYONE,
        media="text/plain",
        refusals=(404,),
    ),
)
