"""``/api/v1/admin/agents``: the profiles by which leads are routed. Agents see their own, other staff all."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from aureum.commands.clock import on_clock
from aureum.commands.users import NO_USER, ChangeUser, change_user
from aureum.domain.errors import NotAllowed, NotFound
from aureum.domain.profile import OWN
from aureum.domain.user import User
from aureum.http.access import named_brokerage
from aureum.http.access.callers import origin
from aureum.http.access.roles import check_changing, check_leader
from aureum.http.api.routing.agent_fields import AgentResponse, AgentUpdate, ProfileRow, changes, document
from aureum.http.api.staff.scope import in_brokerage, is_platform_admin
from aureum.http.contract.answers import encoded
from aureum.http.contract.endpoint import STAFF, Context, Endpoint, Id
from aureum.http.contract.numbered_pages import FoundPage, Numbered, NumberedPage, paged
from aureum.http.contract.resource import NOT_YET, AsOf, answered, expected_versions, unless_known
from aureum.projections import users

PATH = "/api/v1/admin/agents"

NO_AGENT = NO_USER
OWN_ONLY = "Agents may change their own bio, languages, away_from and away_to. Ask a broker to change the rest."


class AgentPage(Numbered):
    """Which part of the list, and of which brokerage."""

    brokerage_id: Annotated[
        named_brokerage.InQuery | None,
        Field(description="For platform admins only: the brokerage. Default: their own. Ignored for all other users."),
    ] = None


def agent_body(agent: User) -> bytes:
    """An agent in the same words as the list."""
    return encoded(document(agent))


async def get_agents(context: Context, part: AgentPage) -> Response:
    """Lists the profiles of the brokerage's staff by name, including disabled users. Agents get only their own
    profile."""
    context = await in_brokerage(context, part.brokerage_id, "list agents")
    of = {
        "tenant": context.tenant_id,
        "user": context.caller.visible_to,
        "limit": part.page_size,
        "skipped": part.skipped,
    }

    async def read() -> FoundPage:
        found, ((total,),) = await context.app.database.tenant_results(
            context.tenant_id, [(users.PROFILES, of), (users.PROFILES_COUNT, of)]
        )
        return FoundPage(",".join(encoded(document(ProfileRow(*row))).decode() for row in found), total)

    return await paged(context, part, (PATH, context.tenant_id, context.caller.head, context.caller.view), read)


async def get_agent(context: Context, number: int, as_of: AsOf) -> Response:
    """Returns the agent's profile, or its state at ``asOf``."""
    tenant_id, row = await agent_of(context, number)
    if as_of.as_of is None:
        return unless_known(context, encoded(document(row)), row.stream_version)
    (at,) = await on_clock(context.app.database, tenant_id, as_of.as_of)
    agent = (await context.app.store.load(tenant_id, row.user_id)).aggregate(at)
    if agent is None:
        raise NotFound(NOT_YET)
    return unless_known(context, agent_body(agent), agent.version)


async def patch_agent(context: Context, number: int, change: AgentUpdate) -> Response:
    """Changes the fields that are sent, and returns the profile. Brokers and owners may change all fields. Agents may
    change their own ``bio``, ``languages``, ``away_from`` and ``away_to``. Send ``If-Match`` with the ETag to avoid
    overwriting someone else's change."""
    tenant_id, row = await agent_of(context, number)
    sent: dict[str, Any] = change.model_dump(exclude_unset=True)
    if sent.keys() - set(OWN):
        if context.caller.role == "agent":
            raise NotAllowed(OWN_ONLY)
        check_leader(context.caller.role)
    dates = [name for name in ("away_from", "away_to") if sent.get(name) is not None]
    moments = await on_clock(context.app.database, tenant_id, *(sent[name] for name in dates))
    command = ChangeUser(
        tenant_id=tenant_id,
        user_id=row.user_id,
        profile=changes(sent | dict(zip(dates, moments, strict=True))),
        expected_versions=expected_versions(context.request),
    )
    agent = await change_user(
        context.app.store,
        command,
        origin(context.request, context.caller),
        check=partial(check_changing, context.caller.role),
    )
    return answered(context, agent, agent_body)


async def agent_of(context: Context, number: int) -> tuple[UUID, ProfileRow]:
    """The tenant and the profile of the agent with this number, if the caller may see it. Raises NotFound."""
    for tenant_id, user_id in await context.app.database.rows(users.DIRECTORY, {"number": number}):
        own = tenant_id == context.tenant_id and context.caller.visible_to in (None, user_id)
        if own or is_platform_admin(context):
            of = {"tenant": tenant_id, "user": user_id, "limit": 1, "skipped": 0}
            (row,) = await context.app.database.tenant_rows(tenant_id, users.PROFILES, of)
            return tenant_id, ProfileRow(*row)
    raise NotFound(NO_AGENT)


every = partial(Endpoint, path=PATH, access=STAFF, dialect="leads", refusals=(400, 404))
one = partial(every, path=PATH + "/{id}", id=Id(NO_AGENT, number=True), answers=AgentResponse, own_clock=True)

ENDPOINTS = (
    every(method="GET", run=get_agents, summary="List agents", query=AgentPage, answers=NumberedPage[AgentResponse]),
    one(method="GET", run=get_agent, summary="Get an agent", query=AsOf, refusals=()),
    one(method="PATCH", run=patch_agent, summary="Change an agent", body=AgentUpdate, refusals=(400, 403, 409)),
)
