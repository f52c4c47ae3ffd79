"""``/api/v1/admin/users``: the staff of a brokerage, for its owner; all users, for platform admins."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from pydantic import SecretStr
from starlette.responses import Response

from aureum.commands.clock import on_clock
from aureum.commands.users import NO_USER, ChangeUser, CreateUser, change_user, create_user_once
from aureum.domain.errors import NotFound, WrongState
from aureum.domain.user import PROFILE, User
from aureum.http.access.callers import origin
from aureum.http.access.roles import ADMIN, check_changing, check_giving
from aureum.http.api.staff.managed import managed, position
from aureum.http.api.staff.user_fields import BrokeragePage, NewUser, ShownStaff, UserChange, document
from aureum.http.contract.answers import encoded
from aureum.http.contract.endpoint import STAFF, Asked, Endpoint, Id
from aureum.http.contract.numbered_pages import Found, NumberedPage, paged
from aureum.http.contract.resource import NOT_YET, AsOf, answered, expected_versions, once, unless_known
from aureum.projections import users
from aureum.projections.users import UserRow

PATH = "/api/v1/admin/users"

YOUR_OWN = (
    "You cannot change your own password here. Use your account page in the panel, or POST /api/me/password, which ask "
    "for the current one."
)


def body_in(brokerage: int | None) -> Callable[[User], bytes]:
    """A user of the *brokerage* with this number, in the same words as the list."""
    return lambda user: encoded(document(user, brokerage, user.created_on))


async def get_admin_users(asked: Asked, staff: BrokeragePage) -> Response:
    """Lists the users by name, including disabled users. Platform admins may pass ``brokerage_id``. It defaults to
    their own brokerage, or to the platform."""
    tenant_id, _ = await managed(asked, staff.brokerage_id)
    of = {"tenant": tenant_id, "limit": staff.page_size, "skipped": staff.skipped}

    async def read() -> Found:
        found, ((total,),) = await asked.app.database.tenant_results(tenant_id, [(users.PAGE, of), (users.COUNT, of)])
        rows = [UserRow(*row) for row in found]
        return Found(",".join(encoded(document(row, row.brokerage, row.joined_at)).decode() for row in rows), total)

    return await paged(asked, staff, (PATH, tenant_id, await position(asked, tenant_id)), read)


async def post_admin_user(asked: Asked, new: NewUser) -> Response:
    """Returns the new user. If another user has the same email address, the response is 409."""
    tenant_id, number = await managed(asked, new.brokerage_id)
    check_giving(asked.about.role, new.role)
    command = CreateUser(tenant_id=tenant_id, **new.model_dump(exclude={"brokerage_id"}))
    body = body_in(number)
    remember = await once(asked, body, tenant_id=tenant_id)
    user, appended = await create_user_once(asked.app.store, command, origin(asked.request, asked.about), remember)
    return answered(asked, user, body, appended, 201)


async def get_admin_user(asked: Asked, number: int, as_of: AsOf) -> Response:
    """Returns the user, or the user's state at ``asOf``."""
    tenant_id, row = await user_of(asked, number)
    if as_of.as_of is None:
        return unless_known(asked, encoded(document(row, row.brokerage, row.joined_at)), row.stream_version)
    (at,) = await on_clock(asked.app.database, tenant_id, as_of.as_of)
    user = (await asked.app.store.load(tenant_id, row.user_id)).aggregate(at)
    if user is None:
        raise NotFound(NOT_YET)
    return unless_known(asked, body_in(row.brokerage)(user), user.version)


async def patch_admin_user(asked: Asked, number: int, change: UserChange) -> Response:
    """Changes the fields that are sent, and returns the user. Send ``If-Match`` with the ETag to avoid overwriting
    someone else's change."""
    tenant_id, row = await user_of(asked, number)
    role = asked.about.role
    sent = change.model_dump(exclude_unset=True)
    if "password" in sent and row.user_id == asked.about.user_id:
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
        expected_versions=expected_versions(asked.request),
    )
    user = await change_user(
        asked.app.store, command, origin(asked.request, asked.about), check=partial(check_changing, role)
    )
    return answered(asked, user, body_in(row.brokerage))


async def user_of(asked: Asked, number: int) -> tuple[UUID, UserRow]:
    """The user with this number whom the caller manages, and the user's tenant. Raises NotAllowed, NotFound."""
    own, _ = await managed(asked, None)
    for tenant_id, user_id in await asked.app.database.rows(users.DIRECTORY, {"number": number}):
        if tenant_id == own or asked.about.role == ADMIN:
            of = {"tenant": tenant_id, "user": user_id}
            (row,) = await asked.app.database.tenant_rows(tenant_id, users.SHOWN_ONE, of)
            return tenant_id, UserRow(*row)
    raise NotFound(NO_USER)


every = partial(Endpoint, path=PATH, access=STAFF, dialect="leads", refusals=(400, 403))
one = partial(every, path=PATH + "/{id}", id=Id(NO_USER, number=True), answers=ShownStaff)

ENDPOINTS = (
    every(
        method="GET",
        run=get_admin_users,
        summary="List users",
        query=BrokeragePage,
        answers=NumberedPage[ShownStaff],
        refusals=(400, 403, 404),
    ),
    every(
        method="POST",
        run=post_admin_user,
        summary="Create a user",
        body=NewUser,
        answers=ShownStaff,
        status=201,
        refusals=(400, 403, 404, 409),
    ),
    one(method="GET", run=get_admin_user, summary="Get a user", query=AsOf, own_clock=True),
    one(method="PATCH", run=patch_admin_user, summary="Change a user", body=UserChange, refusals=(400, 403, 409)),
)
