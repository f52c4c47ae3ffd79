"""What the reports show."""

from typing import Annotated, Literal

from pydantic import Field

from aureum.http.api.staff.user_fields import OfBrokerage
from aureum.http.api.tours.tour_fields import Day
from aureum.http.wire.shapes import Shape, Wire

Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float | None, Field(description="In seconds. `null` without any.")]


class Period(OfBrokerage):
    """Which leads."""

    begins: Annotated[
        Day | None,
        Field(
            alias="from",
            description="The first day, on the brokerage's clock. Default: 29 days before `to`, or 1970-01-01.",
        ),
    ] = None
    ends: Annotated[Day | None, Field(alias="to", description="The last day. Default: today.")] = None


class DaysResponse(Shape):
    """A period: its first and last day."""

    begins: Annotated[str, Field(alias="from", json_schema_extra={"format": "date"})]
    ends: Annotated[str, Field(alias="to", json_schema_extra={"format": "date"})]


class FiguresResponse(Shape):
    """Leads that were created in a period."""

    leads: Count
    answered: Annotated[Count, Field(description="Leads with a first contact.")]
    unanswered: Annotated[Count, Field(description="Leads that still wait for one.")]
    median_seconds: Annotated[Seconds, Field(description="The median time to the first contact, in seconds.")]
    p90_seconds: Annotated[Seconds, Field(description="The time that nine of ten first contacts took at most.")]
    contacted: Annotated[Count, Field(description="Leads that were ever contacted, or came further.")]
    qualified: Count
    showing: Count
    offer: Count
    converted: Count
    lost: Annotated[Count, Field(description="Leads that are lost now.")]


class OriginFigures(FiguresResponse):
    """By where leads come from: from the public, or entered by staff (`source_domain` is `admin-manual`)."""

    origin: Literal["organic", "staff"]
    leads_before: Count


class AgentFigures(FiguresResponse):
    """By the agent to whom leads are assigned now; `null` is for unassigned leads."""

    agent: Annotated[int | None, Field(description="The user's number.")]
    id: Annotated[Wire | None, Field(description="The user's id in the Aureum API.")]
    name: str | None
    leads_before: Count


class SourceFigures(Shape):
    """By source, with the status that the leads have now."""

    source: str
    leads: Count
    leads_before: Count
    statuses: dict[str, Count]


class StatusFigures(Shape):
    """By the status that the leads have now."""

    status: str
    leads: Count
    leads_before: Count


class StepFigures(DaysResponse):
    """A day, seven days or a month of the period."""

    leads: Count
    sources: dict[str, Count]
    statuses: dict[str, Count]


class ReportsResponse(Shape):
    """Leads that were created in a period, and in as many days before it."""

    time_zone: str
    behind: Annotated[
        Count, Field(description="How many events the counts lack. Only after an upgrade or an import it is not 0.")
    ]
    period: DaysResponse
    before: DaysResponse
    total: FiguresResponse
    total_before: FiguresResponse
    origins: list[OriginFigures]
    sources: list[SourceFigures]
    statuses: list[StatusFigures]
    agents: list[AgentFigures]
    steps: Annotated[list[StepFigures], Field(description="The period in days, in weeks or in months.")]
