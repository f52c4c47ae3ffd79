"""The client's data: shown, downloaded, corrected by a proposal to staff, and erased on request. Staff decide on both
requests. Nothing is changed or erased automatically."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.responses import Response

from aureum.commands.portal.addresses import client_address_of
from aureum.domain.conversation import Conversation
from aureum.domain.ids import aureum_time, from_wire, now
from aureum.http.contract.answers import JSON, encoded
from aureum.http.portal.catalogue import later
from aureum.http.portal.client_tours import found_tours, shown
from aureum.http.portal.clients import around_client
from aureum.http.portal.dates import dates_of
from aureum.http.portal.documents.lists import ClientEnvelope, envelopes_of
from aureum.http.portal.enquiries import MOST, find_enquiries, leads_of_client
from aureum.http.portal.feed import begin
from aureum.http.portal.listings import listings_of
from aureum.http.portal.page import PortalPage
from aureum.http.portal.people import cards_of
from aureum.http.portal.telling import Asked, add_task
from aureum.http.portal.typed import text_of
from aureum.http.portal.visit import PortalVisit
from aureum.projections.conversation_list import newest
from aureum.store.rate_limits import count

PATH = "/portal/data"

LONGEST = 5_000

ASKED_A_MINUTE = 3

DONE = {
    "moved": later(
        "This is your address now. Documents that were sent to your old address stay with it: ask your agent to send "
        "them to the new one."
    ),
    "corrected": later("Your agent will look at it and correct your data."),
    "erasure": later("Your request is with the brokerage. It will answer you before it erases anything."),
}

OWNER = """
SELECT u.user_id FROM users u
 WHERE u.tenant_id = %(tenant)s AND u.role = 'brokerage_owner' AND NOT u.disabled
 ORDER BY u.number LIMIT 1
"""

ERASURE = (
    "The client %(address)s asks in the portal to be erased. Look at what belongs to the person on the page of the "
    "contact or lead, under Erase this person. Answer the client within a month, also if the law lets you keep "
    "something."
)
CORRECTION = "The client %(address)s asks in the portal to correct:\n\n%(text)s"
"""Staff read these, in the language of the panel."""


async def show_data(visit: PortalVisit) -> Response:
    """What the brokerage has entered of the client, and what the client can ask for."""
    return await page(visit)


async def page(visit: PortalVisit, *, problem: str | None = None, of: str = "", typed: str = "") -> Response:
    """The same; of a form that was refused with the *problem*, which form it was, and what was *typed*."""
    said = DONE.get(visit.request.query_params.get("done", ""))
    return visit.render(
        "data.html",
        status=422 if problem else 200,
        cards=await cards_of(visit),
        problem=problem,
        of=of,
        typed=typed,
        done=None if said is None or visit.request.method == "POST" else visit.gettext(said),
        once=secrets.token_urlsafe(12),
    )


async def download(visit: PortalVisit) -> Response:
    """All that the portal shows of the client, as JSON, and where each signed document is. Raises Unavailable."""
    headers = {"Content-Disposition": 'attachment; filename="my-data.json"'}
    return Response(encoded(await everything(visit)), headers=headers, media_type=JSON)


async def everything(visit: PortalVisit) -> dict[str, Any]:
    """The same as a document, made of what the pages show."""
    conversations = [one for around in await around_client(visit, Conversation) for one in around.kept]
    listings, _ = await listings_of(visit)
    coming, past = await dates_of(visit)
    return {
        "exportedAt": aureum_time(now()),
        "brokerage": visit.at.name,
        "address": visit.client.address,
        "persons": [{"name": one.name, "email": one.email, "phone": one.phone} for one in await cards_of(visit)],
        "enquiries": as_json(await find_enquiries(visit)),
        "tours": as_json(await shown(visit, await found_tours(visit))),
        "listings": [as_json([one])[0] | {"home": one.home._asdict()} for one in listings],
        "messages": [
            {"at": aureum_time(one.at), "from": one.sender, "text": one.text} for _, one in newest(conversations)
        ],
        "keyDates": [{"date": one.day.isoformat(), "label": one.label, "note": one.note} for one in (*coming, *past)],
        "documents": [with_files(one, begin(visit)) for one in await envelopes_of(visit)],
    }


def with_files(one: ClientEnvelope, site: str) -> dict[str, Any]:
    """An envelope. The client gets its signed documents at their addresses on the *site*, once signed in there: a file
    with all of them could have gigabytes."""
    return {
        "subject": one.subject,
        "state": one.state,
        "sentAt": aureum_time(one.sent_at),
        "page": site + one.path,
        "signed": [{"name": file.name, "sha256": file.sha256, "address": site + file.path} for file in one.files],
    }


def as_json(shown: Iterable[Any]) -> list[dict[str, Any]]:
    """What pages show, with times as the API writes them."""
    return [
        {name: aureum_time(one) if isinstance(one, datetime) else one for name, one in entry._asdict().items()}
        for entry in shown
    ]


async def correct(visit: PortalVisit) -> Response:
    """A proposal to staff. Raises TooMany, Unavailable."""
    text = text_of(visit, "text")
    if not text or len(text) > LONGEST:
        problem = visit.gettext("Write what is wrong, in at most 5,000 characters.")
        return await page(visit, problem=problem, of="correct", typed=text)
    await counted(visit)
    told = CORRECTION % {"address": visit.client.address, "text": text}
    await add_task(visit, Asked("A client asks to correct data", told, await agent_of(visit)))
    return visit.go(f"{PATH}?done=corrected")


async def ask_erasure(visit: PortalVisit) -> Response:
    """A task for the owner. Nothing is erased automatically. Raises TooMany, Unavailable."""
    if visit.form["sure"] != "yes":
        problem = visit.gettext("Tick the box if you want your data to be erased.")
        return await page(visit, problem=problem, of="erase")
    await counted(visit)
    rows = await visit.app.database.tenant_rows(visit.client.tenant_id, OWNER, {"tenant": visit.client.tenant_id})
    told = ERASURE % {"address": visit.client.address}
    owner = rows[0][0] if rows else None
    await add_task(visit, Asked("A client asks to be erased", told, owner, priority="HIGH"))
    return visit.go(f"{PATH}?done=erasure")


async def counted(visit: PortalVisit) -> None:
    """Count a request of the client. Raises TooMany."""
    tenant_key = await visit.app.store.tenant_key(visit.client.tenant_id)
    key = client_address_of(tenant_key, visit.client.address).key
    await count(visit.app.database, visit.client.tenant_id, b"portal data " + key, ASKED_A_MINUTE)


async def agent_of(visit: PortalVisit) -> UUID | None:
    """The agent who answers the client's newest enquiry that has one."""
    for doc in await leads_of_client(visit, MOST):
        if doc["assignedToId"] is not None:
            return from_wire(doc["assignedToId"])
    return None


PAGES = (
    PortalPage("GET", PATH, show_data, preview=True),
    PortalPage("GET", f"{PATH}/download", download),
    PortalPage("POST", f"{PATH}/correct", correct),
    PortalPage("POST", f"{PATH}/erase", ask_erasure),
)
