"""Everything that a brokerage knows of one person: which streams are about the person, and what else names it.

Records belong together if their e-mail address is the same in its one form, or if a record says so itself: a lead its
contact, a contact those that were merged into it, a showing its lead, a task the lead or contact that it is about, a
conversation, a shortlist and key dates their contact. A phone or a name alone does not tell that it is the same
person.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from aureum.domain.emails import one_form
from aureum.domain.ids import from_wire
from aureum.projections import (
    contact_list,
    conversation_list,
    key_dates,
    lead_list,
    shortlists,
    subscriber_list,
    task_list,
    tour_list,
)
from aureum.projections.search import ascii_only, fold
from aureum.store.event_store import EventStore

OF_PERSONS = {
    "lead": lead_list.LIST,
    "contact": contact_list.LIST,
    "showing": tour_list.LIST,
    "subscriber": subscriber_list.LIST,
    "task": task_list.LIST,
    "conversation": conversation_list.LIST,
    "shortlist": shortlists.LIST,
    "key_dates": key_dates.LIST,
}
"""The lists whose resources are about persons, by what people call one."""

WITH_ADDRESS = ("lead", "contact", "showing", "subscriber", "task")
"""Those that may name an address. The others are found by their contact."""

BY_SEARCH = """
SELECT x.{id}, x.doc FROM {table} x
 WHERE x.tenant_id = %(tenant)s AND x.read_version = (SELECT {table}_version FROM heads WHERE tenant_id = %(tenant)s)
   AND (x.search LIKE ANY (%(found)s){or_more})
"""
"""Which may have one of the addresses: lists that are searched know each in its one form."""

OTHER_ADDRESSES = """ OR x.doc LIKE '%%"otherEmails":["%%'"""
"""Those that a merge has brought are known as they were given."""

BY_TEXT = """
SELECT x.{id}, x.doc FROM {table} x
 WHERE x.tenant_id = %(tenant)s AND x.read_version = (SELECT {table}_version FROM heads WHERE tenant_id = %(tenant)s)
   AND (lower(x.doc) LIKE ANY (%(texts)s) OR %(odd)s AND x.doc ~ '"[^"]*@[^"]*([^ -~]|[xX][nN]--)|[^ -~][^"]*@')
"""
"""Which may have one of the texts; the second is where an address may be spelled in another way."""

BY_ID = """
SELECT x.{id}, x.doc FROM {table} x
 WHERE x.tenant_id = %(tenant)s AND x.read_version = (SELECT {table}_version FROM heads WHERE tenant_id = %(tenant)s)
   AND x.{column} = ANY (%(ids)s)
"""

LINKS = (
    ("lead", "lead_id", ("lead",)),
    ("lead", "contact_id", ("contact",)),
    ("contact", "contact_id", ("contact",)),
    ("contact", "merged_into", ("contact",)),
    ("showing", "lead_id", ("lead",)),
    ("task", "lead_id", ("lead",)),
    ("task", "contact_id", ("contact",)),
    ("conversation", "contact_id", ("contact",)),
    ("shortlist", "contact_id", ("contact",)),
    ("key_dates", "contact_id", ("contact",)),
)
"""Which column of which list names the records of which kinds."""


@dataclass
class Person:
    """``records`` are the documents by stream, each with its kind; ``addresses`` are in their one form."""

    records: dict[UUID, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    addresses: set[str] = field(default_factory=set)

    @property
    def counted(self) -> dict[str, int]:
        """How many records there are of each kind that there is."""
        numbers = {kind: len(self.ids(kind)) for kind in OF_PERSONS}
        return {kind: number for kind, number in numbers.items() if number}

    def ids(self, *kinds: str) -> list[UUID]:
        """The streams of these *kinds*."""
        return [stream_id for stream_id, (kind, _) in self.records.items() if kind in kinds]


LEADS_BY_NUMBER = """
SELECT l.lead_id, l.number FROM lead_list l
 WHERE l.tenant_id = %(tenant)s AND l.number = ANY (%(numbers)s)
   AND l.read_version = (SELECT h.lead_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
"""

NUMBERS = """
SELECT l.number FROM lead_list l
 WHERE l.tenant_id = %(tenant)s AND l.lead_id = ANY (%(leads)s)
   AND l.read_version = (SELECT h.lead_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
"""


async def find_person(
    store: EventStore,
    tenant_id: UUID,
    *,
    email: str | None = None,
    lead_id: UUID | None = None,
    contact_id: UUID | None = None,
) -> Person:
    """The person with this address, or of this lead or contact; without records if there is none. Raises
    Unavailable."""
    person = Person()
    named = {"lead": [lead_id] if lead_id else [], "contact": [contact_id] if contact_id else []}
    asked_for: set[str] = {one_form(email)} if email else set()
    searched: set[str] = set()
    while any(named.values()) or asked_for - searched:
        found: list[tuple[str, UUID, dict[str, Any]]] = []
        for kind, column, of in LINKS:
            ids = [one for other in of for one in named.get(other, ())]
            if ids:
                found += await by_id(store, tenant_id, kind, column, ids)
        new = asked_for - searched
        if new:
            found += await by_address(store, tenant_id, new)
            searched |= new
        named = {}
        for kind, stream_id, doc in found:
            if stream_id in person.records:
                continue
            person.records[stream_id] = (kind, doc)
            asked_for |= addresses_in(doc)
            named.setdefault(kind, []).append(stream_id)
            for other, one in linked_in(kind, doc):
                if one not in person.records:
                    named.setdefault(other, []).append(one)
    person.addresses = asked_for
    return person


async def by_id(
    store: EventStore, tenant_id: UUID, kind: str, column: str, ids: Iterable[UUID]
) -> list[tuple[str, UUID, dict[str, Any]]]:
    """The records of *kind* whose *column* names one of *ids*."""
    query = OF_PERSONS[kind].statement(BY_ID).replace("{column}", column)
    rows = await store.database.tenant_rows(tenant_id, query, {"tenant": tenant_id, "ids": list(ids)})
    return [(kind, stream_id, orjson.loads(doc)) for stream_id, doc in rows]


async def by_address(store: EventStore, tenant_id: UUID, addresses: set[str]) -> list[tuple[str, UUID, dict[str, Any]]]:
    """The records with one of *addresses*, in whatever spelling; of tasks those that have it in their text."""
    about = {
        "tenant": tenant_id,
        "texts": [like(one) for one in addresses],
        "found": [like(ascii_only(fold(one))) for one in addresses],
    }
    found = []
    for kind in WITH_ADDRESS:
        model = OF_PERSONS[kind]
        query = BY_SEARCH.replace("{or_more}", OTHER_ADDRESSES if kind == "contact" else "")
        statement = model.statement(query if model.searched else BY_TEXT)
        rows = await store.database.tenant_rows(tenant_id, statement, about | {"odd": kind != "task"})
        for stream_id, text in rows:
            doc = orjson.loads(text)
            if kind == "task" or addresses_in(doc) & addresses:
                found.append((kind, stream_id, doc))
    return found


def like(text: str) -> str:
    """The pattern of a JSON document in small letters that has *text* in it."""
    encoded = orjson.dumps(text.lower()).decode()[1:-1]
    escaped = encoded.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def addresses_in(doc: dict[str, Any]) -> set[str]:
    """The addresses of a record, in their one form."""
    return {one_form(one) for one in (doc.get("email"), *doc.get("otherEmails", ())) if one and "@" in one}


def linked_in(kind: str, doc: dict[str, Any]) -> Iterable[tuple[str, UUID]]:
    """The leads and contacts that a record names as its person. A task does not say who its person is: it is found by
    the person."""
    if kind == "task":
        return
    named = [("lead", doc.get("leadId")), ("contact", doc.get("contactId")), ("contact", doc.get("mergedInto"))]
    named += [("contact", one) for one in doc.get("mergedWith", ())]
    for other, wire in named:
        found = None if wire is None else from_wire(wire)
        if found is not None:
            yield other, found
