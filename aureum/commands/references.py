"""What a command names besides its own aggregate must be of the same brokerage."""

from collections.abc import Mapping
from uuid import UUID

from aureum.domain.errors import Invalid
from aureum.projections import contact_list, lead_list, property_list, users
from aureum.projections.document_list import DocumentList
from aureum.store.event_store import EventStore

LINKED: Mapping[str, tuple[str, str, DocumentList]] = {
    "lead_id": ("leadId", "lead", lead_list.LIST),
    "contact_id": ("contactId", "contact", contact_list.LIST),
    "property_id": ("propertyId", "property", property_list.LIST),
}
"""What a link of that name is called on the wire, what it leads to, and where that is looked up."""


async def check_user(store: EventStore, tenant_id: UUID, user_id: UUID | None, field: str = "assignedToId") -> None:
    """Raises Invalid unless *user_id* is a user of this brokerage, or None."""
    if user_id is None:
        return
    if not await store.database.tenant_rows(tenant_id, users.ONE, {"tenant": tenant_id, "user": user_id}):
        raise Invalid(field, f"{field} must be the id of a user of this brokerage.")


async def check_links(
    store: EventStore, tenant_id: UUID, links: Mapping[str, UUID | None], visible_to: UUID | None = None
) -> None:
    """Raises Invalid unless each of *links*, by the names of ``LINKED``, is of this brokerage, or None.

    *visible_to* is the agent who asks: a lead that the agent may not see counts as missing.
    """
    for name, linked in links.items():
        if linked is None:
            continue
        field, kind, model = LINKED[name]
        parameters = {"tenant": tenant_id, "id": linked, "visible_to": visible_to}
        if not await store.database.tenant_rows(tenant_id, model.one, parameters):
            raise Invalid(field, f"{field} must be the id of a {kind} of this brokerage.")


async def answering(store: EventStore, tenant_id: UUID, contact_id: UUID | None) -> UUID | None:
    """The contact that answers for this id: the one that it was merged into, or itself."""
    if contact_id is None:
        return None
    rows = await store.database.tenant_rows(tenant_id, contact_list.ANSWERING, {"tenant": tenant_id, "id": contact_id})
    return rows[0][0] if rows else contact_id


async def user_of_number(store: EventStore, tenant_id: UUID, number: int) -> UUID | None:
    """The user that the Leads API calls *number*; None if this brokerage's staff has no such."""
    rows = await store.database.tenant_rows(tenant_id, users.OF_NUMBER, {"tenant": tenant_id, "number": number})
    return rows[0][0] if rows else None
