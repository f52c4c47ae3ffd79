"""The newsletter: who is subscribed, on which consents, and the list for the program that sends it. For brokers and
owners."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response, StreamingResponse

from aureum.commands.newsletter import site_of, subscribed
from aureum.domain.errors import WrongState
from aureum.http.panel.acting import named, number_of
from aureum.http.panel.exports import MEDIA, Export, noted, written
from aureum.http.panel.history_words import history_shown
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.resource import Column
from aureum.http.panel.times import asked_time, sent_time
from aureum.http.panel.visit import Visit

HERE = "/admin/newsletter"
API = "/api/v1/admin/newsletter"
LENGTH = 50

STATES = (("", "All"), ("true", "Subscribed"), ("false", "Unsubscribed"))

SAID = {
    "subscribed": "Subscribed",
    "subscribed_again": "Subscribed again",
    "unsubscribed": "Unsubscribed",
    "united": "Two spellings of the address became one",
}

NO_SITE = "The brokerage has no domain for its unsubscribe links. Ask the operator to add one."

DONE = {"unsubscribed": "The subscriber gets no more newsletters."}

RECIPIENTS = Export(
    HERE,
    API,
    (),
    (
        Column("email", "Email"),
        Column("firstName", "First name"),
        Column("interests", "Interests", "words"),
        Column("updatedAt", "Subscribed", "time"),
        Column("unsubscribeUrl", "Unsubscribe link"),
    ),
)
"""What ``aureum newsletter export`` prints."""

TENANT = "SELECT tenant_id FROM brokerages WHERE number = %(number)s"


async def show_subscribers(visit: Visit) -> Response:
    """The latest change first, a page at a time."""
    number_of(visit)
    query = visit.request.query_params
    chosen = {name: query.get(name, "") for name in ("q", "subscribed", "interest", "asOf")}
    then = sent_time(chosen["asOf"], visit.zone) or ""
    part = {"page": query.get("page", ""), "page_size": LENGTH, "asOf": then}
    found = (await visit.ask("GET", API, query=chosen | part | named(visit))).body
    following = {**chosen, "page": str(found["page"] + 1)} if found["page"] < found["total_pages"] else None
    return await page(
        visit,
        "newsletter.html",
        chosen=chosen,
        subscribers=found["items"],
        total=found["total"],
        chips=[(address(chosen | {"subscribed": value}), word, None) for value, word in STATES],
        chip=address(chosen),
        older=None if following is None else address(following),
        then=asked_time(then, visit.zone) if then else None,
        now=address(chosen | {"asOf": ""}),
    )


def address(chosen: dict[str, Any]) -> str:
    """The address of the list with what is chosen."""
    given = {name: text for name, text in chosen.items() if text}
    return f"{HERE}?{urlencode(given)}" if given else HERE


async def shown(visit: Visit, problem: str | None = None) -> Response:
    """A subscriber with all consents and the history, now or at a moment; after a refusal with the *problem*."""
    asked = visit.request.query_params if visit.request.method == "GET" else {}
    then, done = asked.get("asOf", ""), asked.get("done", "")
    query = {"asOf": then} | named(visit)
    one = (await visit.ask("GET", API + "/{id}", id=visit.id(), query=query)).body
    history = await history_shown(visit, API + "/{id}/history", "subscriber", {}, id=visit.id(), **query)
    return await page(
        visit,
        "subscriber.html",
        400 if problem else 200,
        one=one,
        consents=[consent | {"said": SAID[consent["what"]]} for consent in reversed(one["consents"])],
        history=history,
        then=asked_time(then, visit.zone) if then else None,
        problem=problem,
        done=DONE.get(done),
    )


async def unsubscribe(visit: Visit) -> Response:
    """Unsubscribe, and show the subscriber."""
    try:
        await visit.ask("POST", API + "/{id}/unsubscribe", id=visit.id(), query=named(visit))
    except REFUSALS as error:
        await visit.ask("GET", API + "/{id}", id=visit.id(), query=named(visit))
        return await shown(visit, refusal(error))
    return RedirectResponse(f"{HERE}/{visit.id()}?done=unsubscribed", 303)


async def export_recipients(visit: Visit) -> Response:
    """The current subscribers, each with a new link that unsubscribes. Who may read the list is told by the API. Raises
    WrongState where links would lead nowhere."""
    number = int(number_of(visit))
    await visit.ask("GET", API, query={"page_size": 1} | named(visit))
    app = visit.request.app.state.aureum
    ((tenant_id,),) = await app.database.rows(TENANT, {"number": number})
    site = await site_of(app.store, tenant_id, app.settings.base_domain)
    if site is None:
        raise WrongState(NO_SITE)

    async def parts() -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        async for doc, token in subscribed(app.store, tenant_id):
            yield [{**doc, "unsubscribeUrl": f"https://{site}/api/newsletter/unsubscribe?token={token}"}]

    headers = {"Content-Disposition": 'attachment; filename="newsletter.csv"'}
    if visit.request.method == "HEAD":
        return Response(headers=headers, media_type=MEDIA)
    await noted(visit, RECIPIENTS)
    return StreamingResponse(written(RECIPIENTS, visit, parts(), {}), headers=headers, media_type=MEDIA)


PAGES = (
    Page(HERE, show_subscribers),
    Page(f"{HERE}.csv", export_recipients),
    Page(HERE + "/{id}", shown),
    Page(HERE + "/{id}/unsubscribe", act=unsubscribe),
)
