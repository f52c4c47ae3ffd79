"""A calendar feed for each user: ``/api/me/calendar-feed`` makes and revokes it, and calendar programs read
``/calendar/TOKEN.ics``. The token is the only proof, so it stands in no log (routes are logged, not paths), and what it
shows by itself is only when and where."""

from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import ConfigDict, Field
from starlette.responses import Response

from aureum.commands.calendar_feeds import hash_token, new_token, open_feed, revoke_feed
from aureum.domain.calendar_feed import CalendarFeed
from aureum.domain.errors import NotFound, TooMany
from aureum.domain.ids import PLATFORM, aureum_time, now
from aureum.http.access.callers import NAME_A_BROKERAGE, named_host, origin, through_gate
from aureum.http.access.gate import Lookup
from aureum.http.access.hosts import client_address
from aureum.http.api.tours.feed_file import feed_file
from aureum.http.api.tours.icalendar import CALENDAR
from aureum.http.api.tours.showing_calendar import places_of_tenant
from aureum.http.contract.answers import answer, encoded, list_etag, not_modified
from aureum.http.contract.endpoint import ANYONE, STAFF, Context, Endpoint, Id
from aureum.http.contract.resource import answered, once
from aureum.http.wire.errors import BadHost, HttpError
from aureum.http.wire.nulls import NULL_IS_ABSENT
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Shape, Timestamp
from aureum.mail.letters import links
from aureum.projections import calendar_feeds
from aureum.store.rate_limits import count

OWN = "/api/me/calendar-feed"
PUBLIC = "/calendar/{id}.ics"

NO_FEED = "There is no such calendar."
TOO_OFTEN = "This calendar was read too often. Try again in a minute."

LIMIT = 30
"""Reads of a feed in a minute, and wrong addresses of a client."""

BEFORE, AFTER = timedelta(days=30), timedelta(days=400)
"""What a feed shows, around the present day."""

MOST = 1_000


class FeedCreate(Body):
    """A new address. The previous one stops working."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"details": False}})

    details: Annotated[
        bool,
        NULL_IS_ABSENT,
        Field(description="Whether the feed also has the visitors' names, phones and email addresses."),
    ] = False


class FeedResponse(Shape):
    """Your calendar feed, without its address."""

    active: Annotated[bool, Field(description="Whether there is one.")]
    details: Annotated[bool, Field(description="Whether it has the visitors' names, phones and email addresses.")]
    createdAt: Annotated[Timestamp | None, Field(description="When its address was created.")]


class FeedCreated(FeedResponse):
    """The new address, which is shown only in this response."""

    path: Annotated[str, Field(description="The path of the feed, at any domain of the brokerage.")]
    url: Annotated[str | None, Field(description="The whole address. `null` if no domain of the brokerage is known.")]


def shown(details: bool | None, made_at: datetime | None) -> dict[str, Any]:
    """A feed, or that there is none."""
    return {
        "active": made_at is not None,
        "details": bool(details),
        "createdAt": None if made_at is None else aureum_time(made_at),
    }


def user_of(context: Context) -> UUID:
    """The user who asks. Raises HttpError 400 for one without a brokerage, who has no showings."""
    if context.tenant_id == PLATFORM or context.caller.caller_id is None:
        raise HttpError("brokerage_required", NAME_A_BROKERAGE)
    return context.caller.caller_id


async def get_feed(context: Context) -> Response:
    """Returns whether you have a calendar feed. Its address is shown only when it is created."""
    of = {"tenant": context.tenant_id, "user": user_of(context)}
    found = await context.app.database.tenant_rows(context.tenant_id, calendar_feeds.OF_USER, of)
    body = encoded(shown(*(found[0] if found else (None, None))))
    etag = list_etag(OWN, of, context.caller.head, body)
    return not_modified(context.request, etag) or answer(body, headers={"ETag": etag})


async def post_feed(context: Context, new: FeedCreate) -> Response:
    """Creates an address at which a calendar program reads your showings. It is returned only here. Your previous
    address stops working. The address is a secret: anyone who has it can read the feed."""
    user_id, token = user_of(context), new_token()
    path = PUBLIC.replace("{id}", token)
    begin = await begins(context)

    def body(feed: CalendarFeed) -> bytes:
        url = None if begin is None else begin + path
        return encoded(shown(feed.details, feed.modified_on) | {"path": path, "url": url})

    remember = await once(context, body)
    feed, appended = await open_feed(
        context.app.store,
        context.tenant_id,
        user_id,
        token,
        origin(context.request, context.caller),
        details=new.details,
        idempotency=remember,
    )
    return answered(context, feed, body, appended, 201)


async def begins(context: Context) -> str | None:
    """Where the brokerage is reached, as links in its mails say it."""
    settings, of = context.app.settings, {"tenant": context.tenant_id}
    ((slug, domains, seen),) = await context.app.database.tenant_rows(context.tenant_id, calendar_feeds.ADDRESSES, of)
    arrives = [domain for domain in domains if domain in seen or domain == links.LOCAL]
    return links.base(slug, arrives, settings.base_domain, settings.public_url, None)


async def delete_feed(context: Context) -> Response:
    """Revokes your calendar feed. Its address stops working at once."""
    who = origin(context.request, context.caller)
    await revoke_feed(context.app.store, context.tenant_id, user_of(context), who)
    return Response(status_code=204)


async def get_public_feed(context: Context, token: str) -> Response:
    """Returns the showings of the user whose feed it is, from 30 days ago on, as an iCalendar file. Calendar programs
    poll it. It has only times and places, unless the user chose otherwise. Showings that were cancelled
    or have no time are left out."""
    database = context.app.database
    kept = hash_token(token)
    found = await database.rows(calendar_feeds.BY_HASH, {"hash": kept})
    tenant_id, user_id, details, *state = found[0] if found else (None, None, False)
    if tenant_id is None or await names_another(context, tenant_id):
        await counted(context, PLATFORM, b"feeds " + client(context).encode())
        raise NotFound(NO_FEED)
    day = now().replace(hour=0, minute=0, second=0, microsecond=0)
    etag = list_etag(PUBLIC, kept, details, state, day)
    unchanged = not_modified(context.request, etag)
    if unchanged is not None:
        return unchanged
    await counted(context, tenant_id, b"feed " + kept)
    of = {"tenant": tenant_id, "user": user_id, "since": day - BEFORE, "before": day + AFTER, "limit": MOST}
    rows = await database.tenant_rows(tenant_id, calendar_feeds.SHOWINGS, of)
    showings = [(orjson.loads(doc), version) for doc, version in rows]
    places = await places_of_tenant(context, tenant_id, (showing["propertyId"] for showing, _ in showings))
    content = feed_file(showings, places, details=details)
    return Response(content, headers={"ETag": etag, "Content-Disposition": "inline"}, media_type=CALENDAR)


async def names_another(context: Context, tenant_id: UUID) -> bool:
    """Whether Host names another brokerage, at which this feed is as unknown as any."""
    try:
        host, slug = named_host(context.request)
    except BadHost:
        return False
    admission = await through_gate(context.request, Lookup(b"", host, slug, ""))
    return admission is not None and admission.caller.tenant_id != tenant_id


def client(context: Context) -> str:
    """Who asks, by address."""
    return client_address(context.request.scope, context.app.settings.trusted_proxies)


async def counted(context: Context, tenant_id: UUID, bucket: bytes) -> None:
    """Count a read. Raises HttpError 429."""
    try:
        await count(context.app.database, tenant_id, bucket, LIMIT)
    except TooMany as error:
        raise HttpError("rate_limited", TOO_OFTEN, {"Retry-After": "60"}) from error


own = partial(Endpoint, path=OWN, access=STAFF, refusals=(400,))

ENDPOINTS = (
    own(method="GET", run=get_feed, summary="Describe your calendar feed", answers=FeedResponse),
    own(
        method="POST",
        run=post_feed,
        summary="Create a calendar feed",
        body=FeedCreate,
        bodiless=True,
        answers=FeedCreated,
        status=201,
    ),
    own(method="DELETE", run=delete_feed, summary="Revoke your calendar feed", answers=None, status=204),
    Endpoint(
        "GET",
        PUBLIC,
        get_public_feed,
        "Read a calendar feed",
        access=ANYONE,
        id=Id(NO_FEED, parse=str, pattern="^[A-Za-z0-9_-]{22}$"),
        answers=str,
        media=CALENDAR,
        refusals=(429,),
    ),
)
