"""Who the client is, as staff entered it: name and how to reach the client. Nothing else of a contact is read."""

from itertools import zip_longest
from typing import NamedTuple

import orjson

from aureum.commands.portal.opening import leads_of_address
from aureum.http.portal.visit import PortalVisit

CONTACTS = """
SELECT x.doc FROM contact_list x
 WHERE x.tenant_id = %(tenant)s AND x.contact_id = ANY (%(contacts)s::uuid[])
   AND x.read_version = (SELECT h.contact_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
 ORDER BY x.contact_id DESC
"""


class ClientCard(NamedTuple):
    """All that a client sees of a contact or lead of the client's own. ``contact`` is the contact's wire id, which
    only forms have."""

    name: str
    email: str | None
    phone: str | None
    contact: str | None = None


async def cards_of(visit: PortalVisit) -> list[ClientCard]:
    """Of each contact, newest first; of a client without a contact that of the newest lead. Raises Unavailable."""
    client, database = visit.client, visit.app.database
    about = {"tenant": client.tenant_id, "contacts": list(client.contact_ids)}
    rows = await database.tenant_rows(client.tenant_id, CONTACTS, about)
    docs = [orjson.loads(doc) for (doc,) in rows]
    contacts = [doc["id"] for doc in docs]
    if not docs:
        leads = await leads_of_address(database, client.tenant_id, client.address, entered=True)
        docs = [doc for _, doc in leads[:1]]
    return [
        ClientCard(f"{doc['firstName']} {doc['lastName']}".strip(), doc["email"], doc["phone"], contact)
        for doc, contact in zip_longest(docs, contacts)
    ]


async def card_of(visit: PortalVisit) -> ClientCard:
    """The first of them. Raises Unavailable."""
    cards = await cards_of(visit)
    return cards[0] if cards else ClientCard("", visit.client.address, None)
