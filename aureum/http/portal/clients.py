"""What stands around the client's contacts in streams of their own. A client mostly has one contact; an address that
two contacts share opens both."""

from collections.abc import Iterable, Mapping
from typing import TypeVar
from uuid import UUID

from aureum.commands.of_contacts import Around, around
from aureum.domain.errors import NotFound
from aureum.domain.ids import to_wire
from aureum.domain.of_contact import OfContact
from aureum.http.portal.enquiries import names
from aureum.http.portal.visit import PortalVisit

Kept = TypeVar("Kept", bound=OfContact)

NO_CONTACT = "There is no contact with this address."


async def around_client(visit: PortalVisit, kind: type[Kept]) -> list[Around[Kept]]:
    """That of each contact. Raises NotFound for a contact that is erased at this moment, Unavailable."""
    client = visit.client
    return [await around(visit.app.store, client.tenant_id, one, kind) for one in client.contact_ids]


def written_to(visit: PortalVisit, found: Iterable[Around[Kept]]) -> UUID:
    """The contact to which something new is written: the one with the latest of it, else the newest contact. Raises
    NotFound for a client without a contact."""
    if not visit.client.contact_ids:
        raise NotFound(NO_CONTACT)
    latest = {one.contact.id: max(kept.modified_on for kept in one.kept) for one in found if one.kept}
    return max(latest, key=lambda one: latest[one]) if latest else max(visit.client.contact_ids)


async def names_of(visit: PortalVisit, users: Iterable[UUID | None]) -> Mapping[str | None, str]:
    """The names of agents by their wire ids, as far as they still work here."""
    return await names(visit, [to_wire(one) for one in users if one is not None])
