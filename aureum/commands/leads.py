"""Leads: captured from a form, by a program or by staff, then worked on, and converted into contacts."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from aureum.commands.changes import change
from aureum.commands.references import check_user
from aureum.domain import ids
from aureum.domain.contact import Contact
from aureum.domain.lead import Lead, LeadFields
from aureum.domain.phones import e164
from aureum.domain.routing.literal import Agent, agent, route
from aureum.projections import users
from aureum.store.event_store import NO_STREAM, Appended, EventStore, Idempotency
from aureum.store.guards import Guard
from aureum.store.metadata import Origin

NUMBERS = "SELECT nextval('lead_numbers')"
"""Takes a block of the platform-wide integers of leads: ``EventStore.number_of``."""

NO_LEAD = "There is no such lead."


class CaptureLead(BaseModel):
    """A new lead. With ``agents`` the lead is routed to one of them, unless it is assigned already, or
    ``suspect``: sent by a program, as it seems."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    country: str
    fields: LeadFields
    status: str = "new"
    assigned_to: UUID | None = None
    created_by: UUID | None = None
    suspect: bool = False
    at: datetime | None = None


async def capture_lead(
    store: EventStore,
    command: CaptureLead,
    origin: Origin,
    *,
    agents: tuple[Agent, ...] = (),
    idempotency: Idempotency | None = None,
    guards: Sequence[Guard] = (),
) -> tuple[Lead, Appended]:
    """The lead as it was captured; *guards* are what must hold besides.

    Raises Invalid, and what ``EventStore.append`` raises.
    """
    await check_user(store, command.tenant_id, command.assigned_to)
    at = command.at or ids.now()
    lead_id = ids.new_id(command.at)
    assigned_to, routing = command.assigned_to, None
    if assigned_to is None and agents and not command.suspect:
        assigned_to, routing = route(lead_id, said(command.fields), agents)
    lead = Lead.capture(
        lead_id,
        at,
        command.fields,
        number=await store.number_of(NUMBERS),
        phone_e164=e164(command.fields.phone, command.country),
        status=command.status,
        assigned_to=assigned_to,
        routing=routing,
        created_by=command.created_by,
        suspect=command.suspect,
    )
    appended = await store.append(
        command.tenant_id,
        lead,
        NO_STREAM,
        command="CaptureLead",
        origin=origin,
        idempotency=idempotency,
        guards=guards,
    )
    return lead, appended


def said(lead: LeadFields | Lead) -> str:
    """What a visitor wrote, by which an agent is found."""
    return f"{lead.subject or ''} {lead.message or ''} {lead.source_page or ''}"


class ChangeLead(BaseModel):
    """Move a lead in the pipeline, give it to somebody, correct its details; only what is set changes.

    ``details`` are by the names of ``aureum.domain.lead.DETAILS``. ``clear``: it is no suspect. ``visible_to`` is the
    agent who asks, ``expected_versions`` the caller's If-Match.
    """

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    country: str
    lead_id: UUID
    status: str | None = None
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

    agents = await lead_takers(store, command.tenant_id) if command.clear else ()

    def decide(lead: Lead, at: datetime) -> None:
        # First: what is suspected may not be worked on.
        if command.clear:
            lead.clear(at, *route(lead.id, said(lead), agents))
        if command.status is not None:
            lead.change_status(command.status, at)
        if command.assign:
            lead.assign(command.assigned_to, at)
        if details:
            lead.change_details(details, at)

    lead, _ = await change(
        store,
        command.tenant_id,
        command.lead_id,
        Lead,
        decide,
        command="ChangeLead",
        origin=origin,
        missing=NO_LEAD,
        at=command.at,
        visible_to=command.visible_to,
        expected_versions=command.expected_versions,
    )
    return lead


async def lead_takers(store: EventStore, tenant_id: UUID) -> tuple[Agent, ...]:
    """Who takes leads at the moment."""
    rows = await store.database.tenant_rows(tenant_id, users.LEAD_TAKERS, {"tenant": tenant_id})
    return tuple(agent(user_id, specialties) for user_id, _, specialties in rows)


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
    agents = await lead_takers(store, tenant_id)
    return await change(
        store,
        tenant_id,
        lead_id,
        Lead,
        lambda lead, at: lead.clear(at, *route(lead.id, said(lead), agents)),
        command="ClearLead",
        origin=origin,
        missing=NO_LEAD,
        visible_to=visible_to,
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
