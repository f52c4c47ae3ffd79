"""An opened event store and the smallest things to put into it, for tests that need no HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.domain import ids
from aureum.domain.brokerage import Brokerage
from aureum.domain.lead import Lead, LeadFields
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
    """A lead that nobody stored yet; *fields* replace the sensible ones."""
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


async def capture(store: EventStore, tenant_id: UUID, **fields: Any) -> Lead:
    """A stored lead."""
    lead = new_lead(number=await store.number_of(LEAD_NUMBERS), **fields)
    await store.append(tenant_id, lead, NO_STREAM, command="CaptureLead", origin=Origin(VISITOR))
    return lead
