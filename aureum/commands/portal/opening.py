"""What an address opens at a brokerage: what staff or programs entered it in. What a public form claims opens nothing.

Contacts are found by an index. A lead is looked for only where no contact has the address: most clients are contacts.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from psycopg import AsyncConnection

from aureum.commands.portal.addresses import ClientAddress
from aureum.domain.brokerage import includes
from aureum.domain.emails import one_form
from aureum.domain.ids import from_wire, to_wire
from aureum.domain.people import email_key
from aureum.projections import envelope_recipients
from aureum.projections.search import ascii_only, escaped, fold
from aureum.store.cipher import TenantKey
from aureum.store.postgres.database import Database
from aureum.store.postgres.functions import named

PLAN = "Grow"
"""What has the portal. Below it only what was sent to be signed can be reached."""

BY_STAFF = "admin-manual"
"""The ``source_domain`` of leads that staff entered. Those of programs have none, those of forms the form's host."""

MOST_LEADS = 200

CONTACTS = """
SELECT x.contact_id, x.doc FROM contact_list x
 WHERE x.tenant_id = %(tenant)s
   AND x.read_version = (SELECT h.contact_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
   AND x.contact_id IN (
           SELECT coalesce(y.merged_into, y.contact_id) FROM contact_list y
            WHERE y.tenant_id = %(tenant)s AND y.email_key = %(key)s
              AND y.read_version = (SELECT h.contact_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
       )
 ORDER BY x.contact_id
"""
"""A contact that was merged into another one keeps its row, by which the other one is found."""

LEADS = "SELECT lead_id, doc FROM leads_of_address(%(tenant)s, %(words)s, %(staff)s, %(limit)s)"


@dataclass(frozen=True)
class Opened:
    """``contacts`` are wire ids of the address's contacts, each with those that were merged into it. ``subject_id`` is
    a stream whose key seals what is mailed to the address; None if the address opens nothing. ``name`` is the first
    name in it."""

    contacts: Mapping[str, list[str]] = field(default_factory=dict)
    subject_id: UUID | None = None
    name: str = ""

    @property
    def contact_ids(self) -> tuple[UUID, ...]:
        """The contacts."""
        return tuple(one for one in map(from_wire, self.contacts) if one is not None)


@dataclass(frozen=True)
class Asking:
    """An address of a brokerage, and what is asked about it."""

    database: Database
    tenant_key: TenantKey
    address: ClientAddress

    @property
    def tenant_id(self) -> UUID:
        return self.tenant_key.tenant_id


Opener = Callable[[Asking], Awaitable[Opened]]


async def by_contact(asking: Asking) -> Opened:
    """The contacts that have the address."""
    about = {"tenant": asking.tenant_id, "key": email_key(asking.address.text)}
    rows = await asking.database.tenant_rows(asking.tenant_id, CONTACTS, about)
    docs = [
        (contact_id, doc) for contact_id, doc in ((one, orjson.loads(doc)) for one, doc in rows) if has(doc, asking)
    ]
    merged = {to_wire(contact_id): doc["mergedWith"] for contact_id, doc in docs}
    return Opened(merged, *((docs[0][0], docs[0][1]["firstName"]) if docs else ()))


def has(contact: Mapping[str, Any], asking: Asking) -> bool:
    """Whether the *contact* still has the address: one that was merged into it may have had it before it changed."""
    return asking.address.text in {one_form(one) for one in (contact["email"], *contact["otherEmails"]) if one}


async def by_lead(asking: Asking) -> Opened:
    """A lead that staff or a program entered with the address."""
    found = await leads_of_address(asking.database, asking.tenant_id, asking.address.text, entered=True)
    return Opened({}, found[0][0], found[0][1]["firstName"]) if found else Opened()


async def by_envelope(asking: Asking) -> Opened:
    """An envelope of which the address is a recipient. Its names are sealed with its own key, so the mail has none."""
    about = {"tenant": asking.tenant_id, "address": email_key(asking.address.text), "limit": 1}
    rows = await asking.database.tenant_rows(asking.tenant_id, envelope_recipients.OF_ADDRESS, about)
    return Opened({}, rows[0][0]) if rows else Opened()


OPENERS: tuple[Opener, ...] = (by_contact, by_lead)
"""One after the other, until one opens something: on a plan that has the portal."""

SIGNERS: tuple[Opener, ...] = (by_envelope,)
"""The same on any plan: what was sent to be signed."""


async def opened_by(database: Database, tenant_key: TenantKey, address: ClientAddress, plan: str) -> Opened:
    """What the address opens. Raises Unavailable."""
    asking = Asking(database, tenant_key, address)
    for opener in (*(OPENERS if includes(plan, PLAN) else ()), *SIGNERS):
        found = await opener(asking)
        if found.subject_id is not None:
            return found
    return Opened()


async def opens_any(connection: AsyncConnection[Any], tenant_id: UUID, address: ClientAddress) -> bool:
    """Whether the address opens something on any plan, as the transaction of *connection* sees it."""
    about = {"tenant": tenant_id, "key": email_key(address.text), "address": email_key(address.text), "limit": 1}
    for statement in (CONTACTS, envelope_recipients.OF_ADDRESS):
        if await (await connection.execute(statement, about)).fetchone() is not None:
            return True
    asked = leads_about(tenant_id, address.text, entered=True)
    return bool(having(await (await connection.execute(named(LEADS), asked)).fetchall(), address.text))


async def leads_of_address(
    database: Database, tenant_id: UUID, address: str, *, entered: bool = False
) -> list[tuple[UUID, dict[str, Any]]]:
    """The leads with this address in its one form, newest first, with their documents: all, or those that staff or
    programs *entered*. Raises Unavailable."""
    return having(await database.rows(LEADS, leads_about(tenant_id, address, entered)), address)


def leads_about(tenant_id: UUID, address: str, entered: bool) -> dict[str, Any]:
    """What ``LEADS`` is asked."""
    pattern = f"%{escaped(ascii_only(fold(address)))} %"
    words = orjson.dumps([{"likes": [pattern], "near": [], "typo": None}]).decode()
    return {"tenant": tenant_id, "words": words, "staff": BY_STAFF if entered else None, "limit": MOST_LEADS}


def having(rows: Sequence[Any], address: str) -> list[tuple[UUID, dict[str, Any]]]:
    """Those of the leads found that have the address."""
    found = [(lead_id, orjson.loads(doc)) for lead_id, doc in rows]
    return [one for one in found if one[1]["email"] and one_form(one[1]["email"]) == address]
