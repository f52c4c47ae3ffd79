"""``/api/me``: describes the key or token that was sent; users change their name, mails and password."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, RootModel, SecretStr, Strict
from starlette.responses import Response

from aureum.commands.passwords import LONGEST_PASSWORD
from aureum.commands.sessions import LogIn, is_password, kept_logged_in
from aureum.commands.users import ChangeUser, change_user, change_user_once
from aureum.domain.errors import Invalid, StaleVersion, TooMany
from aureum.domain.ids import PLATFORM, to_wire
from aureum.http.access.callers import bearer, by_credentials, origin
from aureum.http.access.hosts import client_address
from aureum.http.access.roles import Role
from aureum.http.access.security import note_of
from aureum.http.api.staff.login import Success, too_many_failures
from aureum.http.api.staff.user_fields import Password
from aureum.http.contract.answers import answer, encoded, list_etag, not_modified
from aureum.http.contract.endpoint import STAFF, Access, Context, Endpoint
from aureum.http.contract.idempotency import Replayed, unless_replayed
from aureum.http.contract.resource import expected_versions, once
from aureum.http.wire.fields import Name
from aureum.http.wire.headers import header
from aureum.http.wire.nulls import NOT_NULL
from aureum.http.wire.shapes import Shape, Wire
from aureum.projections import api_keys, brokerages, users
from aureum.store.event_store import Idempotency

PATH = "/api/me"

NOT_CURRENT = "current is not your current password."


Notify = Annotated[
    Literal["at_once", "digest", "none"],
    Field(
        description="Which mails you get about leads and showings: each `at_once`, a `digest` of them on your working "
        "mornings, or `none`. Mails about the account itself always come."
    ),
]


class TenantResponse(Shape):
    """The brokerage of the key or user. The Leads API calls its `id` `brokerage_id`."""

    id: int
    slug: str
    name: str
    plan: Literal["Starter", "Grow", "Elite"]
    timeZone: Annotated[str, Field(description="IANA time zone.")]


class MeAsKey(Shape):
    """The API key of the request."""

    type: Literal["key"]
    id: Wire
    name: str
    prefix: Annotated[str, Field(description="The first characters of the key.")]
    rateLimit: Annotated[int, Field(description="Requests per minute.")]
    brokerage: TenantResponse


class MeAsUser(Shape):
    """The user whose token the request has."""

    type: Literal["user"]
    id: Wire
    number: int
    name: str
    email: str
    role: Role
    notify: Notify
    totp: Annotated[bool, Field(description="Whether your login has a second step.")]
    brokerage: TenantResponse | None


class MeResponse(RootModel[Annotated[MeAsKey | MeAsUser, Field(discriminator="type")]]):
    """A key or a user."""


class MeChange(BaseModel):
    """The fields to change. Fields that are left out keep their value."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"name": "Ana Agent", "notify": "digest"}})

    name: Annotated[Name, NOT_NULL, Field(description="Your name, as colleagues see it.")]
    notify: Annotated[Notify, NOT_NULL]


class PasswordChange(BaseModel):
    """The current and the new password."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={"example": {"current": "correct horse battery staple", "new": "apples fall in autumn"}},
    )

    current: Annotated[
        str, Strict(), Field(max_length=LONGEST_PASSWORD, repr=False, description="The current password.")
    ]
    new: Annotated[
        Password,
        Field(
            repr=False, description="The new password. Common passwords and those that are easy to guess are refused."
        ),
    ]


async def get_me(context: Context) -> Response:
    """Describes the key or token of the request. Available on every plan, so that a Starter key can find out why other
    endpoints refuse it."""
    caller = context.caller
    etag = etag_of(context, caller.head, caller.site_version)
    unchanged = not_modified(context.request, etag)
    if unchanged is not None:
        return unchanged
    body = await (key if caller.role == "key" else user)(context)
    return answer(encoded(body), headers={"ETag": etag})


async def key(context: Context) -> dict[str, Any]:
    """The key as its brokerage lists it."""
    of = {"tenant": context.tenant_id, "key": context.caller.caller_id}
    (found,), (tenant,) = await context.app.database.tenant_results(
        context.tenant_id, [(api_keys.ONE, of), (brokerages.NAMED, of)]
    )
    name, prefix, rate_limit = found
    return {
        "type": "key",
        "id": wire(context),
        "name": name,
        "prefix": prefix,
        "rateLimit": rate_limit,
        "brokerage": shown(tenant),
    }


async def user(context: Context) -> dict[str, Any]:
    """The user; the platform's own are of no brokerage."""
    of = {"tenant": context.tenant_id, "user": context.caller.caller_id}
    (found,), tenants = await context.app.database.tenant_results(
        context.tenant_id, [(users.SHOWN_ONE, of), (brokerages.NAMED, of)]
    )
    person = users.UserRow(*found)
    return {
        "type": "user",
        "id": wire(context),
        "number": person.number,
        "name": person.name,
        "email": person.email,
        "role": person.role,
        "notify": person.notify,
        "totp": person.totp,
        "brokerage": None if context.tenant_id == PLATFORM else shown(tenants[0]),
    }


async def patch_me(context: Context, change: MeChange) -> Response:
    """Changes the fields that are sent, and returns the user. ``If-Match`` takes the ETag of `GET /api/me`."""
    sent, expected = change.model_dump(exclude_unset=True), None
    if expected_versions(context.request) is not None:
        version, etag = await state(context)
        if etag not in [tag.strip() for tag in (header(context.request.scope, b"if-match") or "").split(",")]:
            raise StaleVersion
        expected = frozenset((version,))
    command = ChangeUser(
        tenant_id=context.tenant_id,
        user_id=caller(context),
        name=sent.get("name"),
        notify=sent.get("notify"),
        expected_versions=expected,
    )
    await change_user(context.app.store, command, origin(context.request, context.caller), check=lambda _: None)
    _, etag = await state(context)
    return answer(encoded(await user(context)), headers={"ETag": etag})


async def state(context: Context) -> tuple[int, str]:
    """The version of the user's stream, and the ETag that ``get_me`` answers with, as they are now."""
    of = {"tenant": context.tenant_id, "user": context.caller.caller_id}
    ((version, head, site_version),) = await context.app.database.rows(users.STATE, of)
    return version, etag_of(context, head, site_version)


def etag_of(context: Context, head: int, site_version: int) -> str:
    """The site's version tells of changes to the brokerage itself, whose events stand in the platform's log."""
    return list_etag(PATH, context.caller.caller_id, context.tenant_id, head, site_version)


async def post_password(context: Context, change: PasswordChange) -> Response:
    """Sets a new password. It ends all other sessions of the user. A wrong `current` counts as a failed login."""
    remember = await once(context, done, tagged=False)
    await check_current(context, change.current, remember)
    command = ChangeUser(
        tenant_id=context.tenant_id, user_id=caller(context), password=SecretStr(change.new), sent_as="new"
    )
    token = bearer(context.request)
    assert token is not None, "it has opened this"
    async with kept_logged_in(context.app.database, token):
        _, appended = await change_user_once(
            context.app.store, command, origin(context.request, context.caller), remember, check=lambda _: None
        )
    if appended.remembered is not None:
        raise Replayed(appended.remembered)
    note_of(context.request, context.caller, "password_changed")
    return answer(done(None))


async def check_current(context: Context, current: str, remember: Idempotency | None) -> None:
    """Raises Invalid for another password, which counts as a failed login, HttpError 429, and Replayed where the same
    request has changed it a moment ago."""
    database, client = context.app.database, client_address(context.request.scope, context.app.settings.trusted_proxies)
    of = {"tenant": context.tenant_id, "user": caller(context)}
    ((address, _),) = await database.rows(users.CREDENTIALS, of) or ((None, None),)
    given = LogIn(email=address or "", password=SecretStr(current), client=client)
    try:
        right = await is_password(database, given, context.tenant_id, caller(context))
    except TooMany as error:
        raise too_many_failures(error) from error
    if not right:
        await unless_replayed(context.app.store, context.tenant_id, remember)
        raise Invalid("current", NOT_CURRENT)


def done(_: object) -> bytes:
    """The answer to what has nothing to show."""
    return encoded({"success": True})


def caller(context: Context) -> UUID:
    """The id of who asks."""
    assert context.caller.caller_id is not None
    return context.caller.caller_id


def wire(context: Context) -> str:
    """The id of who asks."""
    return to_wire(caller(context))


def shown(tenant: tuple[Any, ...]) -> dict[str, Any]:
    """The brokerage of who asks."""
    return dict(zip(("id", "slug", "name", "plan", "timeZone"), tenant, strict=True))


ENDPOINTS = (
    Endpoint(
        "GET",
        PATH,
        get_me,
        "Describe the credentials",
        access=Access(by_credentials, ("key", "token")),
        answers=MeResponse,
    ),
    Endpoint(
        "PATCH",
        PATH,
        patch_me,
        "Change your name, or which mails you get",
        access=STAFF,
        body=MeChange,
        answers=MeAsUser,
    ),
    Endpoint(
        "POST",
        PATH + "/password",
        post_password,
        "Change your password",
        access=STAFF,
        body=PasswordChange,
        answers=Success,
        refusals=(429,),
    ),
)
