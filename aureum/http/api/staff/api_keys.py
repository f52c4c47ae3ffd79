"""``/api/v1/admin/api-keys``: the keys of a brokerage, for its owner and for platform admins."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field
from starlette.responses import Response

from aureum.commands.api_keys import NO_KEY, IssueApiKey, issue_api_key_once, new_key, revoke_api_key
from aureum.commands.clock import on_clock
from aureum.domain.api_key import RATE_LIMIT, ApiKey
from aureum.domain.errors import NotFound
from aureum.domain.ids import leads_time, to_wire
from aureum.http.access.callers import origin
from aureum.http.api.staff.managed import managed_brokerage
from aureum.http.api.staff.user_fields import BrokerageId, BrokeragePage, OfBrokerage, OfBrokerageAsOf
from aureum.http.api.webhooks.webhook_lists import unless_same
from aureum.http.contract.answers import encoded
from aureum.http.contract.endpoint import STAFF, Context, Endpoint, Id
from aureum.http.contract.history import with_names
from aureum.http.contract.numbered_pages import FoundPage, NumberedPage, page_body
from aureum.http.contract.resource import answered, as_it_was, once
from aureum.http.contract.state_history import states
from aureum.http.wire.fields import Name
from aureum.http.wire.nulls import NULL_IS_ABSENT
from aureum.http.wire.numbers import Whole
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import LeadsTimestamp, Shape, StaffEventResponse, Wire
from aureum.http.wire.times import Time
from aureum.projections import api_keys
from aureum.store.event_store import Stream

PATH = "/api/v1/admin/api-keys"


class ApiKeyCreate(Body):
    """A new API key. It can be created under any plan. Aureum checks the plan on each request."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"name": "Website", "rate_limit": 100}})

    name: Annotated[Name, Field(description="What the key is for.")]
    rate_limit: Annotated[int, Whole(1, 1_000_000), NULL_IS_ABSENT, Field(description="Requests per minute.")] = (
        RATE_LIMIT
    )
    expires_at: Annotated[
        Time | None, Field(description="When the key ends by itself. Without it the key is valid until it is revoked.")
    ] = None
    brokerage_id: BrokerageId | None = None


class ApiKeyResponse(Shape):
    """An API key, without the key itself."""

    id: Wire
    name: str
    prefix: Annotated[str, Field(description="The first characters of the key.")]
    rate_limit: Annotated[int, Field(description="Requests per minute.")]
    revoked: bool
    expires_at: Annotated[LeadsTimestamp | None, Field(description="When the key ends by itself, if it does.")]
    last_used_at: Annotated[
        LeadsTimestamp | None, Field(description="When the key last opened something, to the minute.")
    ]
    created_at: LeadsTimestamp


class KeyCreated(ApiKeyResponse):
    """A new API key. The key itself is shown only in this response."""

    key: Annotated[str, Field(pattern="^aur_[A-Za-z0-9_-]{43}$")]


def document(
    key_id: UUID,
    name: str,
    prefix: str,
    rate_limit: int,
    revoked: bool,
    issued_at: datetime,
    expires_at: datetime | None,
    used_at: datetime | None,
) -> dict[str, Any]:
    """A key in the words of the list."""
    return {
        "id": to_wire(key_id),
        "name": name,
        "prefix": prefix,
        "rate_limit": rate_limit,
        "revoked": revoked,
        "expires_at": expires_at and leads_time(expires_at),
        "last_used_at": used_at and leads_time(used_at),
        "created_at": leads_time(issued_at),
    }


def shown(key: ApiKey, used_at: datetime | None = None) -> dict[str, Any]:
    """The same of the aggregate, which does not know when it was used."""
    ends = None if key.expires_at is None else datetime.fromisoformat(key.expires_at)
    return document(key.id, key.name, key.prefix, key.rate_limit, key.revoked, key.created_on, ends, used_at)


async def get_api_keys(context: Context, part: BrokeragePage) -> Response:
    """Lists the API keys, newest first, including revoked keys."""
    tenant_id, _ = await managed_brokerage(context, part.brokerage_id)
    of = {"tenant": tenant_id, "limit": part.page_size, "skipped": part.skipped}

    found, ((total,),) = await context.app.database.tenant_results(
        tenant_id, [(api_keys.PAGE, of), (api_keys.COUNT, of)]
    )
    items = ",".join(encoded(document(*row)).decode() for row in found)
    return unless_same(context, page_body(part, FoundPage(items, total)))


async def get_api_key(context: Context, key_id: UUID, of: OfBrokerageAsOf) -> Response:
    """Returns the API key, without the key itself, or its state at ``asOf``. The last use is not an event, so
    ``last_used_at`` is ``null`` with ``asOf``."""
    tenant_id, stream = await stream_of(context, key_id, of)
    used_at = None
    if of.as_of is None:
        of_key = {"tenant": tenant_id, "key": key_id}
        ((used_at,),) = await context.app.database.tenant_rows(tenant_id, api_keys.USED, of_key)
    return unless_same(context, encoded(shown(stream.aggregate(), used_at)))


async def get_api_key_history(context: Context, key_id: UUID, of: OfBrokerageAsOf) -> Response:
    """Lists every event of the API key, oldest first: who issued and revoked it, and when. With ``asOf`` it ends at
    that moment."""
    tenant_id, stream = await stream_of(context, key_id, of)
    history = states(stream, in_history, leads_time)
    return await with_names(context, stream, history, tenant_id=tenant_id)


def in_history(key: ApiKey) -> dict[str, Any]:
    """What a key's history tells of."""
    return {name: getattr(key, name) for name in ("name", "prefix", "rate_limit", "expires_at", "revoked")}


async def stream_of(context: Context, key_id: UUID, of: OfBrokerageAsOf) -> tuple[UUID, Stream]:
    """The key's stream, until ``asOf``, and its tenant. Raises NotFound, and what managed_brokerage raises."""
    tenant_id, _ = await managed_brokerage(context, of.brokerage_id)
    stream = await context.app.store.load(tenant_id, key_id)
    if not stream.events or not isinstance(stream.events[0].event, ApiKey.Event):
        raise NotFound(NO_KEY)
    (at,) = await on_clock(context.app.database, tenant_id, of.as_of)
    return tenant_id, as_it_was(stream, at)


async def post_api_key(context: Context, new: ApiKeyCreate) -> Response:
    """Returns the new key, which is shown only in this response."""
    tenant_id, _ = await managed_brokerage(context, new.brokerage_id)
    secret = new_key()

    def body(key: ApiKey) -> bytes:
        return encoded(shown(key) | {"key": secret})

    remember = await once(context, body, tenant_id=tenant_id)
    command = IssueApiKey(tenant_id=tenant_id, name=new.name, rate_limit=new.rate_limit, expires_at=new.expires_at)
    key, appended = await issue_api_key_once(
        context.app.store, command, secret, origin(context.request, context.caller), remember
    )
    return answered(context, key, body, appended, 201)


async def delete_api_key(context: Context, key_id: UUID, of: OfBrokerage) -> Response:
    """Revokes the key. It is refused from the next request on. Revoking it again has no further effect."""
    tenant_id, _ = await managed_brokerage(context, of.brokerage_id)
    key = await revoke_api_key(context.app.store, tenant_id, key_id, origin(context.request, context.caller))
    of_key = {"tenant": tenant_id, "key": key_id}
    ((used_at,),) = await context.app.database.tenant_rows(tenant_id, api_keys.USED, of_key)
    return answered(context, key, lambda revoked: encoded(shown(revoked, used_at)))


every = partial(Endpoint, path=PATH, access=STAFF, dialect="leads", refusals=(400, 403, 404))
one = partial(every, path=PATH + "/{id}", id=Id(NO_KEY))

ENDPOINTS = (
    every(
        method="GET",
        run=get_api_keys,
        summary="List API keys",
        query=BrokeragePage,
        answers=NumberedPage[ApiKeyResponse],
    ),
    every(
        method="POST",
        run=post_api_key,
        summary="Create an API key",
        body=ApiKeyCreate,
        answers=KeyCreated,
        status=201,
    ),
    one(
        method="GET",
        run=get_api_key,
        summary="Get an API key",
        query=OfBrokerageAsOf,
        answers=ApiKeyResponse,
        own_clock=True,
    ),
    one(
        method="GET",
        path=PATH + "/{id}/history",
        run=get_api_key_history,
        summary="Get an API key's history",
        query=OfBrokerageAsOf,
        answers=list[StaffEventResponse],
        own_clock=True,
    ),
    one(
        method="DELETE",
        run=delete_api_key,
        summary="Revoke an API key",
        query=OfBrokerage,
        answers=ApiKeyResponse,
    ),
)
