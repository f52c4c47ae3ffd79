"""What a command names besides its own aggregate must be of the same brokerage."""

from uuid import UUID

from aureum.domain.errors import Invalid
from aureum.projections import users
from aureum.store.event_store import EventStore


async def check_user(store: EventStore, tenant_id: UUID, user_id: UUID | None, field: str = "assignedToId") -> None:
    """Raises Invalid unless *user_id* is somebody of this brokerage's staff, or nobody."""
    if user_id is None:
        return
    if not await store.database.tenant_rows(tenant_id, users.ONE, {"tenant": tenant_id, "user": user_id}):
        raise Invalid(field, f"{field} must be the id of a user of this brokerage.")


async def user_of_number(store: EventStore, tenant_id: UUID, number: int) -> UUID | None:
    """The user that the Leads API calls *number*; None if this brokerage's staff has no such."""
    rows = await store.database.tenant_rows(tenant_id, users.OF_NUMBER, {"tenant": tenant_id, "number": number})
    return rows[0][0] if rows else None
