"""The key dates of a contact's deal, in the Aureum API."""

from functools import partial
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue, WithJsonSchema
from starlette.responses import Response

from aureum.commands.contacts import NO_CONTACT
from aureum.commands.key_dates import SetKeyDates, set_key_dates
from aureum.commands.of_contacts import Around, around
from aureum.domain.key_dates import LONGEST_LABEL, LONGEST_NOTE, MOST, KeyDate, KeyDates
from aureum.http.access.callers import origin
from aureum.http.api.clients.access import WITH_PORTAL
from aureum.http.api.clients.shown import answered_around, versions
from aureum.http.contract.answers import answer, encoded, not_modified
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.resource import AsOf, expected_versions
from aureum.http.wire.characters import Characters
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Shape
from aureum.projections import key_dates

PATH = "/api/contacts/{id}/key-dates"

DAY = r"^(199\d|20\d\d|21\d\d)-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"

Day = Annotated[str, Characters(limit=40), WithJsonSchema({"type": "string", "format": "date", "pattern": DAY})]
"""A day; whether there is one, the domain knows."""

LABEL = "What happens on that day."
NOTE = "What the client should know about it. The client sees this."

EXAMPLE: dict[str, JsonValue] = {
    "label": "Inspection",
    "date": "2027-03-12",
    "note": "At 9 a.m. Please bring the keys.",
}


class KeyDateCreate(Body):
    """One date."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": EXAMPLE})

    label: Annotated[
        Annotated[str, Characters(limit=LONGEST_LABEL, blank=False, lines=False)], Field(description=LABEL)
    ]
    date: Annotated[Day, Field(description="The day, from 1990 to 2199.")]
    note: Annotated[Annotated[str, Characters(limit=LONGEST_NOTE)] | None, Field(description=NOTE)] = None


class KeyDatesBody(Body):
    """All dates of the contact."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"dates": [EXAMPLE]}})

    dates: Annotated[list[KeyDateCreate], Field(max_length=MOST, description="The dates, in any order.")]


class KeyDateResponse(Shape):
    """One date."""

    label: Annotated[str, Field(description=LABEL)]
    date: Annotated[str, Field(json_schema_extra={"format": "date"})]
    note: Annotated[str | None, Field(description=NOTE)]


class KeyDatesResponse(Shape):
    """The key dates, in the order of the calendar."""

    dates: list[KeyDateResponse]


def body(of: Around[KeyDates]) -> bytes:
    """The dates of the contact, and of those that were merged into it."""
    return encoded({"dates": [key_dates.shown(one) for one in key_dates.together(of.kept)]})


async def get_key_dates(context: Context, contact_id: UUID, as_of: AsOf) -> Response:
    """Returns the key dates of the contact's deal, or those at ``asOf``. They include those of contacts that were
    merged into this one."""
    of = await around(context.app.store, context.tenant_id, contact_id, KeyDates, as_of.as_of)
    etag = versions(context, of)
    return not_modified(context.request, etag) or answer(body(of), headers={"ETag": etag})


async def put_key_dates(context: Context, contact_id: UUID, new: KeyDatesBody) -> Response:
    """Replaces all key dates of the contact's deal. The client sees them in the portal. Send ``If-Match`` with the ETag
    to avoid overwriting someone else's change."""
    command = SetKeyDates(
        tenant_id=context.tenant_id,
        contact_id=contact_id,
        dates=[KeyDate(date=one.date, label=one.label, note=one.note) for one in new.dates],
        expected_versions=expected_versions(context.request),
    )
    of, _ = await set_key_dates(context.app.store, command, origin(context.request, context.caller))
    return answered_around(context, of, body)


one = partial(Endpoint, path=PATH, id=Id(NO_CONTACT), access=WITH_PORTAL, answers=KeyDatesResponse)

ENDPOINTS = (
    one(method="GET", run=get_key_dates, summary="Get a contact's key dates", query=AsOf),
    one(method="PUT", run=put_key_dates, summary="Set a contact's key dates", body=KeyDatesBody),
)
