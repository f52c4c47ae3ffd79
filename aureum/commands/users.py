"""Users: the staff of a brokerage, and platform admins without one."""

import asyncio
from uuid import UUID

from argon2 import PasswordHasher
from pydantic import BaseModel, ConfigDict, SecretStr

from aureum.domain import ids
from aureum.domain.errors import Invalid
from aureum.domain.user import User
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import Origin

NUMBER = "SELECT nextval('user_numbers')"

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1024

HASHER = PasswordHasher()
"""Argon2id with the library's parameters, RFC 9106's second recommendation: 64 MiB, 3 passes."""


class CreateUser(BaseModel):
    """Somebody joins the staff. ``tenant_id`` is the platform for a platform admin without a brokerage."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    email: str
    name: str
    role: str
    password: SecretStr | None = None
    takes_leads: bool | None = None
    specialties: tuple[str, ...] = ()


async def create_user(store: EventStore, command: CreateUser, origin: Origin) -> User:
    """The new user. An agent takes leads unless told otherwise. Raises Invalid, AlreadyTaken."""
    password_hash = None
    if command.password is not None:
        password = command.password.get_secret_value()
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise Invalid("password", f"password must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.")
        password_hash = await asyncio.to_thread(HASHER.hash, password)
    takes_leads = command.role == "agent" if command.takes_leads is None else command.takes_leads
    user = User.join(
        ids.new_id(),
        ids.now(),
        number=await store.next_number(NUMBER),
        email=command.email,
        name=command.name,
        role=command.role,
        password_hash=password_hash,
        takes_leads=takes_leads,
        specialties=command.specialties,
    )
    await store.append(command.tenant_id, user, NO_STREAM, command="CreateUser", origin=origin)
    return user
