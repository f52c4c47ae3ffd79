"""A brokerage with staff, and what a follower of its log makes of it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from aureum.background.follower import Batch, Consumer, Handled, follow
from aureum.commands.users import ChangeUser, CreateUser, change_user, create_user
from aureum.domain import ids
from aureum.domain.user import User
from aureum.mail.letter import Letter
from aureum.mail.letters.about import LetterSettings
from aureum.mail.letters.telling import letters_of
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import COMMAND_LINE, VISITOR, Actor, Origin
from tests.stores import open_brokerage

SETTINGS = LetterSettings(base_domain="crm.example.com")


async def hire(store: EventStore, tenant: UUID, name: str, role: str = "agent", **changed: Any) -> User:
    """A member of the staff; *changed* are ``notify``, ``disabled`` or a profile's fields."""
    address = f"{name.lower()}@{tenant.hex[-8:]}.example.com"
    user = await create_user(
        store, CreateUser(tenant_id=tenant, email=address, name=name, role=role), Origin(COMMAND_LINE)
    )
    if changed:
        about = {key: changed.pop(key) for key in ("notify", "disabled") if key in changed}
        command = ChangeUser(tenant_id=tenant, user_id=user.id, profile=changed, **about)
        await change_user(store, command, Origin(COMMAND_LINE), check=lambda _: None)
    return user


async def office(store: EventStore) -> tuple[UUID, User, User]:
    """A brokerage with an owner and an agent, behind which the log goes on."""
    tenant = await open_brokerage(store)
    return tenant, await hire(store, tenant, "Olga", "brokerage_owner"), await hire(store, tenant, "Ana")


async def store_new(store: EventStore, tenant: UUID, *made: Any, origin: Origin | None = None) -> None:
    """New leads and tours, as visitors send them."""
    for one in made:
        await store.append(tenant, one, NO_STREAM, command="Test", origin=origin or Origin(VISITOR))


async def do(store: EventStore, tenant: UUID, stream: UUID, decide: Callable[[Any], object], by: UUID | None) -> None:
    """*by* (a user; None: the system) changes what is stored."""
    before = await store.load(tenant, stream)
    aggregate = before.aggregate()
    decide(aggregate)
    actor = Actor("user", ids.to_wire(by)) if by is not None else Actor("system", "test")
    await store.append(tenant, aggregate, before, command="Test", origin=Origin(actor))


async def told(
    store: EventStore, tenant: UUID, limit: int = 500, consumer: str = "letters", settings: LetterSettings = SETTINGS
) -> list[Letter]:
    """All letters of what has happened since the last time."""
    letters: list[Letter] = []

    async def nothing() -> None:
        return

    async def handle(batch: Batch) -> Handled[None]:
        letters.extend(await letters_of(batch.tenant_key, batch.connection, batch.rows, settings))
        return Handled(None, nothing)

    while await follow(store, Consumer(consumer, handle), tenant, limit) is not None:
        pass
    return letters


def summary(letters: list[Letter]) -> list[tuple[str, str]]:
    """Of each letter its kind and the name of whom it goes to."""
    return [(letter.kind, letter.recipient.name) for letter in letters]
