"""What stays when a person is erased, and why: said before and after, so that the owner can answer the person."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aureum.commands.person import Person
from aureum.domain.ids import to_wire
from aureum.domain.people import phone_key
from aureum.projections import contact_list, lead_list, tour_list
from aureum.store.event_store import EventStore

HISTORY = (
    "The log keeps that there were records, when something happened and which user did it. What was personal in it is "
    "encrypted with keys that are destroyed."
)
BACKUPS = "Backups that were made before have the data and its keys until you delete them."
STAFF = "This address is the login of a user. Disable the user if the person has left."
SHARED_PHONE = "It has the same phone under another address. Erase it too if it is the same person."
MERGED_ONCE = (
    "This contact and one of the person's were merged and separated again. The history of this contact has the "
    "person's name and address from that time until this contact is erased too."
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


async def kept_of(store: EventStore, tenant_id: UUID, person: Person) -> list[Kept]:
    """What stays of *person*. Raises Unavailable."""
    subjects = list(person.records)
    about: dict[str, Any] = {"tenant": tenant_id, "subjects": subjects, "addresses": list(person.addresses)}
    users, of_leads, of_tours, separated = await store.database.tenant_results(
        tenant_id,
        [
            (USERS, about),
            (lead_list.LIST.statement(PHONES), about),
            (tour_list.LIST.statement(PHONES), about),
            (SEPARATED_FROM, about),
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
    found += [Kept("user", STAFF, to_wire(one)) for (one,) in users]
    found += [Kept("lead", SHARED_PHONE, to_wire(one)) for (one,) in leads]
    found += [Kept("contact", SHARED_PHONE, to_wire(one)) for (one,) in contacts]
    others = [one for (one,) in separated if one not in person.records]
    return found + [Kept("contact", MERGED_ONCE, to_wire(one)) for one in others]
