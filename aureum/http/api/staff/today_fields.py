"""What Today shows: of leads, tasks and showings the same as the Aureum API shows."""

from typing import Annotated

from pydantic import Field

from aureum.http.api.leads.lead_fields import LeadResponse
from aureum.http.api.tasks.task_fields import TaskResponse
from aureum.http.api.tours.tour_fields import ShowingResponse
from aureum.http.wire.shapes import LeadsTimestamp, Shape, Wire

Count = Annotated[int, Field(ge=0)]


class WaitingLead(Shape):
    """A lead that waits for an answer."""

    number: Annotated[int, Field(description="The lead's number, by which the staff endpoints know it.")]
    due_at: Annotated[
        LeadsTimestamp | None,
        Field(description="When its time is over and it goes on to another agent. `null` if no rule sets a time."),
    ]
    overdue: Annotated[bool, Field(description="Whether that time is over.")]
    pond: Annotated[bool, Field(description="Whether it waits in the pond, or is offered to a group of agents.")]
    lead: LeadResponse


class UnansweredResponse(Shape):
    """Leads that had no contact yet: overdue ones first, then those with a deadline, then the newest."""

    total: Count
    items: list[WaitingLead]


class PondToday(Shape):
    """The newest leads of the pond."""

    total: Count
    items: list[WaitingLead]


class TaskPerson(Shape):
    """The person whom a task is about."""

    name: str
    phone: str | None


class DueTask(Shape):
    """A task that is due today, or overdue."""

    overdue: bool
    person: Annotated[TaskPerson | None, Field(description="Of the lead that the task is about.")]
    task: TaskResponse


class DueTasksResponse(Shape):
    """The earliest first."""

    overdue: Annotated[Count, Field(description="How many tasks are overdue.")]
    later_today: Annotated[Count, Field(description="How many are due later today.")]
    items: list[DueTask]


class ShowingsTodayResponse(Shape):
    """Today's showings by their time; those without a time last."""

    total: Count
    items: list[ShowingResponse]


class WaitingClient(Shape):
    """A client whose messages staff have not read."""

    contact_id: Annotated[Wire, Field(description="The contact.")]
    name: str
    unread: Annotated[Count, Field(description="How many messages were not read.")]
    at: Annotated[LeadsTimestamp, Field(description="When the last one was written.")]


class MessagesToday(Shape):
    """Clients who wait for an answer, the latest first."""

    total: Count
    items: list[WaitingClient]


class ChangesResponse(Shape):
    """What happened since the last working hours."""

    since: LeadsTimestamp
    leads: Annotated[Count, Field(description="New leads.")]
    statuses: Annotated[dict[str, Count], Field(description="How often leads changed to each status.")]
    activities: Annotated[dict[str, Count], Field(description="Notes, calls, emails and visits that were logged.")]
    showings: Annotated[Count, Field(description="Showings that were requested.")]


class AgentToday(Shape):
    """One agent's work."""

    agent: Annotated[int, Field(description="The user's number.")]
    id: Annotated[Wire, Field(description="The user's id in the Aureum API.")]
    name: str
    unanswered: Count
    overdue_tasks: Count
    showings: Count


class AssignableUser(Shape):
    """A user to whom leads can be assigned."""

    id: Annotated[Wire, Field(description="The user's id in the Aureum API.")]
    name: str


class TodayResponse(Shape):
    """What there is to do today."""

    time_zone: Annotated[str, Field(description="The brokerage's zone, in which the day is reckoned.")]
    behind: Annotated[
        Count,
        Field(description="How many events the counts lack. Only after an upgrade or an import it is not 0."),
    ]
    unanswered: UnansweredResponse
    pond: PondToday
    tasks: DueTasksResponse
    showings: ShowingsTodayResponse
    messages: Annotated[MessagesToday, Field(description="Clients whose messages were not read.")]
    changes: ChangesResponse
    users: Annotated[
        list[AssignableUser] | None, Field(description="To whom leads can be assigned. `null` for an agent.")
    ]
    agents: Annotated[list[AgentToday] | None, Field(description="By agent. `null` for an agent.")]
