"""A sample of each event, for tests of endpoints: what the API document shows, in the shape of the real resources."""

from collections.abc import Mapping
from uuid import UUID

from aureum.domain.ids import to_wire
from aureum.domain.property import STANDARD_STATUS
from aureum.projections.changes import changes
from aureum.projections.document_list import Row

AT = "2025-01-15T10:30:00.000Z"
TIMES = {"createdAt": AT, "updatedAt": AT}
LEAD, CONTACT, PROPERTY, SHOWING, TASK, AGENT = (
    to_wire(UUID(f"01946962-6140-7000-8000-00000000000{number}")) for number in range(1, 7)
)

RESOURCES: Mapping[str, Row] = {
    "lead": {
        "id": LEAD,
        "name": "Jane Doe",
        "firstName": "Jane",
        "lastName": "Doe",
        "email": "jane@example.com",
        "phone": "+1-555-0200",
        "source": "website",
        "status": "new",
        "subject": None,
        "message": "Interested in the Beverly Hills listing",
        "assignedToId": AGENT,
        "contactId": None,
        "sourcePage": "/property/modern-villa-in-beverly-hills",
        "utm": {"source": None, "medium": None, "campaign": None},
        **TIMES,
    },
    "contact": {
        "id": CONTACT,
        "firstName": "John",
        "lastName": "Smith",
        "email": "john@example.com",
        "phone": "+1-555-0100",
        "phoneE164": None,
        "type": "BUYER",
        "tags": ["vip", "beverly-hills"],
        "score": 85,
        "leadId": None,
        **TIMES,
    },
    "property": {
        "id": PROPERTY,
        "title": "Modern Villa in Beverly Hills",
        "slug": "modern-villa-in-beverly-hills",
        "address": "123 Palm Dr",
        "city": "Beverly Hills",
        "state": "CA",
        "zip": "90210",
        "price": 4500000,
        "status": "ACTIVE",
        "standardStatus": STANDARD_STATUS["ACTIVE"],
        "propertyType": "SINGLE_FAMILY",
        "bedrooms": 5,
        "bathrooms": 4,
        "sqft": 4200,
        "isFeatured": True,
        "description": None,
        "mls": None,
        "mlsId": None,
        "timeZone": "America/Los_Angeles",
        **TIMES,
    },
    "showing": {
        "id": SHOWING,
        "listingId": "202412345",
        "propertyId": PROPERTY,
        "name": "Jane Doe",
        "email": "jane@example.com",
        "phone": "+1-555-0200",
        "preferredDate": "2025-01-20",
        "preferredTime": "10:00 AM",
        "startsAt": None,
        "timeZone": None,
        "assignedToId": AGENT,
        "status": "pending",
        "message": "Interested in the Beverly Hills listing",
        **TIMES,
    },
    "task": {
        "id": TASK,
        "title": "Follow up with John Smith",
        "type": "call",
        "priority": "HIGH",
        "status": "pending",
        "dueDate": "2025-01-20T17:00:00.000Z",
        "description": None,
        "assignedToId": AGENT,
        "leadId": None,
        "contactId": CONTACT,
        "propertyId": None,
        **TIMES,
    },
}
"""By kind of resource, as it was created."""

CHANGED: Mapping[str, Row] = {
    "lead.updated": {"status": "contacted"},
    "contact.updated": {"score": 90},
    "property.updated": {"status": "PENDING", "standardStatus": STANDARD_STATUS["PENDING"]},
    "showing.updated": {"status": "confirmed"},
    "task.completed": {"status": "completed"},
}
"""What the other events made of it."""


def sample(event: str) -> tuple[Row, Row | None]:
    """``data`` of the sample of *event*, one of the ten; and ``changes``, which only ``*.updated`` have."""
    created = RESOURCES[event.partition(".")[0]]
    shown = created | CHANGED.get(event, {})
    return shown, changes(created, shown) if event.endswith(".updated") else None
