"""``GET /api/leads/count``: how many leads of the Host's brokerage stand at each status."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from aureum.http.access.callers import by_host, by_key_or_staff
from aureum.http.access.cors import allow_origin, find_site
from aureum.http.access.gate import Caller
from aureum.http.access.session_cookie import session_token
from aureum.http.contract.answers import answer_kept, encoded, kept_as, log_etag, not_modified
from aureum.http.contract.at_head import at_head, tenant_rows_at_head
from aureum.http.contract.endpoint import Access, Context, Endpoint
from aureum.http.contract.past import MOST, rows_at
from aureum.http.wire.errors import HttpError
from aureum.http.wire.headers import header
from aureum.http.wire.shapes import Shape
from aureum.http.wire.times import Time
from aureum.projections import lead_counts, lead_list
from aureum.store.postgres.reading import Reader

PATH = "/api/leads/count"
NO_PAST = "The counts of a moment in the past need credentials. Send an API key or a token, or leave out asOf."
PRIVATE = "This brokerage's lead count is not public. Send an API key or a token."


class CountResponse(Shape):
    """The number of leads by status."""

    new: int
    contacted: int
    qualified: int
    converted: int
    showing: int
    offer: int
    lost: int
    total: int


class CountQuery(BaseModel):
    """When."""

    model_config = ConfigDict(frozen=True)

    as_of: Annotated[
        Time | None,
        Field(
            alias="asOf",
            description="Counts the leads as they were at this moment, inclusive. Needs credentials. If there were "
            f"more than {MOST:,} leads, the response is 400.",
        ),
    ] = None


async def by_host_or_credentials(request: Request) -> Caller:
    """With credentials their brokerage; without, the one that Host names, unless it keeps the count to itself."""
    if header(request.scope, b"authorization"):
        return await by_key_or_staff(request)
    if header(request.scope, b"origin") is not None:
        allow_origin(request, await find_site(request))
    caller = await by_host(request)
    if caller.public_lead_count:
        return caller
    # Staff on their own site count as visitors, unless visitors are shown nothing.
    if session_token(request.scope, request.app.state.aureum.settings.trusted_proxies) is not None:
        return await by_key_or_staff(request)
    raise HttpError("credentials_missing", PRIVATE)


async def get_lead_count(context: Context, query: CountQuery) -> Response:
    """Counts the leads that are visible to the caller, now or at ``asOf``. Without credentials it counts all leads of
    the brokerage."""
    caller = context.caller
    etag = log_etag(context.request, caller, PATH)
    unchanged = not_modified(context.request, etag)
    if unchanged is not None:
        return unchanged
    if query.as_of is not None and caller.caller_id is None:
        # It costs a hundred times as much, and each moment is another one.
        raise HttpError("credentials_missing", NO_PAST)
    counted = partial(read, context) if query.as_of is None else partial(read_past, context, query.as_of)
    return answer_kept(await context.app.answers.get(kept_as(caller, etag), counted), etag)


async def read(context: Context) -> bytes:
    """The counts from the read model that is live for the tenant, as an answer is kept."""
    tenant_id, agent = context.tenant_id, context.caller.visible_to

    async def counted(reader: Reader) -> Iterable[tuple[str, int]]:
        if agent is None:
            return await reader.batched.ask(lead_counts.OF_TENANTS, (tenant_id,))
        parameters = {"tenant": tenant_id, "agent": agent}
        return await reader.tenant_rows(tenant_id, lead_counts.OF_AGENT, parameters)

    return b"\n" + encoded(lead_counts.summary(await at_head(context, counted)))


async def read_past(context: Context, moment: datetime) -> bytes:
    """The same of *moment*. Raises HttpError 400, Busy, Unavailable."""
    rows = await rows_at(context, lead_list.LIST, moment)
    parameters = {"tenant": context.tenant_id, "rows": rows, "visible_to": context.caller.visible_to}
    found = await tenant_rows_at_head(context, lead_counts.OF_PAST, parameters)
    return b"\n" + encoded(lead_counts.summary(found))


ENDPOINTS = (
    Endpoint(
        "GET",
        PATH,
        get_lead_count,
        "Count leads by status",
        access=Access(by_host_or_credentials, ("key", "token"), optional=True),
        dialect="leads",
        query=CountQuery,
        answers=CountResponse,
        etag_from_position=True,
        from_pages=True,
    ),
)
