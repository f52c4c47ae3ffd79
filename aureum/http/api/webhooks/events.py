"""``GET /api/events``: the bodies of webhooks for those who prefer to pull, or were down for longer."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from aureum.http.api.webhooks.messages import MessageResponse
from aureum.http.api.webhooks.webhook_fields import EVENT_TYPES, Named, Position
from aureum.http.contract.answers import answer, list_etag, not_modified
from aureum.http.contract.endpoint import INTEGRATOR, Context, Endpoint
from aureum.http.contract.paging import Limit, link
from aureum.registry import WEBHOOK_EVENTS, expand
from aureum.webhooks.telling.emitted import emitted_since

PATH = "/api/events"
PAGE = 100


class Feed(BaseModel):
    """From where on, how many, and of what."""

    model_config = ConfigDict(frozen=True)

    cursor: Annotated[
        Position | None,
        Field(description="The last `sequence` that was read. The response has the events after it. Default: 0."),
    ] = None
    limit: Annotated[Limit | None, Field(description=f"The maximum number of events. Default: {PAGE}.")] = None
    events: Annotated[Named | None, Field(description=EVENT_TYPES)] = None


async def get_events(context: Context, feed: Feed) -> Response:
    """Lists the bodies that webhooks receive, oldest first. ``Link`` has the next page, if there is one. With a filter
    a page may be shorter than its limit, or empty, and still have a next page."""
    query, caller = context.request.query_params, context.caller
    etag = list_etag(PATH, context.tenant_id, caller.head, caller.read_version, sorted(query.multi_items()))
    unchanged = not_modified(context.request, etag)
    if unchanged is not None:
        return unchanged
    limit = feed.limit or PAGE
    wanted = frozenset(WEBHOOK_EVENTS) if feed.events is None else expand(feed.events)
    cursor = min(feed.cursor or 0, caller.head)
    emitted = await emitted_since(context.app.store, context.tenant_id, cursor, wanted, head=caller.head, limit=limit)
    headers = {"ETag": etag}
    if emitted.more:
        kept = {"events": query["events"]} if "events" in query else {}
        headers["Link"] = link(PATH, kept | {"limit": limit, "cursor": emitted.until}, "next")
    return answer(b"[" + b",".join(one.body for one in emitted.messages) + b"]", headers=headers)


ENDPOINTS = (
    Endpoint("GET", PATH, get_events, "Read the events", access=INTEGRATOR, query=Feed, answers=list[MessageResponse]),
)
