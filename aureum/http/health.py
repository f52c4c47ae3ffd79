"""Whether this process lives, whether it can do its work, and its measurements; whatever the Host."""

from ipaddress import ip_address

import psycopg
from starlette.exceptions import HTTPException
from starlette.responses import Response

from aureum.domain.errors import Unavailable
from aureum.http.answers import answer, encoded
from aureum.http.endpoint import ANYBODY, Asked, Endpoint
from aureum.http.shapes import Shape
from aureum.store.arrays import packed
from aureum.store.database import NOT_THIS_VERSION
from aureum.store.migrate import signatures

READY = """
SELECT current_setting('transaction_read_only')::boolean,
       (SELECT bool_and(to_regprocedure(f.name) IS NOT NULL) FROM unnest(%b::text[]) AS f (name))
"""

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
    async with database.connection(min(READY_SECONDS, database.watch.seconds)) as connection:
        cursor = await connection.cursor(binary=True).execute(READY, [packed(str, signatures())])
        ((only_reads, of_this_version),) = await cursor.fetchall()
        if only_reads:
            # As if it had been written to: the next connection may find whoever has taken over.
            raise psycopg.errors.ReadOnlySqlTransaction
    trouble = database.watch.trouble() if of_this_version else NOT_THIS_VERSION
    if trouble is not None:
        raise Unavailable(trouble)
    return answer(encoded({"status": "ready"}))


async def get_metrics(asked: Asked) -> Response:
    """Measurements for Prometheus. Only loopback and ``AUREUM_METRICS_NETWORKS`` may read them; for other clients the
    answer is 404."""
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
    Endpoint("GET", "/healthz", get_healthz, "Check that the process is alive", access=ANYBODY, answers=ShownHealth),
    Endpoint("GET", "/readyz", get_readyz, "Check that it is ready", access=ANYBODY, answers=ShownHealth),
    Endpoint(
        "GET",
        "/metrics",
        get_metrics,
        "Get measurements for Prometheus",
        access=ANYBODY,
        media="text/plain",
        refusals=(404,),
    ),
)
