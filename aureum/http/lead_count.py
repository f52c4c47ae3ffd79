"""``GET /api/leads/count``: how many leads of the Host's brokerage stand at each status."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from aureum.http.access import by_host, by_key
from aureum.http.answers import answer, encoded, list_etag, not_modified
from aureum.http.cors import allow_origin, find_site
from aureum.http.errors import HttpError
from aureum.http.gate import Brokerage
from aureum.http.headers import header
from aureum.projections import lead_counts

if TYPE_CHECKING:
    from aureum.app import Aureum

PRIVATE = "This brokerage shows its lead count only with credentials: send an API key."


async def get_lead_count(request: Request) -> Response:
    """Public, unless the brokerage decided otherwise; then with a key."""
    app: Aureum = request.app.state.aureum
    if header(request.scope, b"authorization"):
        about = (await by_key(request)).brokerage
    else:
        if header(request.scope, b"origin") is not None:
            allow_origin(request, await find_site(request))
        about = (await by_host(request)).brokerage
        if not about.public_lead_count:
            raise HttpError(401, PRIVATE)
    etag = list_etag("lead_counts", about.tenant_id, about.head, about.lead_counts_version)
    unchanged = not_modified(request, etag)
    if unchanged is not None:
        return unchanged
    key = ("lead_counts", about.tenant_id, about.head, about.lead_counts_version)
    body = await app.answers.get(key, lambda: read(app, about))
    return answer(request, body, headers={"ETag": etag})


async def read(app: "Aureum", about: Brokerage) -> bytes:
    """The counts from the read model that is live for the tenant."""
    rows = await app.database.rows(lead_counts.OF_TENANT, {"tenant": about.tenant_id})
    return encoded(lead_counts.summary(rows))
