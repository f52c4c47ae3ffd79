"""The calendar feed of a client. Its address is a secret that the client gets once; what it shows is when and where."""

from datetime import datetime, timedelta

import orjson
from starlette.responses import Response

from aureum.commands.calendar_feeds import new_token
from aureum.commands.portal.feeds import client_of_feed, feed_made, open_client_feed, revoke_client_feed
from aureum.commands.portal.opening import opened_by
from aureum.domain.errors import NotFound
from aureum.domain.ids import now
from aureum.http.access.hosts import requested_host
from aureum.http.access.session_cookie import is_own_machine
from aureum.http.api.tours.feed_file import feed_file
from aureum.http.api.tours.icalendar import CALENDAR
from aureum.http.api.tours.showing_calendar import address
from aureum.http.portal.client_tours import properties, tours_of_address
from aureum.http.portal.homes import PROPERTIES
from aureum.http.portal.page import PortalPage
from aureum.http.portal.visit import PortalVisit
from aureum.http.wire.headers import header
from aureum.store.rate_limits import count

NO_FEED = "There is no such calendar."

LIMIT = 30
"""Reads of a feed in a minute, and wrong addresses of a client."""

BEFORE, AFTER = timedelta(days=30), timedelta(days=400)

PUBLIC = "/portal/calendar/{token}.ics"


async def show_feed(visit: PortalVisit) -> Response:
    """Whether there is a feed, and what can be done with it."""
    return await page(visit)


async def page(visit: PortalVisit, url: str | None = None) -> Response:
    """The same; with the address of a feed that was just made."""
    tenant_key = await visit.app.store.tenant_key(visit.client.tenant_id)
    made = await feed_made(visit.app.database, tenant_key, visit.client.address)
    return visit.render("feed.html", made=made, url=url)


async def make(visit: PortalVisit) -> Response:
    """A new address, shown this once. Raises Unavailable."""
    token = new_token()
    tenant_key = await visit.app.store.tenant_key(visit.client.tenant_id)
    await open_client_feed(visit.app.database, tenant_key, visit.client.address, token)
    return await page(visit, begin(visit) + PUBLIC.replace("{token}", token))


def begin(visit: PortalVisit) -> str:
    """Where the client has found the portal: scheme and host."""
    host = requested_host(visit.request.scope, visit.app.settings.trusted_proxies) or ""
    if is_own_machine(host):
        return f"http://{header(visit.request.scope, b'host') or host}"
    return f"https://{host}"


async def revoke(visit: PortalVisit) -> Response:
    """The address shows nothing from now on. Raises Unavailable."""
    tenant_key = await visit.app.store.tenant_key(visit.client.tenant_id)
    await revoke_client_feed(visit.app.database, tenant_key, visit.client.address)
    return visit.go("/portal/calendar")


async def read(visit: PortalVisit) -> Response:
    """The client's tours that have a time and were not cancelled, for a calendar program. Raises NotFound, TooMany,
    Unavailable."""
    database, tenant_id = visit.app.database, visit.at.tenant_id
    tenant_key = await visit.app.store.tenant_key(tenant_id)
    client = await client_of_feed(database, tenant_key, str(visit.request.path_params["token"]))
    opened = None if client is None else await opened_by(database, tenant_key, client, visit.at.plan)
    if client is None or opened is None or opened.subject_id is None or not visit.at.has_portal:
        await count(database, tenant_id, b"client feeds " + visit.counted_as.encode(), LIMIT)
        raise NotFound(NO_FEED)
    await count(database, tenant_id, b"client feed " + client.key, LIMIT)
    day = now().replace(hour=0, minute=0, second=0, microsecond=0)
    tours = [
        (one.doc, one.version)
        for one in await tours_of_address(database, tenant_id, client.text)
        if one.doc["status"] != "cancelled" and shows(one.doc["startsAt"], day)
    ]
    about = {"tenant": tenant_id, "properties": properties(doc for doc, _ in tours)}
    rows = await database.tenant_rows(tenant_id, PROPERTIES, about)
    listed = [orjson.loads(doc) for _, doc in rows]
    content = feed_file(tours, {one["id"]: address(one) for one in listed}, details=False)
    return Response(content, headers={"Content-Disposition": "inline"}, media_type=CALENDAR)


def shows(starts_at: str | None, day: datetime) -> bool:
    """Whether a feed of this *day* shows what starts then."""
    return starts_at is not None and day - BEFORE <= datetime.fromisoformat(starts_at) < day + AFTER


PAGES = (
    PortalPage("GET", "/portal/calendar", show_feed, preview=True),
    PortalPage("POST", "/portal/calendar", make),
    PortalPage("POST", "/portal/calendar/revoke", revoke),
    PortalPage("GET", PUBLIC, read, anyone=True),
)
