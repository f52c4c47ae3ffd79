"""An opened event store and the smallest things to put into it, for tests that need no HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.domain import ids
from aureum.domain.brokerage import Brokerage
from aureum.domain.lead import Lead, LeadFields
from aureum.domain.property import Property, PropertyFields
from aureum.domain.task import Task, TaskFields
from aureum.domain.tour import Tour, TourFields
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import COMMAND_LINE, VISITOR, Origin
from aureum.store.postgres.database import Database
from aureum.store.writer import AppendWriter
from tests.conftest import MASTER_KEY

LEAD_NUMBERS = "SELECT nextval('lead_numbers')"
BROKERAGE_NUMBER = "SELECT nextval('brokerage_numbers')"


@asynccontextmanager
async def opened_store(url: str, *, grouped: bool = True) -> AsyncIterator[EventStore]:
    """An event store like that of a process."""
    async with Database(url) as database, AppendWriter(url, grouped=grouped) as writer:
        yield EventStore(database, writer, TenantKeys(MasterKey(MASTER_KEY)))


async def open_brokerage(store: EventStore, plan: str = "Elite") -> UUID:
    """A new tenant; its slug is ``b`` and its number."""
    number = await store.next_number(BROKERAGE_NUMBER)
    tenant_id = ids.new_id()
    brokerage = Brokerage.open(
        tenant_id,
        ids.now(),
        number=number,
        name=f"Brokerage {number}",
        slug=f"b{number}",
        domains=(f"b{number}.example.com",),
        plan=plan,
        time_zone="America/Boise",
        country="US",
        public_lead_count=True,
    )
    origin = Origin(COMMAND_LINE)
    await store.append(ids.PLATFORM, brokerage, NO_STREAM, command="OpenBrokerage", origin=origin)
    return tenant_id


def new_lead(number: int = 1, *, lead_id: UUID | None = None, at: datetime | None = None, **fields: Any) -> Lead:
    """A lead that is not stored yet; *fields* replace the sensible ones."""
    given: dict[str, Any] = {
        "status": "new",
        "number": number,
        "first_name": "Jane",
        "last_name": "Doe",
        "email": "jane@example.com",
        "phone": "+1-555-0200",
        "phone_e164": None,
        "subject": "A house",
        "message": "Interested in the Beverly Hills listing",
        "notes": None,
        "source": "website",
        "source_domain": "b1.example.com",
        "source_page": "/property/1",
        "utm_source": None,
        "utm_medium": None,
        "utm_campaign": None,
        "assigned_to": None,
        "routing": None,
        "created_by": None,
        "contact_id": None,
        "because": None,
    }
    own = given | fields
    said = LeadFields(**{name: own.pop(name) for name in LeadFields.__dataclass_fields__ if name in own})
    return Lead.capture(lead_id or ids.new_id(), at or ids.now(), said, **own)


def new_task(*, task_id: UUID | None = None, at: datetime | None = None, **fields: Any) -> Task:
    """A task that is not stored yet; *fields* replace the sensible ones."""
    given: dict[str, Any] = {
        "title": "Call back",
        "type": "other",
        "priority": "MEDIUM",
        "status": "pending",
        "due_date": "2026-01-20T00:00:00.000Z",
        "description": None,
        "assigned_to": None,
        "lead_id": None,
        "contact_id": None,
        "property_id": None,
        "created_by": None,
    }
    return Task.create(task_id or ids.new_id(), at or ids.now(), TaskFields(**given | fields))


def new_tour(*, at: datetime | None = None, **fields: Any) -> Tour:
    """A tour that is not stored yet; *fields* replace those of the document's example."""
    given: dict[str, Any] = {
        "number": 789,
        "listing_id": "202412345",
        "property_id": None,
        "name": "Jane Doe",
        "email": "jane@example.com",
        "phone": "208-555-0456",
        "phone_e164": "+12085550456",
        "message": "Is it available Saturday morning?",
        "preferred_date": "2024-12-30",
        "preferred_time": "10:00 AM",
        "local_start": None,
        "time_zone": None,
        "starts_at": None,
        "status": "pending",
        "assigned_to": None,
        "source": "website",
        "source_domain": "b1.example.com",
        "created_by": None,
        "routing": None,
        "because": None,
        "lead_id": None,
    }
    own = given | fields
    asked = TourFields(**{name: own.pop(name) for name in TourFields.__dataclass_fields__})
    return Tour.request(ids.new_id(), at or ids.now(), asked, **own)


def new_property(
    slug: str = "modern-villa", *, property_id: UUID | None = None, at: datetime | None = None, **fields: Any
) -> Property:
    """A property that is not stored yet; *fields* replace the sensible ones."""
    given: dict[str, Any] = {
        "title": "Modern Villa",
        "address": "1 Hill Road",
        "city": "Boise",
        "state": "ID",
        "zip_code": "83702",
        "price": "4500000",
        "bedrooms": "5",
        "bathrooms": "4.5",
        "sqft": "4200",
        "property_type": "SINGLE_FAMILY",
        "status": "ACTIVE",
        "is_featured": True,
        "description": None,
        "mls": "IMLS",
        "mls_id": "00123",
        "time_zone": "America/Boise",
        "created_by": None,
    }
    return Property.enter(property_id or ids.new_id(), at or ids.now(), slug, PropertyFields(**given | fields))


async def capture(store: EventStore, tenant_id: UUID, **fields: Any) -> Lead:
    """A stored lead."""
    lead = new_lead(number=await store.number_of(LEAD_NUMBERS), **fields)
    await store.append(tenant_id, lead, NO_STREAM, command="CaptureLead", origin=Origin(VISITOR))
    return lead
