"""``/api/v1/admin/signing``: how long a brokerage keeps completed envelopes, and when signers are reminded. For
owners."""

from functools import partial
from typing import Annotated

from pydantic import ConfigDict, Field
from starlette.responses import Response

from aureum.commands.brokerages import ChangeBrokerage, change_brokerage
from aureum.domain.brokerage import LONGEST_REMINDED, MOST_REMINDERS, MOST_YEARS, Brokerage
from aureum.domain.errors import NotFound
from aureum.domain.ids import PLATFORM
from aureum.http.access.callers import origin
from aureum.http.access.roles import check_manager
from aureum.http.api.routing.settings import OfBrokerage
from aureum.http.api.staff.scope import NO_BROKERAGE, in_brokerage
from aureum.http.contract.answers import encoded
from aureum.http.contract.endpoint import STAFF, Context, Endpoint
from aureum.http.contract.resource import answered, expected_versions, unless_known
from aureum.http.wire.nulls import NOT_NULL
from aureum.http.wire.numbers import Whole
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Shape

PATH = "/api/v1/admin/signing"

Years = Annotated[
    int,
    Whole(1, MOST_YEARS),
    Field(description=f"For how many years completed envelopes are kept, 1 to {MOST_YEARS}. Then they are purged."),
]
Days = Annotated[
    list[Annotated[int, Whole(1, LONGEST_REMINDED)]],
    Field(
        max_length=MOST_REMINDERS,
        description="After how many days a signer is reminded, such as `[3, 7]`. An empty list turns reminders off.",
    ),
]


class SigningChange(Body):
    """The settings to change. Those that are left out keep their value. They count for envelopes that are sent, or
    completed, from then on."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {"retain_years": 10, "remind_after_days": [2, 5, 9]}}
    )

    retain_years: Annotated[Years, NOT_NULL]
    remind_after_days: Annotated[Days, NOT_NULL]


class SigningResponse(Shape):
    """How a brokerage has documents signed."""

    retain_years: Years
    remind_after_days: Days


def body(brokerage: Brokerage) -> bytes:
    """The settings in this dialect."""
    return encoded({"retain_years": brokerage.retain_years, "remind_after_days": list(brokerage.remind_after_days)})


async def get_signing(context: Context, of: OfBrokerage) -> Response:
    """Returns the settings of e-signatures."""
    check_manager(context.caller.role)
    context = await in_brokerage(context, of.brokerage_id, "show e-signatures")
    brokerage = (await context.app.store.load(PLATFORM, context.tenant_id)).aggregate()
    if not isinstance(brokerage, Brokerage):
        raise NotFound(NO_BROKERAGE)
    return unless_known(context, body(brokerage), brokerage.version)


async def patch_signing(context: Context, of: OfBrokerage, change: SigningChange) -> Response:
    """Changes the settings that are sent, and returns all. Send ``If-Match`` with the ETag to avoid overwriting someone
    else's change."""
    check_manager(context.caller.role)
    context = await in_brokerage(context, of.brokerage_id, "change e-signatures")
    command = ChangeBrokerage(
        tenant_id=context.tenant_id,
        settings=change.model_dump(exclude_unset=True),
        expected_versions=expected_versions(context.request),
    )
    changed = await change_brokerage(context.app.store, command, origin(context.request, context.caller))
    return answered(context, changed, body)


signing = partial(
    Endpoint,
    path=PATH,
    access=STAFF,
    dialect="leads",
    query=OfBrokerage,
    answers=SigningResponse,
    refusals=(400, 403),
)

ENDPOINTS = (
    signing(method="GET", run=get_signing, summary="Get the settings of e-signatures"),
    signing(method="PATCH", run=patch_signing, summary="Change the settings of e-signatures", body=SigningChange),
)
