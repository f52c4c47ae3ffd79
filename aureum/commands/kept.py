"""What stays when a person is erased, and why: said before and after, so that the owner can answer the person."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aureum.commands.person import Person
from aureum.domain.ids import to_wire
from aureum.domain.people import phone_key
from aureum.projections import contact_list, lead_list, tour_list
from aureum.store.event_store import EventStore
from aureum.store.mapper import ONCE_IN_CLEAR

HISTORY = (
    "The log still shows that records existed, when something happened and which user did it. Its personal data is "
    "encrypted with keys that are destroyed."
)
BACKUPS = "Backups from before the erasure have the data and its keys until you delete them."
IN_CLEAR = (
    "Texts of tasks from before version 0.10 are not encrypted in the log. Lists, histories, webhooks and 'aureum "
    "export' no longer have them, but 'aureum audit log' and backups do."
)
STAFF = "This address is the login of a user. Disable the user if the person has left."
SHARED_PHONE = "It has the same phone, but another email address. Erase it too if it belongs to the same person."
MERGED_ONCE = (
    "This contact was merged with one of the person's contacts and separated again. Its history has the person's name "
    "and address from that time. Erase it too, or keep it."
)

USERS = "SELECT user_id FROM users WHERE tenant_id = %(tenant)s AND address = ANY (%(addresses)s) ORDER BY user_id"

PHONES = """
SELECT x.phone_e164 FROM {table} x
 WHERE x.tenant_id = %(tenant)s AND x.read_version = (SELECT {table}_version FROM heads WHERE tenant_id = %(tenant)s)
   AND x.{id} = ANY (%(subjects)s) AND x.phone_e164 IS NOT NULL
"""

WITH_PHONE = """
SELECT x.{id} FROM {table} x
 WHERE x.tenant_id = %(tenant)s AND x.read_version = (SELECT {table}_version FROM heads WHERE tenant_id = %(tenant)s)
   AND x.{phone} = ANY (%(phones)s) AND x.{id} <> ALL (%(subjects)s)
 ORDER BY x.{id} LIMIT 100
"""

HAS_CLEAR = """
SELECT EXISTS (
    SELECT FROM events e
      JOIN unnest(%(types)s::text[], %(since)s::integer[]) AS t (type, since)
        ON t.type = e.type AND e.schema_version < t.since
     WHERE e.tenant_id = %(tenant)s AND e.stream_id = ANY (%(subjects)s)
)
"""

SEPARATED_FROM = """
SELECT DISTINCT (convert_from(e.data, 'UTF8')::json ->> 'previous')::uuid FROM events e
 WHERE e.tenant_id = %(tenant)s AND e.stream_id = ANY (%(subjects)s) AND e.type = 'contact.separated'
"""


@dataclass(frozen=True)
class Kept:
    """Something that stays. ``id`` is that of the record, if it is one."""

    what: str
    why: str
    id: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {"what": self.what, "id": self.id, "why": self.why}


ALWAYS = (Kept("history", HISTORY), Kept("backups", BACKUPS))


TEXTS = (Kept("tasks", IN_CLEAR),)


async def kept_again(store: EventStore, tenant_id: UUID, subjects: Sequence[UUID]) -> list[Kept]:
    """What stays of a person whose streams *subjects* were erased before, without what only the person's data could
    find. Raises Unavailable."""
    ((has_clear,),) = await store.database.tenant_rows(tenant_id, *clear(tenant_id, subjects))
    return [*ALWAYS, *(TEXTS if has_clear else ())]


def clear(tenant_id: UUID, subjects: Sequence[UUID]) -> tuple[str, dict[str, Any]]:
    """The query whether something personal of *subjects* is not encrypted in the log."""
    types, since = list(ONCE_IN_CLEAR), list(ONCE_IN_CLEAR.values())
    return HAS_CLEAR, {"tenant": tenant_id, "subjects": list(subjects), "types": types, "since": since}


async def kept_of(store: EventStore, tenant_id: UUID, person: Person) -> list[Kept]:
    """What stays of *person*. Raises Unavailable."""
    subjects = list(person.records)
    about: dict[str, Any] = {"tenant": tenant_id, "subjects": subjects, "addresses": list(person.addresses)}
    users, of_leads, of_tours, separated, ((has_clear,),) = await store.database.tenant_results(
        tenant_id,
        [
            (USERS, about),
            (lead_list.LIST.statement(PHONES), about),
            (tour_list.LIST.statement(PHONES), about),
            (SEPARATED_FROM, about),
            clear(tenant_id, subjects),
        ],
    )
    phones = {phone for (phone,) in (*of_leads, *of_tours)}
    phones |= {doc["phoneE164"] for kind, doc in person.records.values() if kind == "contact" and doc["phoneE164"]}
    leads, contacts = await store.database.tenant_results(
        tenant_id,
        [
            (lead_list.LIST.statement(WITH_PHONE).replace("{phone}", "phone_e164"), about | {"phones": list(phones)}),
            (
                contact_list.LIST.statement(WITH_PHONE).replace("{phone}", "phone_key"),
                about | {"phones": [phone_key(phone) for phone in phones]},
            ),
        ],
    )
    found = [*ALWAYS] if subjects else []
    found += TEXTS if has_clear else ()
    found += [Kept("user", STAFF, to_wire(one)) for (one,) in users]
    found += [Kept("lead", SHARED_PHONE, to_wire(one)) for (one,) in leads]
    found += [Kept("contact", SHARED_PHONE, to_wire(one)) for (one,) in contacts]
    others = [one for (one,) in separated if one not in person.records]
    return found + [Kept("contact", MERGED_ONCE, to_wire(one)) for one in others]
