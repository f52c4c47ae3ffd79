"""``GET /api/me``: what the key or token is that was sent."""

from typing import Annotated, Any, Literal

from pydantic import Field, RootModel
from starlette.responses import Response

from aureum.domain.ids import PLATFORM, to_wire
from aureum.http.access import by_credentials
from aureum.http.answers import answer, encoded, list_etag, not_modified
from aureum.http.endpoint import Access, Asked, Endpoint
from aureum.http.roles import Role
from aureum.http.shapes import Shape, Wire
from aureum.projections import api_keys, brokerages, users

PATH = "/api/me"


class ShownTenant(Shape):
    """The brokerage that it belongs to; `id` is the `brokerage_id` of the Leads API."""

    id: int
    slug: str
    name: str
    plan: Literal["Starter", "Grow", "Elite"]
    timeZone: Annotated[str, Field(description="IANA name")]


class MeAsKey(Shape):
    """An API key."""

    type: Literal["key"]
    id: Wire
    name: str
    prefix: Annotated[str, Field(description="How the key begins")]
    rateLimit: Annotated[int, Field(description="Requests a minute")]
    brokerage: ShownTenant


class MeAsUser(Shape):
    """A user, recognised by the token."""

    type: Literal["user"]
    id: Wire
    number: int
    name: str
    email: str
    role: Role
    brokerage: ShownTenant | None


class ShownMe(RootModel[Annotated[MeAsKey | MeAsUser, Field(discriminator="type")]]):
    """A key or a user."""


async def get_me(asked: Asked) -> Response:
    """Available on every plan, so that a Starter key can find out why other endpoints refuse it."""
    about = asked.about
    # The site's version tells of changes to the brokerage itself, whose events stand in the platform's log.
    etag = list_etag(PATH, about.caller_id, about.tenant_id, about.head, about.site_version)
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


def wire(asked: Asked) -> str:
    """The id of who asks."""
    assert asked.about.caller_id is not None
    return to_wire(asked.about.caller_id)


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
)
