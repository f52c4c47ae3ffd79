"""The envelopes of a person who is to be erased: what is purged, what stops the erasure, and what is kept until when.

An envelope is about the person if it belongs to one of the person's leads or contacts, or if the person is one of its
recipients. Its other recipients are other persons: their addresses lead to nothing here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from aureum.commands.kept import Kept
from aureum.commands.person import Person, like
from aureum.domain.emails import one_form
from aureum.domain.errors import WrongState
from aureum.domain.ids import to_wire
from aureum.domain.people import email_key
from aureum.store.event_store import EventStore

OPEN = (
    "This person has documents that were sent to be signed ({subject}). Void the envelope or wait until it is "
    "completed, then erase the person."
)
KEPT = (
    "It was signed by all parties, so it is kept as evidence for the others until {until}. Then it is purged. An owner "
    "can purge it earlier, 14 days after a notice to the recipients."
)

FOUND = """
SELECT e.envelope_id, e.doc FROM envelope_list e
 WHERE e.tenant_id = %(tenant)s
   AND e.read_version = (SELECT h.envelope_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
   AND (e.contact_id = ANY (%(contacts)s) OR e.lead_id = ANY (%(leads)s)
        OR e.envelope_id = ANY (ARRAY(
               SELECT r.envelope_id FROM envelope_recipients r
                WHERE r.tenant_id = %(tenant)s AND r.address = ANY (%(digests)s)
           ))
        OR e.state = 'draft' AND (lower(e.doc) LIKE ANY (%(texts)s) OR e.doc ~ '"[^"]*@[^"]*([^ -~]|[xX][nN]--)'))
 ORDER BY e.envelope_id
"""
"""Recipients of drafts have no row of their own. The last is where an address may be spelled in another way."""


@dataclass(frozen=True)
class Envelopes:
    """By their ids: those that are purged with the person, those that are kept, and those that are not finished."""

    purged: Mapping[UUID, dict[str, Any]] = field(default_factory=dict)
    kept: Mapping[UUID, dict[str, Any]] = field(default_factory=dict)
    open: Mapping[UUID, dict[str, Any]] = field(default_factory=dict)

    @property
    def counted(self) -> dict[str, int]:
        """How many are purged, if any are."""
        return {"envelope": len(self.purged)} if self.purged else {}

    def told(self) -> list[Kept]:
        """What stays, why and until when."""
        return [Kept("envelope", KEPT.format(until=doc["retainUntil"]), to_wire(one)) for one, doc in self.kept.items()]

    def check(self) -> None:
        """Raises WrongState while others may still sign."""
        for doc in self.open.values():
            raise WrongState(OPEN.format(subject=doc["subject"]))


async def envelopes_of(store: EventStore, tenant_id: UUID, person: Person) -> Envelopes:
    """Those of the person. Raises Unavailable."""
    contacts, leads = set(person.ids("contact")), set(person.ids("lead"))
    about = {
        "tenant": tenant_id,
        "contacts": list(contacts),
        "leads": list(leads),
        "digests": [email_key(one) for one in person.addresses],
        "texts": [like(one) for one in person.addresses],
    }
    found: dict[str, dict[UUID, dict[str, Any]]] = {"purged": {}, "kept": {}, "open": {}}
    wires = {to_wire(one) for one in (*contacts, *leads)}
    for envelope_id, text in await store.database.tenant_rows(tenant_id, FOUND, about):
        doc = orjson.loads(text)
        people = {one_form(one["email"]) for one in doc["recipients"] if one["state"] != "reassigned"}
        if not people & person.addresses and not wires & {doc["contactId"], doc["leadId"]}:
            continue
        fate = {"sent": "open", "completing": "open", "completed": "kept"}.get(doc["state"], "purged")
        found[fate][envelope_id] = doc
    return Envelopes(**found)
