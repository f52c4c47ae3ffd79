"""``/api/me``: what the key or token is that was sent; users change their name and their password here."""

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
from aureum.http.api.staff.login import Success, too_many_failures
from aureum.http.api.staff.user_fields import Password
from aureum.http.contract.answers import answer, encoded, list_etag, not_modified
from aureum.http.contract.endpoint import STAFF, Access, Asked, Endpoint
from aureum.http.contract.idempotency import Replayed
from aureum.http.contract.resource import expected_versions, once
from aureum.http.wire.fields import NOT_NULL, Name
from aureum.http.wire.headers import header
from aureum.http.wire.shapes import Shape, Wire
from aureum.projections import api_keys, brokerages, users

PATH = "/api/me"

NOT_CURRENT = "current is not your current password."


class ShownTenant(Shape):
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
    brokerage: ShownTenant


class MeAsUser(Shape):
    """The user whose token the request has."""

    type: Literal["user"]
    id: Wire
    number: int
    name: str
    email: str
    role: Role
    brokerage: ShownTenant | None


class ShownMe(RootModel[Annotated[MeAsKey | MeAsUser, Field(discriminator="type")]]):
    """A key or a user."""


class MeChange(BaseModel):
    """The fields to change. Fields that are left out keep their value."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"name": "Ana Agent"}})

    name: Annotated[Name, NOT_NULL, Field(description="Your name, as colleagues see it.")]


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


async def get_me(asked: Asked) -> Response:
    """Describes the key or token of the request. Available on every plan, so that a Starter key can find out why other
    endpoints refuse it."""
    about = asked.about
    etag = etag_of(asked, about.head, about.site_version)
    unchanged = not_modified(asked.request, etag)
    if unchanged is not None:
        return unchanged
    body = await (key if about.role == "key" else user)(asked)
    return answer(encoded(body), headers={"ETag": etag})


async def key(asked: Asked) -> dict[str, Any]:
    """The key as its brokerage lists it."""
    of = {"tenant": asked.tenant_id, "key": asked.about.caller_id}
    (found,), (tenant,) = await asked.app.database.tenant_results(
        asked.tenant_id, [(api_keys.ONE, of), (brokerages.NAMED, of)]
    )
    name, prefix, rate_limit = found
    return {
        "type": "key",
        "id": wire(asked),
        "name": name,
        "prefix": prefix,
        "rateLimit": rate_limit,
        "brokerage": shown(tenant),
    }


async def user(asked: Asked) -> dict[str, Any]:
    """The user; the platform's own are of no brokerage."""
    of = {"tenant": asked.tenant_id, "user": asked.about.caller_id}
    (found,), tenants = await asked.app.database.tenant_results(
        asked.tenant_id, [(users.SHOWN_ONE, of), (brokerages.NAMED, of)]
    )
    person = users.UserRow(*found)
    return {
        "type": "user",
        "id": wire(asked),
        "number": person.number,
        "name": person.name,
        "email": person.email,
        "role": person.role,
        "brokerage": None if asked.tenant_id == PLATFORM else shown(tenants[0]),
    }


async def patch_me(asked: Asked, change: MeChange) -> Response:
    """Changes the fields that are sent, and returns the user. ``If-Match`` takes the ETag of `GET /api/me`."""
    sent, expected = change.model_dump(exclude_unset=True), None
    if expected_versions(asked.request) is not None:
        version, etag = await state(asked)
        if etag not in [tag.strip() for tag in (header(asked.request.scope, b"if-match") or "").split(",")]:
            raise StaleVersion
        expected = frozenset((version,))
    command = ChangeUser(
        tenant_id=asked.tenant_id, user_id=caller(asked), name=sent.get("name"), expected_versions=expected
    )
    await change_user(asked.app.store, command, origin(asked.request, asked.about), check=lambda _: None)
    _, etag = await state(asked)
    return answer(encoded(await user(asked)), headers={"ETag": etag})


async def state(asked: Asked) -> tuple[int, str]:
    """The version of the user's stream, and the ETag that ``get_me`` answers with, as they are now."""
    of = {"tenant": asked.tenant_id, "user": asked.about.caller_id}
    ((version, head, site_version),) = await asked.app.database.rows(users.STATE, of)
    return version, etag_of(asked, head, site_version)


def etag_of(asked: Asked, head: int, site_version: int) -> str:
    """The site's version tells of changes to the brokerage itself, whose events stand in the platform's log."""
    return list_etag(PATH, asked.about.caller_id, asked.tenant_id, head, site_version)


async def post_password(asked: Asked, change: PasswordChange) -> Response:
    """Sets a new password. It ends all other sessions of the user. A wrong `current` counts as a failed login."""
    database, client = asked.app.database, client_address(asked.request.scope, asked.app.settings.trusted_proxies)
    remember = await once(asked, done, tagged=False)
    of = {"tenant": asked.tenant_id, "user": caller(asked)}
    ((address, _),) = await database.rows(users.CREDENTIALS, of) or ((None, None),)
    given = LogIn(email=address or "", password=SecretStr(change.current), client=client)
    try:
        right = await is_password(database, given, asked.tenant_id, caller(asked))
    except TooMany as error:
        raise too_many_failures(error) from error
    if not right:
        raise Invalid("current", NOT_CURRENT)
    command = ChangeUser(
        tenant_id=asked.tenant_id, user_id=caller(asked), password=SecretStr(change.new), sent_as="new"
    )
    token = bearer(asked.request)
    assert token is not None, "it has opened this"
    async with kept_logged_in(database, token):
        _, appended = await change_user_once(
            asked.app.store, command, origin(asked.request, asked.about), remember, check=lambda _: None
        )
    if appended.remembered is not None:
        raise Replayed(appended.remembered)
    return answer(done(None))


def done(_: object) -> bytes:
    """The answer to what has nothing to show."""
    return encoded({"success": True})


def caller(asked: Asked) -> UUID:
    """The id of who asks."""
    assert asked.about.caller_id is not None
    return asked.about.caller_id


def wire(asked: Asked) -> str:
    """The id of who asks."""
    return to_wire(caller(asked))


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
        answers=ShownMe,
    ),
    Endpoint(
        "PATCH",
        PATH,
        patch_me,
        "Change your name",
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
