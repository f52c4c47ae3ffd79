"""``/api/v1/admin/users``: the staff of a brokerage, for its owner; all users, for platform admins."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from starlette.responses import Response

from aureum.commands.clock import on_clock
from aureum.commands.two_step import disable_totp
from aureum.commands.users import NO_USER, ChangeUser, CreateUser, change_user, create_user_once, invite_user
from aureum.domain.errors import Invalid, NotAllowed, NotFound, WrongState
from aureum.domain.ids import leads_time
from aureum.domain.user import PROFILE, User
from aureum.http.access.callers import origin
from aureum.http.access.roles import ADMIN, NOT_YOURS_TO_CHANGE, check_changing, check_giving
from aureum.http.access.security import note
from aureum.http.api.staff.managed import managed, position
from aureum.http.api.staff.staff_at import staff_at
from aureum.http.api.staff.user_fields import Invitation, StaffPage, StaffResponse, UserChange, UserCreate, document
from aureum.http.contract.answers import encoded
from aureum.http.contract.endpoint import STAFF, Context, Endpoint, Id
from aureum.http.contract.history import with_names
from aureum.http.contract.numbered_pages import FoundPage, NumberedPage, paged
from aureum.http.contract.resource import NOT_YET, AsOf, answered, as_it_was, expected_versions, once, unless_known
from aureum.http.contract.state_history import states
from aureum.http.wire.shapes import StaffEventResponse
from aureum.projections import users
from aureum.projections.users import UserRow
from aureum.store.security_log import Noted

PATH = "/api/v1/admin/users"

YOUR_OWN = (
    "You cannot change your own password here. Use your account page in the panel, or POST /api/me/password, which ask "
    "for the current one."
)

INVITE_OR_PASSWORD = "invite must not be true with a password: the invited user chooses one."  # noqa: S105  a sentence


def body_in(brokerage: int | None) -> Callable[[User], bytes]:
    """A user of the *brokerage* with this number, in the same words as the list."""
    return lambda user: encoded(document(user, brokerage, user.created_on))


async def get_admin_users(context: Context, staff: StaffPage) -> Response:
    """Lists the users by name, including disabled users, now or at ``asOf``. Platform admins may pass
    ``brokerage_id``. It defaults to their own brokerage, or to the platform."""
    tenant_id, number = await managed(context, staff.brokerage_id)
    (moment,) = await on_clock(context.app.database, tenant_id, staff.as_of)
    of = {"tenant": tenant_id, "limit": staff.page_size, "skipped": staff.skipped}

    async def read() -> FoundPage:
        if moment is not None:
            then = await staff_at(context, tenant_id, moment)
            shown = map(body_in(number), then[staff.skipped : staff.skipped + staff.page_size])
            return FoundPage(b",".join(shown).decode(), len(then))
        found, ((total,),) = await context.app.database.tenant_results(tenant_id, [(users.PAGE, of), (users.COUNT, of)])
        rows = [UserRow(*row) for row in found]
        return FoundPage(",".join(encoded(document(row, row.brokerage, row.joined_at)).decode() for row in rows), total)

    return await paged(context, staff, (PATH, tenant_id, await position(context, tenant_id)), read)


async def post_admin_user(context: Context, new: UserCreate) -> Response:
    """Returns the new user. A user without a ``password`` gets a mail with a link at which to choose one. If another
    user has the same email address, the response is 409."""
    tenant_id, number = await managed(context, new.brokerage_id)
    check_giving(context.caller.role, new.role)
    if new.invite and new.password is not None:
        raise Invalid("invite", INVITE_OR_PASSWORD)
    given = new.model_dump(exclude={"brokerage_id", "invite", "language"})
    command = CreateUser(tenant_id=tenant_id, **given, invite=new.language if new.invite else None)
    body = body_in(number)
    remember = await once(context, body, tenant_id=tenant_id)
    user, appended = await create_user_once(
        context.app.store, command, origin(context.request, context.caller), remember
    )
    return answered(context, user, body, appended, 201)


async def get_admin_user(context: Context, number: int, as_of: AsOf) -> Response:
    """Returns the user, or the user's state at ``asOf``."""
    tenant_id, row = await user_of(context, number)
    if as_of.as_of is None:
        return unless_known(context, encoded(document(row, row.brokerage, row.joined_at)), row.stream_version)
    (at,) = await on_clock(context.app.database, tenant_id, as_of.as_of)
    user = (await context.app.store.load(tenant_id, row.user_id)).aggregate(at)
    if user is None:
        raise NotFound(NOT_YET)
    return unless_known(context, body_in(row.brokerage)(user), user.version)


async def get_admin_user_history(context: Context, number: int, as_of: AsOf) -> Response:
    """Lists every event of the user, oldest first: who changed what, when, from which value to which. With ``asOf`` it
    ends at that moment. Passwords, codes and the filters of saved views are never shown."""
    tenant_id, row = await user_of(context, number)
    (at,) = await on_clock(context.app.database, tenant_id, as_of.as_of)
    stream = as_it_was(await context.app.store.load(tenant_id, row.user_id), at)
    return await with_names(context, stream, states(stream, in_history, leads_time), tenant_id=tenant_id)


def in_history(user: User) -> dict[str, Any]:
    """What a user's history tells of."""
    shown = document(user, None, user.created_on)
    profile = {name: value for name in PROFILE if name not in shown and (value := getattr(user, name)) is not None}
    return {
        **{name: value for name, value in shown.items() if name not in ("id", "brokerage_id", "created_at")},
        **{name: list(value) if isinstance(value, tuple) else value for name, value in profile.items()},
        "bio": user.bio,
        "notify": user.notify,
        "recovery_codes": len(user.recovery),
    }


async def patch_admin_user(context: Context, number: int, change: UserChange) -> Response:
    """Changes the fields that are sent, and returns the user. Send ``If-Match`` with the ETag to avoid overwriting
    someone else's change."""
    tenant_id, row = await user_of(context, number)
    role = context.caller.role
    sent = change.model_dump(exclude_unset=True)
    if "password" in sent and row.user_id == context.caller.user_id:
        # A passer-by who finds a session open must not get an account with it.
        raise WrongState(YOUR_OWN)
    check_giving(role, sent.get("role"))
    if "specialties" in sent:
        sent["specialties"] = tuple(sent["specialties"])
    command = ChangeUser(
        tenant_id=tenant_id,
        user_id=row.user_id,
        name=sent.get("name"),
        password=SecretStr(sent["password"]) if "password" in sent else None,
        profile={name: sent[name] for name in PROFILE if name in sent},
        disabled=sent.get("disabled"),
        keep_an_owner=role != ADMIN,
        expected_versions=expected_versions(context.request),
    )
    user = await change_user(
        context.app.store, command, origin(context.request, context.caller), check=partial(check_changing, role)
    )
    return answered(context, user, body_in(row.brokerage))


async def post_invite(context: Context, number: int, invitation: Invitation) -> Response:
    """Sends a user without a password a mail with a link at which to choose one. It works once, for seven days. The
    link of an earlier invitation no longer works."""
    return await invited(context, number, invitation.language)


async def post_cancel_invitation(context: Context, number: int) -> Response:
    """Cancels the invitation: its link no longer works. If there is none, nothing changes."""
    return await invited(context, number, None)


async def post_reset_totp(context: Context, number: int) -> Response:
    """Removes the second step of the user's login, for a user who has lost the authenticator app and the recovery
    codes. The password alone is then enough to log in."""
    tenant_id, row = await user_of(context, number)
    if row.role == ADMIN and context.caller.role != ADMIN:
        raise NotAllowed(NOT_YOURS_TO_CHANGE)
    body = body_in(row.brokerage)
    remember = await once(context, body, tenant_id=tenant_id)
    who = origin(context.request, context.caller)
    user, appended = await disable_totp(context.app.store, tenant_id, row.user_id, who, remember)
    note(context.request, Noted("totp_disabled", tenant_id=tenant_id, user_id=row.user_id, about="by an owner"))
    return answered(context, user, body, appended)


async def invited(context: Context, number: int, language: str | None) -> Response:
    """The user with another invitation, or with none. Raises what user_of and invite_user raise."""
    tenant_id, row = await user_of(context, number)
    body = body_in(row.brokerage)
    remember = await once(context, body, tenant_id=tenant_id)
    user, appended = await invite_user(
        context.app.store,
        tenant_id,
        row.user_id,
        language,
        origin(context.request, context.caller),
        remember,
        check=partial(check_changing, context.caller.role),
    )
    return answered(context, user, body, appended)


async def user_of(context: Context, number: int) -> tuple[UUID, UserRow]:
    """The user with this number whom the caller manages, and the user's tenant. Raises NotAllowed, NotFound."""
    own, _ = await managed(context, None)
    for tenant_id, user_id in await context.app.database.rows(users.DIRECTORY, {"number": number}):
        if tenant_id == own or context.caller.role == ADMIN:
            of = {"tenant": tenant_id, "user": user_id}
            (row,) = await context.app.database.tenant_rows(tenant_id, users.SHOWN_ONE, of)
            return tenant_id, UserRow(*row)
    raise NotFound(NO_USER)


every = partial(Endpoint, path=PATH, access=STAFF, dialect="leads", refusals=(400, 403))
one = partial(every, path=PATH + "/{id}", id=Id(NO_USER, number=True), answers=StaffResponse)

ENDPOINTS = (
    every(
        method="GET",
        run=get_admin_users,
        summary="List users",
        query=StaffPage,
        answers=NumberedPage[StaffResponse],
        own_clock=True,
        refusals=(400, 403, 404),
    ),
    every(
        method="POST",
        run=post_admin_user,
        summary="Create a user",
        body=UserCreate,
        answers=StaffResponse,
        status=201,
        refusals=(400, 403, 404, 409),
    ),
    one(method="GET", run=get_admin_user, summary="Get a user", query=AsOf, own_clock=True),
    one(
        method="GET",
        path=PATH + "/{id}/history",
        run=get_admin_user_history,
        summary="Get a user's history",
        query=AsOf,
        answers=list[StaffEventResponse],
        own_clock=True,
    ),
    one(method="PATCH", run=patch_admin_user, summary="Change a user", body=UserChange, refusals=(400, 403, 409)),
    one(
        method="POST",
        path=PATH + "/{id}/invite",
        run=post_invite,
        summary="Invite a user again",
        body=Invitation,
        bodiless=True,
        refusals=(400, 403, 409),
    ),
    one(
        method="POST",
        path=PATH + "/{id}/reset-totp",
        run=post_reset_totp,
        summary="Remove the second step of a user's login",
        refusals=(400, 403, 409),
    ),
    one(
        method="POST",
        path=PATH + "/{id}/cancel-invitation",
        run=post_cancel_invitation,
        summary="Cancel an invitation",
        refusals=(400, 403, 409),
    ),
)
