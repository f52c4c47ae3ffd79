"""Leads: captured from a form, by a program or by staff, then worked on, and converted into contacts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from aureum.commands.changes import change
from aureum.commands.enquiries import said_of_lead
from aureum.commands.references import check_user
from aureum.commands.routed import NOWHERE, Route, Team, cleared, naming, routed, routed_and_told, team_of
from aureum.domain import ids
from aureum.domain.contact import Contact
from aureum.domain.errors import NotFound
from aureum.domain.lead import Lead, LeadFields
from aureum.domain.phones import e164
from aureum.domain.routing.eligible import why_out
from aureum.store.event_store import NO_STREAM, Appended, EventStore, Idempotency
from aureum.store.guards import Guard
from aureum.store.metadata import Origin

NUMBERS = "SELECT nextval('lead_numbers')"
"""Takes a block of the platform-wide integers of leads: ``EventStore.number_of``."""

NO_LEAD = "There is no such lead."


@dataclass(kw_only=True, slots=True)
class CaptureLead:
    """A new lead. ``suspect``: sent by a program, as it seems. ``route``: it is to find an agent, though it is no form
    of the brokerage's pages."""

    tenant_id: UUID
    country: str
    fields: LeadFields
    status: str = "new"
    assigned_to: UUID | None = None
    created_by: UUID | None = None
    suspect: bool = False
    route: bool = False
    at: datetime | None = None


async def capture_lead(
    store: EventStore,
    command: CaptureLead,
    origin: Origin,
    *,
    team: Team | None = None,
    idempotency: Idempotency | None = None,
    guards: Sequence[Guard] = (),
) -> tuple[Lead, Appended]:
    """The lead as it was captured; *guards* are what must hold besides. A form with its *team*, and what is to be
    routed, finds an agent, unless it is assigned already, or suspect. Of a form the lead is as it is known before the
    append, but for the agent.

    Raises Invalid, and what ``EventStore.append`` raises.
    """
    await check_user(store, command.tenant_id, command.assigned_to)
    at = command.at or ids.now()
    lead_id, number = ids.new_id(command.at), await store.number_of(NUMBERS)

    async def append(route: Route) -> tuple[Lead, Appended]:
        lead = new_lead(command, lead_id, at, number, route)
        appended = await store.append(
            command.tenant_id,
            lead,
            NO_STREAM,
            command="CaptureLead",
            origin=origin,
            idempotency=naming(idempotency) if command.route else idempotency,
            guards=(*guards, *route.guards),
        )
        if route.turn is not None:
            lead.assigned_to = lead.routed_to = appended.chosen
        return lead, appended

    if command.assigned_to is not None or command.suspect:
        return await append(NOWHERE)
    if command.route:
        return await routed_and_told(store, command.tenant_id, said_of_lead(command.fields), lead_id, append)
    if team is None:
        return await append(NOWHERE)
    return await routed(store, command.tenant_id, team, said_of_lead(command.fields), lead_id, at, append)


def new_lead(command: CaptureLead, lead_id: UUID, at: datetime, number: int, route: Route = NOWHERE) -> Lead:
    """The lead, not appended yet. Raises Invalid."""
    return Lead.capture(
        lead_id,
        at,
        command.fields,
        number=number,
        phone_e164=e164(command.fields.phone, command.country),
        status=command.status,
        assigned_to=command.assigned_to or route.assigned_to,
        routing=route.routing,
        because=route.because,
        contact_id=None,
        created_by=command.created_by,
        suspect=command.suspect,
    )


class ChangeLead(BaseModel):
    """Move a lead in the pipeline, assign it, correct its details; only what is set changes.

    ``details`` are by the names of ``lead_events.DETAILS``, ``lost`` by those of ``lead.LOST``. ``clear``: it is no
    suspect. ``visible_to`` is the agent who asks, ``expected_versions`` the caller's If-Match.
    """

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    country: str
    lead_id: UUID
    status: str | None = None
    lost: dict[str, str | None] = {}
    assign: bool = False
    assigned_to: UUID | None = None
    details: dict[str, str | None] = {}
    clear: bool = False
    visible_to: UUID | None = None
    expected_versions: frozenset[int] | None = None
    at: datetime | None = None


async def change_lead(store: EventStore, command: ChangeLead, origin: Origin) -> Lead:
    """The lead as it is afterwards; what holds already records nothing.

    Raises NotFound, StaleVersion, Invalid, Conflict, and what ``EventStore.append`` raises.
    """
    if command.assign:
        await check_user(store, command.tenant_id, command.assigned_to)
    details = dict(command.details)
    if "phone" in details:
        details["phone_e164"] = e164(details["phone"], command.country)

    async def once(route: Route) -> tuple[Lead, Appended]:
        return await change(
            store,
            command.tenant_id,
            command.lead_id,
            Lead,
            partial(decide, route),
            command="ChangeLead",
            origin=origin,
            missing=NO_LEAD,
            at=command.at,
            visible_to=command.visible_to,
            expected_versions=command.expected_versions,
            guards=route.guards,
        )

    def decide(route: Route, lead: Lead, at: datetime) -> None:
        # First: what is suspected may not be worked on.
        if command.clear:
            lead.clear(at, route.assigned_to, route.routing, route.because)
        if command.status is not None:
            lead.change_status(command.status, at)
        if command.lost:
            lead.give_lost_reason(command.lost, at)
        if command.assign:
            lead.assign(command.assigned_to, at)
        if details:
            lead.change_details(details, at)

    # The user who clears a form may assign it in the same step.
    route_it = command.clear and not command.assign
    lead, _ = await (
        cleared(store, command.tenant_id, command.lead_id, Lead, said_of_lead, once) if route_it else once(NOWHERE)
    )
    return lead


async def clear_lead(
    store: EventStore,
    tenant_id: UUID,
    lead_id: UUID,
    origin: Origin,
    *,
    visible_to: UUID | None = None,
    idempotency: Idempotency | None = None,
) -> tuple[Lead, Appended]:
    """The lead, no longer suspected: it counts and is routed. What is no suspect stays as it is.

    Raises NotFound, Conflict, and what ``EventStore.append`` raises.
    """

    async def append(route: Route) -> tuple[Lead, Appended]:
        return await change(
            store,
            tenant_id,
            lead_id,
            Lead,
            lambda lead, at: lead.clear(at, route.assigned_to, route.routing, route.because),
            command="ClearLead",
            origin=origin,
            missing=NO_LEAD,
            visible_to=visible_to,
            idempotency=naming(idempotency),
            guards=route.guards,
        )

    return await cleared(store, tenant_id, lead_id, Lead, said_of_lead, append)


async def claim_lead(
    store: EventStore,
    tenant_id: UUID,
    lead_id: UUID,
    agent: UUID,
    origin: Origin,
    *,
    idempotency: Idempotency | None = None,
) -> tuple[Lead, Appended]:
    """The lead, which *agent* has from now on; the first one gets it. What is suspected is not there.

    Raises NotFound, WrongState, Conflict, and what ``EventStore.append`` raises.
    """
    team = await team_of(store, tenant_id)

    def decide(lead: Lead, at: datetime) -> None:
        if lead.suspect:
            raise NotFound(NO_LEAD)
        group = ((lead.routing or {}).get("rule") or {}).get("group")
        # Brokers and owners may assign any lead to themselves.
        own = next((one for one in team.agents if one.user_id == agent and one.role == "agent"), None)
        lead.claim(agent, at, team.members(group), None if own is None else why_out(own, at, frozenset()))

    return await change(
        store,
        tenant_id,
        lead_id,
        Lead,
        decide,
        command="ClaimLead",
        origin=origin,
        missing=NO_LEAD,
        idempotency=idempotency,
    )


async def convert_lead(
    store: EventStore,
    tenant_id: UUID,
    lead_id: UUID,
    origin: Origin,
    *,
    visible_to: UUID | None = None,
    created_by: UUID | None = None,
    idempotency: Idempotency | None = None,
) -> tuple[Lead, Appended]:
    """The lead at ``converted`` with the contact that was made of it, both in one append; the contact only once.

    Raises NotFound, Conflict, and what ``EventStore.append`` raises.
    """
    contact_id = ids.new_id()

    def decide(lead: Lead, at: datetime) -> Contact | None:
        if not lead.convert(contact_id, at):
            return None
        return Contact.add(
            contact_id,
            at,
            first_name=lead.first_name,
            last_name=lead.last_name,
            email=lead.email,
            phone=lead.phone,
            phone_e164=lead.phone_e164,
            lead_id=lead.id,
            created_by=created_by,
        )

    return await change(
        store,
        tenant_id,
        lead_id,
        Lead,
        decide,
        command="ConvertLead",
        origin=origin,
        missing=NO_LEAD,
        visible_to=visible_to,
        idempotency=idempotency,
    )
