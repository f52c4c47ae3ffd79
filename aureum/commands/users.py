"""Users: the staff of a brokerage, and platform admins without one."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, SecretStr

from aureum.commands.changes import change
from aureum.commands.conflicts import deciding_again
from aureum.commands.passwords import hash_password
from aureum.domain import ids
from aureum.domain.errors import Conflict, NotFound, SiteChanged, WrongState
from aureum.domain.user import User
from aureum.projections import brokerages, users
from aureum.store.event_store import NO_STREAM, Appended, EventStore, Idempotency, Stream
from aureum.store.guards import Guard, Unchanged
from aureum.store.metadata import Origin

NUMBER = "SELECT nextval('user_numbers')"

NO_USER = "There is no such user."
LAST_OWNER = "A brokerage needs an owner. Make another user an owner first."
LAST_ADMIN = "The platform needs an admin. Make another user a platform admin first."


class CreateUser(BaseModel):
    """A new user. ``tenant_id`` is the platform for a platform admin without a brokerage."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    email: str
    name: str
    role: str
    password: SecretStr | None = None
    takes_leads: bool | None = None
    specialties: tuple[str, ...] = ()
    invite: str | None = None
    """The language of an invitation by mail; None for none."""


async def create_user(store: EventStore, command: CreateUser, origin: Origin) -> User:
    """The new user. An agent takes leads unless told otherwise. Raises Invalid, AlreadyTaken, Busy."""
    user, _ = await create_user_once(store, command, origin, None)
    return user


async def create_user_once(
    store: EventStore, command: CreateUser, origin: Origin, idempotency: Idempotency | None
) -> tuple[User, Appended]:
    """The same for a request that may come twice."""
    password_hash = None
    if command.password is not None:
        known = (command.email, command.name, *await names_of(store, command.tenant_id))
        password_hash = await hash_password(command.password, known, client_of(origin))
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
    if command.invite is not None:
        user.invite(command.invite, user.created_on)
    appended = await store.append(
        command.tenant_id, user, NO_STREAM, command="CreateUser", origin=origin, idempotency=idempotency
    )
    return user, appended


def client_of(origin: Origin) -> str:
    """In whose line a password waits to be hashed: of a program or person who is known, their own."""
    return f"{origin.actor.kind} {origin.actor.id}"


async def names_of(store: EventStore, tenant_id: UUID) -> tuple[str, ...]:
    """What the brokerage is called, which everyone knows of its staff."""
    found = await store.database.rows(brokerages.NAMES, {"tenant": tenant_id})
    return tuple(name for name, slug, domains in found for name in (name, slug, *domains))


async def known_of(store: EventStore, command: "ChangeUser") -> tuple[str, ...]:
    """What is known of a user whose password is set. Raises NotFound."""
    of = {"tenant": command.tenant_id, "user": command.user_id}
    rows = await store.database.tenant_rows(command.tenant_id, users.SHOWN_ONE, of)
    if not rows:
        raise NotFound(NO_USER)
    person = users.UserRow(*rows[0])
    return (person.email, person.name, command.name or "", *await names_of(store, command.tenant_id))


class ChangeUser(BaseModel):
    """Only what is set changes. ``profile`` is by the names of ``aureum.domain.user.PROFILE``, and ``bio``.

    With ``keep_an_owner`` the brokerage's last owner who can log in stays one, since only owners let others in. The
    last platform admin who can log in stays one in any case.
    """

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    user_id: UUID
    name: str | None = None
    password: SecretStr | None = None
    sent_as: str = "password"
    """What the password is called where it was sent."""
    profile: dict[str, Any] = {}
    notify: str | None = None
    disabled: bool | None = None
    keep_an_owner: bool = True
    expected_versions: frozenset[int] | None = None


async def change_user(store: EventStore, command: ChangeUser, origin: Origin, *, check: Callable[[User], None]) -> User:
    """The user's state afterwards; *check* may refuse to have this one changed. Raises what change_user_once
    raises."""
    user, _ = await change_user_once(store, command, origin, None, check=check)
    return user


async def change_user_once(
    store: EventStore,
    command: ChangeUser,
    origin: Origin,
    idempotency: Idempotency | None,
    *,
    check: Callable[[User], None],
) -> tuple[User, Appended]:
    """The same for a request that may come twice.

    Raises NotFound, StaleVersion, Invalid, WrongState, Busy, Conflict, what *check* raises, and what
    ``EventStore.append`` raises.
    """
    password_hash = None
    if command.password is not None:
        known = await known_of(store, command)
        password_hash = await hash_password(command.password, known, client_of(origin), command.sent_as)
    loses_rights = command.disabled or "role" in command.profile

    async def once() -> tuple[User, Appended]:
        owners, admins = 1, 1
        guards: tuple[Guard, ...] = ()
        beside: tuple[tuple[User, Stream], ...] = ()
        about = {"tenant": command.tenant_id, "user": command.user_id}
        if loses_rights:
            ((admins,),) = await store.database.rows(users.OTHER_ADMINS, about)
        if command.keep_an_owner and loses_rights:
            ((staff, owners),) = await store.database.tenant_rows(command.tenant_id, users.OTHER_OWNERS, about)
            # The append is refused if any user changes meanwhile: two owners may not disable each other.
            guards = (Unchanged(staff),)
        if command.profile.get("primary"):
            staff, beside = await replaced_primary(store, command)
            guards = (Unchanged(staff),)

        def decide(user: User, at: datetime) -> None:
            check(user)
            owned, administered = user.owns, user.administers
            if command.name is not None:
                user.rename(command.name, at)
            user.change_profile(command.profile, at)
            if command.notify is not None:
                user.change_notify(command.notify, at)
            if password_hash is not None:
                user.set_password(password_hash, at)
            if command.disabled is not None:
                (user.disable if command.disabled else user.enable)(at)
            if owned and not user.owns and not owners:
                raise WrongState(LAST_OWNER)
            if administered and not user.administers and not admins:
                raise WrongState(LAST_ADMIN)

        try:
            return await change(
                store,
                command.tenant_id,
                command.user_id,
                User,
                decide,
                command="ChangeUser",
                origin=origin,
                missing=NO_USER,
                expected_versions=command.expected_versions,
                idempotency=idempotency,
                guards=guards,
                beside=beside,
            )
        except SiteChanged as error:
            raise Conflict from error

    return await deciding_again(once)


async def invite_user(
    store: EventStore,
    tenant_id: UUID,
    user_id: UUID,
    language: str | None,
    origin: Origin,
    idempotency: Idempotency | None = None,
    *,
    check: Callable[[User], None],
) -> tuple[User, Appended]:
    """The user, who gets a mail in *language* with a link at which to choose a password; None cancels the invitation.

    Raises NotFound, Invalid, WrongState, Busy, Conflict, and what *check* raises.
    """

    def decide(user: User, at: datetime) -> None:
        check(user)
        if language is None:
            user.cancel_invitation(at)
        else:
            user.invite(language, at)

    return await change(
        store,
        tenant_id,
        user_id,
        User,
        decide,
        command="InviteUser" if language else "CancelInvitation",
        origin=origin,
        missing=NO_USER,
        idempotency=idempotency,
    )


async def replaced_primary(store: EventStore, command: ChangeUser) -> tuple[int, tuple[tuple[User, Stream], ...]]:
    """The version of the staff; and the present primary agent with its stream, who is primary no longer."""
    ((staff, user_id),) = await store.database.tenant_rows(
        command.tenant_id, users.PRIMARY, {"tenant": command.tenant_id}
    )
    if user_id in (None, command.user_id):
        return staff, ()
    stream = await store.load(command.tenant_id, user_id)
    primary: User = stream.aggregate()
    primary.change_profile({"primary": False}, max(ids.now(), primary.modified_on))
    return staff, ((primary, stream),)
