"""The second step of a login: a code of the user's authenticator app, or a recovery code. Both work once."""

from datetime import datetime
from uuid import UUID

from aureum.commands.changes import change
from aureum.commands.users import NO_USER
from aureum.domain import ids, totp
from aureum.domain.errors import Conflict, Invalid, WrongState
from aureum.domain.user import User
from aureum.store.event_store import Appended, EventStore, Idempotency
from aureum.store.metadata import Actor, Origin

WRONG_CODE = "code is not the one that your authenticator app shows now."

USE = """
INSERT INTO totp_uses AS t (tenant_id, user_id, step) VALUES (%(tenant)s, %(user)s, %(step)s)
ON CONFLICT (tenant_id, user_id) DO UPDATE SET step = excluded.step WHERE t.step < excluded.step
RETURNING 1
"""
"""A code is taken once, and none from before it: of two logins with one code, one gets in."""


async def enable_totp(
    store: EventStore,
    tenant_id: UUID,
    user_id: UUID,
    secret: str,
    code: str,
    codes: list[str],
    origin: Origin,
    idempotency: Idempotency | None,
) -> tuple[User, Appended]:
    """The user, whose logins need a code from now on. *code* shows that the app has the *secret*; *codes* are the
    recovery codes. Raises Invalid, NotFound, Conflict."""
    totp.check_secret(secret)
    if totp.step_of(secret, totp.typed(code), ids.now()) is None:
        raise Invalid("code", WRONG_CODE)
    digests = [totp.digest(one) for one in codes]
    return await change(
        store,
        tenant_id,
        user_id,
        User,
        lambda user, at: user.enable_totp(secret, digests, at),
        command="EnableTotp",
        origin=origin,
        missing=NO_USER,
        idempotency=idempotency,
    )


async def disable_totp(
    store: EventStore, tenant_id: UUID, user_id: UUID, origin: Origin, idempotency: Idempotency | None = None
) -> tuple[User, Appended]:
    """The user, whose password is enough from now on. Raises NotFound, Conflict."""
    return await change(
        store,
        tenant_id,
        user_id,
        User,
        lambda user, at: user.disable_totp(at),
        command="DisableTotp",
        origin=origin,
        missing=NO_USER,
        idempotency=idempotency,
    )


async def takes_code(store: EventStore, tenant_id: UUID, user_id: UUID, code: str) -> bool:
    """Whether *code* opens the second step of the user's login; it is used up then. Raises Unavailable."""
    user: User | None = (await store.load(tenant_id, user_id)).aggregate()
    if user is None or user.totp_secret is None:
        return False
    given = totp.typed(code)
    step = totp.step_of(user.totp_secret, given, ids.now())
    if step is not None:
        return bool(await store.database.rows(USE, {"tenant": tenant_id, "user": user_id, "step": step}))
    used = totp.digest(given)
    if used not in user.recovery:
        return False

    def decide(found: User, at: datetime) -> None:
        found.use_recovery_code(used, at)

    origin = Origin(Actor("user", ids.to_wire(user_id)))
    try:
        await change(store, tenant_id, user_id, User, decide, command="UseRecoveryCode", origin=origin, missing=NO_USER)
    except (WrongState, Conflict):
        # Another login has used it at the same moment.
        return False
    return True
