"""``/api/v1/admin/platform``: what platform admins see of the installation, and whether a log is as it was written."""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field
from starlette.responses import Response

from aureum.background.lag import LAGS
from aureum.domain.ids import PLATFORM, leads_time
from aureum.http.access.roles import check_platform_admin
from aureum.http.api.staff.scope import in_brokerage
from aureum.http.api.staff.user_fields import OfBrokerage
from aureum.http.api.webhooks.webhook_lists import unless_same
from aureum.http.contract.answers import encoded
from aureum.http.contract.endpoint import STAFF, Context, Endpoint
from aureum.http.wire.shapes import LeadsTimestamp, Shape
from aureum.registry import VERSIONED
from aureum.store import chain
from aureum.store.postgres.migrate import of_older_steps

PATH = "/api/v1/admin/platform"

TOTALS = "SELECT (SELECT count(*) FROM brokerages), (SELECT coalesce(sum(position), 0)::int8 FROM heads)"
REBUILT = "SELECT read_model, max(claimed_at) FROM rebuilds GROUP BY read_model"


class FollowerResponse(Shape):
    """What reads the logs behind the appends: webhooks, mail, timers."""

    name: str
    lag: Annotated[int, Field(description="How many events are ahead of it.")]
    oldest_at: Annotated[LeadsTimestamp | None, Field(description="When the oldest of these was recorded.")]


class ReadModelResponse(Shape):
    """Tables that are built from the events."""

    name: str
    step: Annotated[int, Field(description="The version of the code that builds it.")]
    older: Annotated[int, Field(description="Brokerages whose rows an older version has built.")]
    rebuilt_at: LeadsTimestamp | None


class PlatformResponse(Shape):
    """The state of the installation."""

    brokerages: int
    events: Annotated[int, Field(description="The number of events in all logs.")]
    followers: list[FollowerResponse]
    read_models: list[ReadModelResponse]


class LogResponse(Shape):
    """Whether a log is as it was written."""

    ok: bool
    events: Annotated[int, Field(description="How many events were verified.")]
    position: Annotated[int | None, Field(description="Where the log is broken.")]
    problem: Annotated[str | None, Field(description="What is wrong there.")]


async def get_platform(context: Context) -> Response:
    """Returns the number of brokerages and events, the lag of the followers, and which read models are of an older
    version. The same as `aureum projections list`."""
    check_platform_admin(context.caller.role)
    database = context.app.database
    ((brokerages, events),) = await database.rows(TOTALS)
    async with database.connection() as connection:
        older = Counter(name for _, name in await of_older_steps(connection))
    rebuilt = dict(await database.rows(REBUILT))
    shown: dict[str, Any] = {
        "brokerages": brokerages,
        "events": events,
        "followers": [
            {"name": name, "lag": lag, "oldest_at": oldest and leads_time(oldest)}
            for name, lag, oldest in await database.rows(LAGS)
        ],
        "read_models": [
            {
                "name": model.NAME,
                "step": model.STEP_VERSION,
                "older": older[model.NAME],
                "rebuilt_at": rebuilt.get(model.NAME) and leads_time(rebuilt[model.NAME]),
            }
            for model in VERSIONED
        ],
    }
    return unless_same(context, encoded(shown))


async def get_log(context: Context, of: OfBrokerage) -> Response:
    """Recomputes every hash of a brokerage's log, or of the platform's own log. A changed, missing or swapped event is
    reported with its position. A log whose end was cut off is found with signed checkpoints, by `aureum audit
    verify`."""
    check_platform_admin(context.caller.role)
    tenant_id = PLATFORM
    if of.brokerage_id is not None:
        tenant_id = (await in_brokerage(context, of.brokerage_id, "verify a log")).tenant_id

    async def read(query: str, parameters: Mapping[str, Any]) -> list[Any]:
        return await context.app.database.tenant_rows(tenant_id, query, parameters)

    found = await chain.verify_log(read, tenant_id)
    if isinstance(found, chain.Broken):
        shown = {"ok": False, "events": 0, "position": found.position, "problem": found.what}
    else:
        shown = {"ok": True, "events": found.events, "position": None, "problem": None}
    return unless_same(context, encoded(shown))


ENDPOINTS = (
    Endpoint(
        "GET",
        PATH,
        get_platform,
        "Get the state of the installation",
        access=STAFF,
        dialect="leads",
        answers=PlatformResponse,
        refusals=(403,),
    ),
    Endpoint(
        "GET",
        PATH + "/log",
        get_log,
        "Verify a log",
        access=STAFF,
        dialect="leads",
        query=OfBrokerage,
        answers=LogResponse,
        refusals=(400, 403, 404),
    ),
)
