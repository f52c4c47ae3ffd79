"""``GET /api/v1/admin/security-log``: logins, refused keys and exports of a brokerage, for its owner and for platform
admins."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any

from pydantic import Field
from starlette.responses import Response

from aureum.commands.clock import on_clock
from aureum.domain.ids import leads_time, to_wire
from aureum.http.api.staff.managed import managed
from aureum.http.api.staff.user_fields import BrokeragePage
from aureum.http.api.webhooks.webhook_lists import unless_same
from aureum.http.contract.answers import encoded
from aureum.http.contract.endpoint import STAFF, Context, Endpoint
from aureum.http.contract.numbered_pages import FoundPage, NumberedPage, page_body
from aureum.http.wire.shapes import LeadsTimestamp, Shape, Wire
from aureum.http.wire.times import Time
from aureum.store import security_entries
from aureum.store.security_entries import Entry
from aureum.store.security_log import Kind

PATH = "/api/v1/admin/security-log"


class SecurityPage(BrokeragePage):
    """Which part of the security log."""

    since: Annotated[Time | None, Field(description="Only what happened at this moment or later.")] = None
    kind: Annotated[Kind | None, Field(description="Filter by kind.")] = None


class SecurityUser(Shape):
    """The user."""

    id: int
    name: str


class SecurityKey(Shape):
    """The API key."""

    id: Wire
    name: str


class SecurityResponse(Shape):
    """An entry of the security log. Events that are alike within an hour are one entry."""

    kind: Annotated[
        Kind,
        Field(
            description="`login_limited`: the login was refused after too many failures. `code_failed`: the password "
            "was right, but the code of the second step was wrong. `key_at_other_brokerage`: a key was sent to the "
            "domain of another brokerage. `others`: events beyond the limit of an hour, counted together."
        ),
    ]
    at: Annotated[LeadsTimestamp, Field(description="When it last happened.")]
    first_at: Annotated[LeadsTimestamp, Field(description="When it first happened within the hour.")]
    times: Annotated[int, Field(ge=1, description="How often it happened within the hour.")]
    user: Annotated[SecurityUser | None, Field(description="The user who did it, or whose account was used.")]
    key: Annotated[SecurityKey | None, Field(description="The API key that was used.")]
    account: Annotated[str | None, Field(description="The email address that was entered at the login.")]
    address: Annotated[str | None, Field(description="The client's address. For IPv6 it is the /64 network.")]
    device: Annotated[str | None, Field(description="The browser and the operating system, in words.")]
    about: Annotated[str | None, Field(description="Details, for example the list that was exported.")]


def document(entry: Entry) -> dict[str, Any]:
    """An entry as it is shown."""
    return {
        "kind": entry.kind,
        "at": leads_time(entry.last_at),
        "first_at": leads_time(entry.first_at),
        "times": entry.times,
        "user": None if entry.user is None else {"id": entry.user[1], "name": entry.user[2]},
        "key": None if entry.key is None else {"id": to_wire(entry.key[0]), "name": entry.key[1]},
        **{name: entry.said.get(name) for name in ("account", "address", "device", "about")},
    }


async def get_security_log(context: Context, part: SecurityPage) -> Response:
    """Lists logins, failed logins, refused API keys, exports and other events that matter for security, newest first.
    Entries are kept for 90 days, unless the operator sets another period. Platform admins may pass ``brokerage_id``. It
    defaults to their own brokerage, or to the platform, which has the logins with unknown addresses."""
    tenant_id, _ = await managed(context, part.brokerage_id)
    since: datetime | None
    (since,) = await on_clock(context.app.database, tenant_id, part.since)
    found, total = await security_entries.entries(
        context.app.store, tenant_id, since=since, kind=part.kind, limit=part.page_size, skipped=part.skipped
    )
    items = b",".join(encoded(document(one)) for one in found).decode()
    return unless_same(context, page_body(part, FoundPage(items, total)))


every = partial(Endpoint, path=PATH, access=STAFF, dialect="leads", refusals=(400, 403, 404))

ENDPOINTS = (
    every(
        method="GET",
        run=get_security_log,
        summary="List the security log",
        query=SecurityPage,
        answers=NumberedPage[SecurityResponse],
        own_clock=True,
    ),
)
