"""Leads: captured from a form or by a program, then worked on."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from aureum.commands.conflicts import deciding_again
from aureum.domain import ids
from aureum.domain.errors import Invalid, NotFound, StaleVersion
from aureum.domain.lead import Lead
from aureum.domain.phones import e164
from aureum.domain.routing import Agent, route
from aureum.projections import users
from aureum.store.event_store import NO_STREAM, Appended, EventStore, Form, Idempotency
from aureum.store.metadata import Origin


class CaptureLead(BaseModel):
    """Somebody showed interest. With ``agents`` the lead is routed to one of them, unless it is assigned already."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    country: str
    first_name: str
    last_name: str
    email: str | None = None
    phone: str | None = None
    subject: str | None = None
    message: str | None = None
    notes: str | None = None
    source: str
    source_domain: str | None = None
    source_page: str | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    status: str = "new"
    assigned_to: UUID | None = None
    at: datetime | None = None


async def capture_lead(
    store: EventStore,
    command: CaptureLead,
    origin: Origin,
    *,
    agents: tuple[Agent, ...] = (),
    idempotency: Idempotency | None = None,
    form: Form | None = None,
) -> tuple[Lead, Appended]:
    """The lead as it was captured; *form* says which public form it comes from.

    Raises Invalid, and what ``EventStore.append`` raises.
    """
    await check_agent(store, command.tenant_id, command.assigned_to)
    at = command.at or ids.now()
    lead_id = ids.new_id(command.at)
    assigned_to, routing = command.assigned_to, None
    if assigned_to is None and agents:
        about = f"{command.subject or ''} {command.message or ''} {command.source_page or ''}"
        assigned_to, routing = route(lead_id, about, agents)
    lead = Lead.capture(
        lead_id,
        at,
        number=await store.lead_number(),
        first_name=command.first_name,
        last_name=command.last_name,
        email=command.email,
        phone=command.phone,
        phone_e164=e164(command.phone, command.country),
        subject=command.subject,
        message=command.message,
        notes=command.notes,
        source=command.source,
        source_domain=command.source_domain,
        source_page=command.source_page,
        utm_source=command.utm_source,
        utm_medium=command.utm_medium,
        utm_campaign=command.utm_campaign,
        status=command.status,
        assigned_to=assigned_to,
        routing=routing,
    )
    appended = await store.append(
        command.tenant_id,
        lead,
        NO_STREAM,
        command="CaptureLead",
        origin=origin,
        idempotency=idempotency,
        form=form,
    )
    return lead, appended


class ChangeLead(BaseModel):
    """Move a lead in the pipeline, give it to somebody, correct its details; only what is set changes.

    ``details`` are by the names of ``aureum.domain.lead.DETAILS``. ``expected_versions`` is the caller's If-Match.
    """

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    country: str
    lead_id: UUID
    status: str | None = None
    assign: bool = False
    assigned_to: UUID | None = None
    details: dict[str, str | None] = {}
    expected_versions: frozenset[int] | None = None
    at: datetime | None = None


async def change_lead(store: EventStore, command: ChangeLead, origin: Origin) -> Lead:
    """The lead as it is afterwards; what holds already records nothing.

    Raises NotFound, StaleVersion, Invalid, Conflict, and what ``EventStore.append`` raises.
    """
    if command.assign:
        await check_agent(store, command.tenant_id, command.assigned_to)
    details = dict(command.details)
    if "phone" in details:
        details["phone_e164"] = e164(details["phone"], command.country)

    async def decide() -> Lead:
        stream = await store.load(command.tenant_id, command.lead_id)
        lead = stream.aggregate()
        if not isinstance(lead, Lead):
            raise NotFound
        if command.expected_versions is not None and lead.version not in command.expected_versions:
            raise StaleVersion
        # Time does not run backwards within a stream, whatever the clocks of two machines say.
        at = max(command.at or ids.now(), lead.modified_on)
        if command.status is not None:
            lead.change_status(command.status, at)
        if command.assign:
            lead.assign(command.assigned_to, at)
        if details:
            lead.change_details(details, at)
        await store.append(command.tenant_id, lead, stream, command="ChangeLead", origin=origin)
        return lead

    return await deciding_again(decide)


async def check_agent(store: EventStore, tenant_id: UUID, user_id: UUID | None) -> None:
    """Raises Invalid unless *user_id* is of this brokerage, or nobody."""
    if user_id is None:
        return
    if not await store.database.tenant_rows(tenant_id, users.ONE, {"tenant": tenant_id, "user": user_id}):
        raise Invalid("assignedToId", "assignedToId must be the id of a user of this brokerage.")
