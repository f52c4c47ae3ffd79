"""A rehearsal on the wire: what may be asked for, how it is shown, and lead by lead as JSON and CSV."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from aureum.domain.ids import leads_time, to_wire
from aureum.domain.routing.rehearsal import Rehearsal, from_json
from aureum.domain.routing.settings import from_json as settings_from_json
from aureum.http.api.routing.setting_fields import EXAMPLE, RoutingResponse, RoutingUpdate, document
from aureum.http.contract.numbered_pages import NumberedPage
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import LeadsTimestamp, Shape, Wire
from aureum.http.wire.times import Time
from aureum.projections.routing_rehearsals import LEAD
from aureum.projections.webhook_replays import progress

DAYS = 30
NEWEST = 50


class RehearsalCreate(Body):
    """The settings to rehearse, and since when."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {"settings": EXAMPLE, "since": "2026-11-01T00:00:00Z"}}
    )

    settings: Annotated[
        RoutingUpdate | None,
        Field(description="The settings to try, as `PUT /api/v1/admin/routing` takes them. Default: those of now."),
    ] = None
    since: Annotated[
        Time | None, Field(description=f"The leads since this moment are routed again. Default: {DAYS} days ago.")
    ] = None


class ShiftResponse(Shape):
    """What an agent had, and would have had."""

    agent: Annotated[int, Field(description="The number of the agent.")]
    name: str
    had: Annotated[int, Field(ge=0, description="How many leads and tours routing gave to the agent.")]
    would_have: Annotated[int, Field(ge=0, description="How many the agent would have got.")]


class PondResponse(Shape):
    """The same of the pond."""

    had: Annotated[int, Field(ge=0, description="How many leads and tours found no agent.")]
    would_have: Annotated[int, Field(ge=0, description="How many would have found none.")]


class RehearsalResponse(Shape):
    """A rehearsal. While it is running, its counts are of what it has come to."""

    id: Wire
    status: Literal["running", "completed", "failed", "cancelled"]
    progress: Annotated[float, Field(ge=0, le=1, description="How much of the log has been read, from 0 to 1.")]
    since: LeadsTimestamp
    settings: Annotated[RoutingResponse, Field(description="The settings that are rehearsed.")]
    leads: Annotated[int, Field(ge=0, description="How many leads and tours were routed since then.")]
    moved: Annotated[int, Field(ge=0, description="How many of them would have gone to another agent, or to the pond.")]
    erased: Annotated[
        int,
        Field(
            ge=0,
            description="How many of them are of erased persons. They stay with their agent, and are not in the load.",
        ),
    ]
    agents: Annotated[list[ShiftResponse], Field(description="The load of each agent, the largest first.")]
    pond: PondResponse
    requested_at: LeadsTimestamp
    ended_at: LeadsTimestamp | None


class RehearsalsResponse(Shape):
    """The newest rehearsals."""

    rehearsals: Annotated[list[RehearsalResponse], Field(description=f"The {NEWEST} newest rehearsals, newest first.")]


class RehearsedResponse(Shape):
    """A lead or a tour, and who would have got it."""

    lead_id: Annotated[int | None, Field(description="The number of the lead; `null` for a tour.")]
    tour_id: Annotated[int | None, Field(description="The number of the tour; `null` for a lead.")]
    routed_at: LeadsTimestamp
    had: Annotated[int | None, Field(description="The agent to whom it was routed; `null`: the pond.")]
    would_have: Annotated[int | None, Field(description="The agent who would have got it; `null`: the pond.")]
    moved: bool
    erased: Annotated[bool, Field(description="Whether the person was erased: it cannot be routed again.")]
    rule: Annotated[int | None, Field(description="The number of the rule that would have decided.")]
    reason: Annotated[str | None, Field(description="Why; `null` if the person was erased.")]


class RehearsedPage(NumberedPage[RehearsedResponse]):
    """One page of a rehearsal's leads. A page beyond the last has no items."""


Staff = Mapping[UUID, tuple[int, str]]
"""The brokerage's users: their numbers and names."""


def rehearsal_document(row: Mapping[str, Any], staff: Staff) -> dict[str, Any]:
    """A rehearsal, of a row with ``NAMES`` of its read model."""
    done = Rehearsal() if row["rehearsal"] is None else from_json(row["rehearsal"])
    numbers = {user_id: number for user_id, (number, _) in staff.items()}
    return {
        "id": to_wire(row["rehearsal_id"]),
        "status": row["state"],
        "progress": progress(row["state"], row["since"], row["until"], row["cursor"]),
        "since": leads_time(row["since_time"]),
        "settings": document(settings_from_json(row["settings"]), numbers),
        **shift_document(done, staff),
        "requested_at": leads_time(row["requested_at"]),
        "ended_at": None if row["ended_at"] is None else leads_time(row["ended_at"]),
    }


def shift_document(done: Rehearsal, staff: Staff) -> dict[str, Any]:
    """What has come of a rehearsal, without the single leads."""
    had, would = done.shift.get(None, (0, 0))
    load = [
        {"agent": number, "name": name, "had": before, "would_have": after}
        for user_id, (before, after) in done.shift.items()
        if user_id is not None
        for number, name in [staff[user_id]]
    ]
    return {
        "leads": done.leads,
        "moved": done.moved,
        "erased": done.erased,
        "agents": sorted(load, key=lambda one: (-one["would_have"], -one["had"], one["agent"])),
        "pond": {"had": had, "would_have": would},
    }


def lead_document(row: Sequence[Any], staff: Staff) -> dict[str, Any]:
    """One lead of it, of a row with ``LEAD``."""
    one = dict(zip(LEAD, row, strict=True))
    had, would = (None if agent is None else staff[agent][0] for agent in (one["had"], one["would"]))
    return {
        "lead_id": one["number"] if one["kind"] == "lead" else None,
        "tour_id": one["number"] if one["kind"] == "tour" else None,
        "routed_at": leads_time(one["at"]),
        "had": had,
        "would_have": would,
        "moved": one["had"] != one["would"],
        "erased": one["erased"],
        "rule": one["rule"],
        "reason": one["reason"],
    }


CSV = (
    "kind", "id", "routed_at", "had", "had_name", "would_have", "would_have_name", "moved", "erased", "rule", "reason",
)  # fmt: skip

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would calculate."""


def csv_head() -> str:
    """The names of the columns."""
    return csv_lines([CSV])


def csv_of(rows: Iterable[Sequence[Any]], staff: Staff) -> str:
    """Leads as lines of CSV, of rows with ``LEAD``."""
    return csv_lines(csv_row(dict(zip(LEAD, row, strict=True)), staff) for row in rows)


def csv_row(one: Mapping[str, Any], staff: Staff) -> Sequence[Any]:
    """One line."""
    agents = [(None, None) if agent is None else staff[agent] for agent in (one["had"], one["would"])]
    (had, had_name), (would, would_name) = agents
    moved = one["had"] != one["would"]
    about = (one["kind"], one["number"], leads_time(one["at"]), had, had_name, would, would_name)
    return (*about, moved, one["erased"], one["rule"], one["reason"])


def csv_lines(rows: Iterable[Sequence[Any]]) -> str:
    """*rows* as CSV; no cell is a formula."""
    text = io.StringIO()
    csv.writer(text).writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()


def cell(value: Any) -> Any:
    """A value as it stands in a cell."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
