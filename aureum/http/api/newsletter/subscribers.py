"""``/api/v1/admin/newsletter``: the newsletter's subscribers, for brokers and owners: list, consents, history,
unsubscribing by staff. The program that sends the newsletter gets its list from the command line, or from the panel."""

from functools import partial, reduce
from typing import Any
from uuid import UUID

import orjson
from starlette.responses import Response

from aureum.commands.clock import on_clock
from aureum.commands.newsletter import unsubscribe
from aureum.domain.errors import NotFound
from aureum.domain.ids import from_wire, to_wire
from aureum.domain.subscriber import Subscriber
from aureum.http.access.callers import origin
from aureum.http.access.roles import check_leader
from aureum.http.api.newsletter.subscriber_fields import (
    SubscriberPage,
    SubscriberResponse,
    WholeSubscriberResponse,
    consents,
    history_of,
    shown,
)
from aureum.http.api.newsletter.subscriber_list import page_of
from aureum.http.api.staff.scope import in_brokerage
from aureum.http.api.staff.user_fields import OfBrokerage
from aureum.http.api.webhooks.webhook_lists import unless_same
from aureum.http.contract.answers import answer, encoded
from aureum.http.contract.endpoint import STAFF, Context, Endpoint, Id
from aureum.http.contract.history import NAMES, with_names
from aureum.http.contract.idempotency import Replayed
from aureum.http.contract.numbered_pages import FoundPage, NumberedPage, paged
from aureum.http.contract.past import rows_at
from aureum.http.contract.resource import AsOf, as_it_was, once
from aureum.http.wire.shapes import StaffEventResponse
from aureum.projections import subscriber_list

PATH = "/api/v1/admin/newsletter"
NO_SUBSCRIBER = "There is no such subscriber."


class SubscriberPageResponse(NumberedPage[SubscriberResponse]):
    """One page of the subscribers. A page beyond the last has no items."""


async def get_subscribers(context: Context, page: SubscriberPage) -> Response:
    """Lists the subscribers of the newsletter, current and former ones, the latest change first, now or at
    ``asOf``."""
    context = await leaders(context, page)
    caller = context.caller
    (moment,) = await on_clock(context.app.database, context.tenant_id, page.as_of)

    async def read() -> FoundPage:
        then = None if moment is None else await rows_at(context, subscriber_list.LIST, moment)
        part = await page_of(context.app.store, context.tenant_id, page, then)
        return FoundPage(b",".join(encoded(shown(doc)) for doc in part.docs).decode(), part.total)

    return await paged(context, page, (PATH, context.tenant_id, caller.head, caller.read_version, caller.view), read)


class SubscriberQuery(OfBrokerage, AsOf):
    """Whose subscriber, and as of when."""


async def get_subscriber(context: Context, subscriber_id: UUID, of: SubscriberQuery) -> Response:
    """Returns the subscriber with every consent and withdrawal, or its state at ``asOf``."""
    context = await leaders(context, of)
    await document(context, subscriber_id)
    (at,) = await on_clock(context.app.database, context.tenant_id, of.as_of)
    stream = as_it_was(await context.app.store.load(context.tenant_id, subscriber_id), at)
    row = reduce(subscriber_list.step, (one.event for one in stream.events), None)
    assert row is not None, "a stream begins with the event that makes the row"
    actors = {from_wire(one.metadata["actor"].get("id") or "") for one in stream.events} - {None}
    found = await context.app.database.tenant_rows(
        context.tenant_id, NAMES, {"tenant": context.tenant_id, "ids": sorted(actors, key=str)}
    )
    names = {to_wire(actor): name for actor, name in found}
    return unless_same(context, encoded({**shown(row["doc"]), "consents": consents(stream, names)}))


async def get_subscriber_history(context: Context, subscriber_id: UUID, of: SubscriberQuery) -> Response:
    """Lists every event of the subscriber, oldest first: who changed what, when, from which value to which. With
    ``asOf`` it ends at that moment. Of a person who was erased it still says what happened and when."""
    context = await leaders(context, of)
    (at,) = await on_clock(context.app.database, context.tenant_id, of.as_of)
    whole = await context.app.store.load(context.tenant_id, subscriber_id)
    if not isinstance(aggregate := whole.aggregate(), Subscriber) or not aggregate.erased:
        await document(context, subscriber_id)
    stream = as_it_was(whole, at)
    return await with_names(context, stream, history_of(stream), len(whole.events))


async def post_unsubscription(context: Context, subscriber_id: UUID, of: OfBrokerage) -> Response:
    """Unsubscribes a reader who asked for it, and returns the subscriber. Unsubscribing again has no further effect.
    Only the reader can subscribe again, with the form."""
    context = await leaders(context, of)
    await document(context, subscriber_id)
    remember = await once(context, subscriber_body, tagged=False, tenant_id=context.tenant_id)
    who = origin(context.request, context.caller)
    appended = await unsubscribe(context.app.store, context.tenant_id, subscriber_id, who, idempotency=remember)
    if appended.remembered is not None:
        raise Replayed(appended.remembered)
    return answer(encoded(shown(await document(context, subscriber_id))))


def subscriber_body(subscriber: Subscriber) -> bytes:
    """A subscriber as it is after a change."""
    times = (subscriber.created_on, subscriber.modified_on)
    return encoded(shown(subscriber_list.document(subscriber, subscriber.id, subscriber.subscribed, *times)))


async def leaders(context: Context, of: OfBrokerage) -> Context:
    """The request, asked of the brokerage that it means. Raises NotAllowed, and what ``in_brokerage`` raises."""
    check_leader(context.caller.role)
    return await in_brokerage(context, of.brokerage_id, "list subscribers")


async def document(context: Context, subscriber_id: UUID) -> dict[str, Any]:
    """A subscriber of the read model. Raises NotFound, also for one who was erased, or became a part of another."""
    of = {"tenant": context.tenant_id, "subscriber": subscriber_id}
    rows = await context.app.database.tenant_rows(context.tenant_id, subscriber_list.ONE, of)
    if not rows:
        raise NotFound(NO_SUBSCRIBER)
    doc: dict[str, Any] = orjson.loads(rows[0][0])
    return doc


every = partial(Endpoint, access=STAFF, dialect="leads", refusals=(400, 403, 404))
one = partial(every, id=Id(NO_SUBSCRIBER), query=OfBrokerage)

ENDPOINTS = (
    every(
        "GET",
        PATH,
        get_subscribers,
        "List subscribers",
        query=SubscriberPage,
        answers=SubscriberPageResponse,
        own_clock=True,
    ),
    one(
        "GET",
        PATH + "/{id}",
        get_subscriber,
        "Get a subscriber with all consents",
        query=SubscriberQuery,
        answers=WholeSubscriberResponse,
        own_clock=True,
    ),
    one(
        "GET",
        PATH + "/{id}/history",
        get_subscriber_history,
        "Get a subscriber's history",
        query=SubscriberQuery,
        answers=list[StaffEventResponse],
        own_clock=True,
    ),
    one(
        "POST",
        PATH + "/{id}/unsubscribe",
        post_unsubscription,
        "Unsubscribe a subscriber",
        answers=SubscriberResponse,
    ),
)
