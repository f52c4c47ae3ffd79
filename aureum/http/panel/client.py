"""What staff say and send to a contact who is a client: messages, listings and key dates, on a page beside the
contact's. The contact's own page shows the last messages, and all of it in its timeline."""

import asyncio
from collections.abc import Mapping, Sequence

from starlette.responses import RedirectResponse, Response

from aureum.domain.brokerage import includes
from aureum.http.panel.client_words import REACTIONS, date_entries, listing_entries, message_entries
from aureum.http.panel.fields import LINE_END, Field, as_typed
from aureum.http.panel.history_words import Entry
from aureum.http.panel.lead_rows import names_of
from aureum.http.panel.page import REFUSALS, Page, page, refusal, seen
from aureum.http.panel.picking import name_of, picked, with_names
from aureum.http.panel.visit import Doc, Visit

HERE = "/admin/contacts/{id}/client"
API = "/api/contacts/{id}"
ONE = "/api/contact-listings/{id}"

PLAN = "Grow"

LAST, SHOWN, LISTED = 2, 50, 20
"""Messages on the contact's page, and messages and listings here: the newest."""

EMPTY_ROWS = 3

LISTING = (
    Field("propertyId", "Property", "property", required=True),
    Field("note", "Note to the client", "long"),
)

DONE = {
    "sent": "The message was sent. The client gets it as a mail, too.",
    "read": "The messages are marked as read.",
    "listed": "The listing was sent.",
    "removed": "The listing was taken back.",
    "dates": "The dates were saved.",
}

KEY_DATE = ("date", "label", "note")


def has_portal(visit: Visit) -> bool:
    """Whether the brokerage's plan has the client portal."""
    return visit.acting is not None and includes(visit.acting["plan"], PLAN)


async def last_messages(visit: Visit, contact: Doc) -> Doc | None:
    """What the contact's page shows: the newest messages, how many wait for an answer, and what belongs into the
    timeline. None without the portal."""
    if not has_portal(visit):
        return None
    messages, listings, dates = await asyncio.gather(
        visit.ask("GET", API + "/messages", id=contact["id"], query={"limit": SHOWN}),
        visit.ask("GET", API + "/listings", id=contact["id"]),
        visit.ask("GET", API + "/key-dates/history", id=contact["id"]),
    )
    acts = await timeline_of(visit, contact["id"], messages.body, listings.body[:LISTED], dates.body[-LISTED:])
    return {"messages": messages.body[:LAST], "unread": unread(messages.body), "acts": acts}


async def timeline_of(
    visit: Visit, contact_id: str, messages: Sequence[Doc], listings: Sequence[Doc], dates: Sequence[Doc]
) -> Sequence[Entry]:
    """The newest *messages*, *listings* and changes of key *dates* of the contact, as entries of the timeline."""
    if not messages and not listings and not dates:
        return ()
    users, titles = await asyncio.gather(names_of(visit), titles_of(visit, listings))
    page = HERE.replace("{id}", contact_id)
    return (
        *message_entries(messages, users, page + "#messages"),
        *listing_entries(listings, titles, users),
        *date_entries(dates, page + "#dates"),
    )


async def titles_of(visit: Visit, listings: Sequence[Doc]) -> Mapping[str, str | None]:
    """The titles of the properties, by id; None for one that the reader does not see any more."""
    wanted = list({one["propertyId"] for one in listings})
    return dict(zip(wanted, await asyncio.gather(*(name_of(visit, "property", one) for one in wanted)), strict=True))


def unread(messages: Sequence[Doc]) -> int:
    """How many of the client's messages staff have not read."""
    return sum(one["from"] == "client" and one["readAt"] is None for one in messages)


async def show(visit: Visit) -> Response:
    """Messages, listings and dates, each with its form."""
    return await client_page(visit)


async def client_page(
    visit: Visit,
    *,
    problem: str | None = None,
    text: str = "",
    listing: Mapping[str, str] | None = None,
    rows: Sequence[Doc] | None = None,
    etag: str | None = None,
) -> Response:
    """The page; after a refusal with the *problem*, and what was typed into the form that was refused: the *text* of a
    message, a *listing*, or the *rows* of dates, with the *etag* of those that were edited."""
    contact = (await visit.ask("GET", API, id=visit.id())).body
    if visit.request.method != "POST" and contact["id"] != visit.id():
        return RedirectResponse(HERE.replace("{id}", contact["id"]), 303)
    messages = (await visit.ask("GET", API + "/messages", id=contact["id"], query={"limit": SHOWN})).body
    listings = (await visit.ask("GET", API + "/listings", id=contact["id"])).body
    dates = await visit.ask("GET", API + "/key-dates", id=contact["id"])
    shown = rows if rows is not None else dates.body["dates"]
    return await page(
        visit,
        "client.html",
        400 if problem else 200,
        contact=contact,
        title=f"{contact['firstName']} {contact['lastName']}".strip(),
        here=HERE.replace("{id}", contact["id"]),
        messages=messages,
        unread=unread(messages),
        listings=listings[:LISTED],
        more=max(0, len(listings) - LISTED),
        titles=await titles_of(visit, listings[:LISTED]),
        reactions=REACTIONS,
        users=await names_of(visit),
        text=text,
        fields=LISTING,
        values=await with_names(visit, LISTING, listing or {"propertyId": "", "note": ""}, {}),
        rows=[*shown, *({name: "" for name in KEY_DATE} for _ in range(EMPTY_ROWS))],
        etag=dates.etag if etag is None else etag,
        problem=problem,
        done=None if problem else DONE.get(visit.request.query_params.get("done", "")),
    )


def back(visit: Visit, done: str, part: str) -> Response:
    """To the page, which says what was *done*."""
    return RedirectResponse(f"{HERE.replace('{id}', visit.id())}?done={done}#{part}", 303)


async def write(visit: Visit) -> Response:
    """A message to the client."""
    text = LINE_END.sub("\n", visit.form["text"])
    try:
        await visit.ask("POST", API + "/messages", id=visit.id(), body={"text": text})
    except REFUSALS as error:
        return await client_page(visit, problem=refusal(error), text=text)
    return back(visit, "sent", "messages")


async def read(visit: Visit) -> Response:
    """What the client wrote was read."""
    await visit.ask("POST", API + "/messages/read", id=visit.id())
    return back(visit, "read", "messages")


async def send(visit: Visit) -> Response:
    """A listing for the client."""
    try:
        visit = await picked(visit, LISTING)
        body = {"propertyId": visit.form["propertyId"], "note": LINE_END.sub("\n", visit.form["note"]) or None}
        await visit.ask("POST", API + "/listings", id=visit.id(), body=body)
    except REFUSALS as error:
        return await client_page(visit, problem=refusal(error), listing=as_typed(LISTING, visit.form))
    return back(visit, "listed", "listings")


async def remove(visit: Visit) -> Response:
    """Take a listing back."""
    await visit.ask("GET", API, id=visit.id())
    await visit.ask("DELETE", ONE, id=visit.form["listing"])
    return back(visit, "removed", "listings")


async def set_dates(visit: Visit) -> Response:
    """All dates, by the rows of the form; empty rows are none."""
    columns = [[text.strip() for text in visit.form.all(name)] for name in KEY_DATE]
    rows = [dict(zip(KEY_DATE, row, strict=True)) for row in zip(*columns, strict=False) if any(row)]
    body = {"dates": [row | {"note": LINE_END.sub("\n", row["note"]) or None} for row in rows]}
    try:
        await visit.ask("PUT", API + "/key-dates", id=visit.id(), body=body, if_match=visit.form["etag"])
    except REFUSALS as error:
        return await client_page(visit, problem=refusal(error), rows=rows, etag=seen(visit, error))
    return back(visit, "dates", "dates")


PAGES = (
    Page(HERE, show),
    Page(HERE + "/messages", act=write),
    Page(HERE + "/messages/read", act=read),
    Page(HERE + "/listings", act=send),
    Page(HERE + "/listings/remove", act=remove),
    Page(HERE + "/dates", act=set_dates),
)
