"""Views that users save for themselves."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from aureum.commands.changes import change
from aureum.commands.users import NO_USER
from aureum.domain.errors import NotFound, StaleVersion
from aureum.domain.saved_view import NO_VIEW, SavedView
from aureum.domain.user import User
from aureum.store.event_store import Appended, EventStore, Idempotency
from aureum.store.metadata import Origin


@dataclass(frozen=True, kw_only=True, slots=True)
class SaveView:
    """Save a view under this *view* id; what is None stays as it is. ``made``: it is a new one."""

    tenant_id: UUID
    user_id: UUID
    view: str
    name: str | None = None
    page: str | None = None
    query: str | None = None
    made: bool = False
    expected_versions: frozenset[int] | None = None


async def save_view(
    store: EventStore, command: SaveView, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[User, Appended]:
    """The user. Raises NotFound, WrongState, StaleVersion, Conflict, and what ``EventStore.append`` raises."""

    def decide(user: User, at: datetime) -> None:
        before = SavedView("", "", "") if command.made else user.views.get(command.view)
        if before is None:
            raise NotFound(NO_VIEW)
        if command.expected_versions is not None and user.version not in command.expected_versions:
            raise StaleVersion
        given = {"name": command.name, "page": command.page, "query": command.query}
        changed = before._replace(**{name: text for name, text in given.items() if text is not None})
        user.save_view(command.view, changed, at)

    return await change(
        store,
        command.tenant_id,
        command.user_id,
        User,
        decide,
        command="SaveView",
        origin=origin,
        missing=NO_USER,
        idempotency=idempotency,
    )


async def remove_view(store: EventStore, tenant_id: UUID, user_id: UUID, view: str, origin: Origin) -> User:
    """The user without the view. Raises NotFound, Conflict, and what ``EventStore.append`` raises."""
    user, _ = await change(
        store,
        tenant_id,
        user_id,
        User,
        lambda user, at: user.remove_view(view, at),
        command="RemoveView",
        origin=origin,
        missing=NO_USER,
    )
    return user
