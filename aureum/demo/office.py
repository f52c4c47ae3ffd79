"""The rest of the demo brokerage: its properties, tasks, tours and newsletter subscribers.

Each thing is made under an idempotency key of its own, so that an interrupted demo goes on where it stopped.
"""

import hashlib
from datetime import timedelta
from uuid import UUID

from aureum.commands.leads import convert_lead
from aureum.commands.newsletter import Subscribe, subscribe
from aureum.commands.properties import EnterProperty, enter_property
from aureum.commands.tasks import CreateTask, create_task
from aureum.commands.tours import RequestTour, request_tour
from aureum.demo.data import PROPERTIES, SUBSCRIBERS, TASKS, TOURS
from aureum.domain import ids
from aureum.domain.lead import Lead
from aureum.domain.property import PropertyFields
from aureum.domain.task import TaskFields
from aureum.store.event_store import EventStore, Idempotency
from aureum.store.metadata import VISITOR, Actor, Origin

ORIGIN = Origin(Actor("system", "demo"))
DAY = timedelta(days=1)


def once(tenant_id: UUID, what: str) -> Idempotency:
    """That two runs do not both make *what*."""
    key = hashlib.sha256(b"aureum demo " + tenant_id.bytes + what.encode()).digest()
    return Idempotency(key, key, lambda made: b"")


async def make_office(store: EventStore, tenant_id: UUID, leads: list[Lead], agents: list[UUID]) -> None:
    """What is missing of it. *leads* are the demo's, *agents* those who take leads."""
    for lead in leads:
        if lead.status == "converted" and lead.contact_id is None:
            actor = ORIGIN.actor if lead.assigned_to is None else Actor("user", ids.to_wire(lead.assigned_to))
            await convert_lead(store, tenant_id, lead.id, Origin(actor))
    for number, (title, address, city, price, rooms, kind, status, mls_id) in enumerate(PROPERTIES):
        bedrooms, bathrooms, sqft = rooms
        fields = PropertyFields(
            title=title,
            address=address,
            city=city,
            state="ID",
            zip_code="83702",
            price=price,
            bedrooms=bedrooms,
            bathrooms=bathrooms,
            sqft=sqft,
            property_type=kind,
            status=status,
            is_featured=number < 2,
            description=None,
            mls=None,
            mls_id=mls_id,
            time_zone=None,
            created_by=None,
        )
        command = EnterProperty(tenant_id=tenant_id, fields=fields)
        await enter_property(store, command, ORIGIN, idempotency=once(tenant_id, f"property {mls_id}"))
    await make_tasks(store, tenant_id, leads, agents)
    await make_tours(store, tenant_id, agents)
    for email, first_name, interests in SUBSCRIBERS:
        reader = Subscribe(tenant_id=tenant_id, email=email, first_name=first_name, interests=interests)
        await subscribe(store, reader, Origin(VISITOR), idempotency=once(tenant_id, f"subscriber {email}"))


async def make_tasks(store: EventStore, tenant_id: UUID, leads: list[Lead], agents: list[UUID]) -> None:
    """For the newest leads, due in the next days."""
    for number, (title, kind, priority, status) in enumerate(TASKS):
        lead = leads[-1 - number]
        fields = TaskFields(
            title=title.format(name=f"{lead.first_name} {lead.last_name}"),
            type=kind,
            priority=priority,
            status=status,
            due_date=ids.aureum_time(ids.now() + (number - 1) * DAY),
            description=None,
            assigned_to=lead.assigned_to or agents[number % len(agents)],
            lead_id=lead.id,
            contact_id=None,
            property_id=None,
            created_by=None,
        )
        command = CreateTask(tenant_id=tenant_id, fields=fields)
        await create_task(store, command, ORIGIN, idempotency=once(tenant_id, f"task {number}"))


async def make_tours(store: EventStore, tenant_id: UUID, agents: list[UUID]) -> None:
    """Of the properties, in the next days; some have a time already."""
    for number, (name, status, hour, words) in enumerate(TOURS):
        day = (ids.now() + (number + 2) * DAY).date().isoformat()
        command = RequestTour(
            tenant_id=tenant_id,
            country="US",
            listing_id=PROPERTIES[number % len(PROPERTIES)][-1],
            name=name,
            email=f"{name.replace(' ', '.').lower()}@example.com",
            phone=f"208-555-{200 + number:04d}",
            message=None,
            preferred_date=day,
            preferred_time=words,
            starts_at=f"{day}T{hour}" if hour else None,
            status=status,
            assigned_to=agents[number % len(agents)],
            source="website",
            source_domain="localhost",
        )
        await request_tour(store, command, Origin(VISITOR), idempotency=once(tenant_id, f"tour {number}"))
