"""Finds duplicates of one contact, lead, or person who is about to be added.

Contacts are found by the keys in their rows. Leads have no such keys, because a form must not cost more for it. They
are found by the search of the lists, and by address and name together. Everything that is found is compared in full.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field

from aureum.domain.duplicates import Person, likeness
from aureum.domain.ids import from_wire, to_wire
from aureum.domain.people import email_key, name_key, phone_key
from aureum.http.api.duplicates.duplicate_fields import person_of
from aureum.http.contract.endpoint import Context
from aureum.http.contract.resource import NO_ONE
from aureum.http.wire.errors import HttpError
from aureum.projections import lead_list
from aureum.projections.document_list import ABOVE_ALL
from aureum.projections.duplicates import ALIKE, BY_PERSON, OF_ADDRESS, OF_WORDS
from aureum.projections.search import asked

MOST_LEADS = 100
"""The limit of leads that one search finds, newest first. They are enough for a person with more."""

MOST_LINKS = 5
"""How many duplicates the answer to a new contact names."""

SIMILAR = "These contacts may be the same person: {contacts}. Nothing was changed."

LEADS = lead_list.LIST.view("lead")


class UnlessSimilar(BaseModel):
    """The query of a POST that creates a contact."""

    model_config = ConfigDict(frozen=True)

    unless_similar: Annotated[
        Literal["true", "false"] | None,
        Field(
            alias="unlessSimilar",
            description="`true`: creates no contact if others may be the same person. The response is then 409.",
        ),
    ] = None


async def check_similar(context: Context, asked: UnlessSimilar, person: Person, own: UUID = NO_ONE) -> None:
    """Raises HttpError 409 if the caller *asked* for no duplicate, and other contacts may be this person. *own* is the
    person's lead."""
    if asked.unless_similar != "true":
        return
    country = context.caller.country
    others = await contacts_like(context, person, own)
    similar = [doc["id"] for doc in others if likeness(person, person_of(doc, country)) is not None]
    if similar:
        raise HttpError("similar_contacts", SIMILAR.format(contacts=", ".join(similar[:MOST_LINKS])))


async def contacts_like(
    context: Context, person: Person, own: UUID = NO_ONE, distinct: Sequence[UUID] = ()
) -> list[dict[str, Any]]:
    """The documents of contacts that share a key with *person*, without *own* and the *distinct* ones."""
    parameters = {
        "tenant": context.tenant_id,
        "email_keys": [key for email in person.emails if (key := email_key(email))],
        "phone_keys": [key for phone in person.phones if (key := phone_key(phone))],
        "name_keys": [key for key in (name_key(person.first_name, person.last_name),) if key],
        "own": own,
        "distinct": list(distinct),
    }
    rows = await context.app.database.tenant_rows(context.tenant_id, ALIKE, parameters)
    return [orjson.loads(doc) for _, doc in rows]


async def leads_like(context: Context, person: Person, key: UUID | None) -> list[dict[str, Any]]:
    """The documents of leads that the caller may see and that have an address, phone or name of *person*; *key* stands
    for the address and name together. Suspects are left out."""
    name = f"{person.first_name} {person.last_name}"
    said = [*person.emails, *person.phones, *([name] if name_key(name) else [])]
    searches = [search.exact for text in said if (search := asked(text.removeprefix("+"))) is not None]
    found = await asyncio.gather(
        *(searched(context, words) for words in searches), *([by_person(context, key)] if key else [])
    )
    by_id = {doc["id"]: doc for docs in found for doc in docs if not doc.get("suspect")}
    return list(by_id.values())


async def searched(context: Context, words: str) -> list[dict[str, Any]]:
    """The newest leads in which these words are."""
    if context.caller.visible_to is None:
        # Names, addresses and phones are rare: the index alone finds them, without looking through the newest first.
        about = {"tenant": context.tenant_id, "words": words, "staff": None, "limit": MOST_LEADS}
        rows = await context.app.database.rows(OF_WORDS, about)
        return [orjson.loads(doc) for _, doc in rows]
    filters: Mapping[str, Any] = {one.name: None for one in LEADS.filters}
    parameters = {
        **filters,
        "tenant": context.tenant_id,
        "words": words,
        "before": ABOVE_ALL,
        "limit": MOST_LEADS,
        "visible_to": context.caller.visible_to,
    }
    ((docs, _, _),) = await context.app.database.rows(LEADS.search, parameters)
    found: list[dict[str, Any]] = orjson.loads(f"[{docs or ''}]")
    return found


async def by_person(context: Context, key: UUID) -> list[dict[str, Any]]:
    """The newest leads with this address and name."""
    parameters = {
        "tenant": context.tenant_id,
        "person": key,
        "visible_to": context.caller.visible_to,
        "limit": MOST_LEADS,
    }
    rows = await context.app.database.tenant_rows(context.tenant_id, BY_PERSON, parameters)
    return [orjson.loads(doc) for (doc,) in rows]


async def known_duplicates(context: Context, email: str | None, own: str) -> str | None:
    """The ``Link`` header of a new contact: the other contacts with its address; None if there are none."""
    key, own_id = email_key(email), from_wire(own)
    if key is None or own_id is None:
        return None
    rows = await context.app.database.batched.ask(OF_ADDRESS, (context.tenant_id, key, own_id, MOST_LINKS))
    others = dict.fromkeys(to_wire(contact_id) for (contact_id,) in rows)
    return ", ".join(f'</api/contacts/{other}>; rel="duplicate"' for other in others) or None
