"""A lead's history on the admin's side: as in the Aureum API, in the names of this dialect, and with the notes."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from aureum.domain.ids import leads_time
from aureum.domain.lead import Lead
from aureum.http.api.staff.lead_routing import offer_of, routing_of
from aureum.http.contract.history import entry, unseen
from aureum.projections import activity_list, admin_leads, lead_list
from aureum.projections.changes import changes
from aureum.store.event_store import Stream

NOT_CHANGES = frozenset(("id", "brokerage_id", "created_at", "updated_at"))


ROUTING = (Lead.Captured, Lead.Cleared, Lead.PassedOn)
ASSIGNING = (*ROUTING, Lead.Assigned)


def named_in(stream: Stream) -> set[UUID]:
    """All users that the lead was ever assigned to, or who logged something."""
    events = [recorded.event for recorded in stream.events]
    users = [event.assigned_to for event in events if isinstance(event, ASSIGNING)]
    users += [event.logged_by for event in events if isinstance(event, Lead.ActivityLogged)]
    return {user for user in users if user is not None}


def routings_in(stream: Stream) -> list[dict[str, Any]]:
    """How the lead was routed, each time, as the read model keeps it."""
    events = (recorded.event for recorded in stream.events)
    return [lead_list.routed(event) for event in events if isinstance(event, ROUTING)]


def history_of(stream: Stream, agents: Mapping[UUID, int], *, brief: bool) -> list[dict[str, Any]]:
    """The entries of a lead's stream, oldest first; *agents* are the numbers of those whom it names. *brief* is for
    agents."""
    entries = []
    row: dict[str, Any] | None = None
    before: dict[str, Any] = {}
    for recorded in stream.events:
        row = lead_list.step(row, recorded.event)
        assert row is not None, "a lead's stream begins with lead.captured"
        routing = routing_of(row["details"], agents, brief=brief, whole=True)
        detail = admin_leads.detail(row, 0, agents.get(row["assigned_to"]), routing, offer_of(row, agents))
        after = {name: value for name, value in detail.items() if name not in NOT_CHANGES}
        told = changes(before, after) or happened(recorded.event, agents) or unseen(recorded.event, "phone_e164")
        entries.append(entry(recorded, told) | {"at": leads_time(recorded.event.timestamp)})
        before = after
    return entries


def happened(event: Any, agents: Mapping[UUID, int]) -> activity_list.Change:
    """The change of the activities by *event*, in the names of this dialect."""
    return {
        name: {side: activity(said, agents.get(event.logged_by)) for side, said in change.items()}
        for name, change in activity_list.changes(event).items()
    }


def activity(said: Any, agent: int | None) -> Any:
    """An activity as an event has it. For an erased person it is a placeholder."""
    if not isinstance(said, Mapping):
        return said
    shown = {name: value for name, value in said.items() if name != "createdById"}
    return shown | {"at": admin_leads.in_seconds(said["at"]), "created_by_id": agent}
