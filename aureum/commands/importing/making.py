"""Makes the new resources of a batch of rows: contacts, leads, and properties under slugs of their own."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.commands.batches import Slugs, mls_taken
from aureum.commands.importing.placing import DETAILS_OF_PROPERTY, Place
from aureum.commands.importing.reading import Values
from aureum.commands.importing.routing import UNROUTED, Router
from aureum.commands.leads import NUMBERS
from aureum.commands.properties import SLUG, slug_of
from aureum.domain.aggregate import Aggregate
from aureum.domain.contact import Contact
from aureum.domain.errors import AlreadyTaken
from aureum.domain.lead import Lead, LeadFields
from aureum.domain.phones import e164
from aureum.domain.property import Property, PropertyFields
from aureum.domain.routing.reasons import CLOSED
from aureum.projections import property_list
from aureum.store.event_store import EventStore
from aureum.store.guards import Guard, Unique

SOURCE = "import"
"""The source of a lead whose row says none."""


class Maker:
    """Makes the resources of a batch of rows."""

    def __init__(
        self, store: EventStore, resource: str, place: Place, rows: Sequence[Values], router: Router | None = None
    ) -> None:
        self.store = store
        self.resource = resource
        self.place = place
        self.rows = rows
        self.router = router
        self.slugs: Slugs | None = None
        self.taken: set[tuple[str, str | None]] = set()

    async def make(self, values: Values, stream_id: UUID, at: datetime) -> tuple[Aggregate, tuple[Guard, ...]]:
        """A new resource, and what must hold for it. Raises Invalid, AlreadyTaken."""
        if self.resource == "contacts":
            return self.contact(values, stream_id, at), ()
        if self.resource == "leads":
            return await self.lead(values, stream_id, at)
        return await self.listed(values, stream_id, at)

    def contact(self, values: Values, stream_id: UUID, at: datetime) -> Contact:
        """A contact."""
        phone = values.get("phone")
        return Contact.add(
            stream_id,
            at,
            first_name=values.get("firstName", ""),
            last_name=values.get("lastName", ""),
            email=values.get("email"),
            phone=phone,
            phone_e164=e164(phone, self.place.country),
            type=values.get("type", "BUYER"),
            tags=values.get("tags", ()),
            score=values.get("score", 0),
            lead_id=None,
            created_by=self.place.created_by,
        )

    async def lead(self, values: Values, stream_id: UUID, at: datetime) -> tuple[Lead, tuple[Guard, ...]]:
        """A lead. It is routed if the import routes, the row names no agent, and the lead is open."""
        fields = LeadFields(
            first_name=values.get("firstName", ""),
            last_name=values.get("lastName", ""),
            email=values.get("email"),
            phone=values.get("phone"),
            subject=values.get("subject"),
            message=values.get("message"),
            notes=values.get("notes"),
            source=values.get("source", SOURCE),
            source_domain=None,
            source_page=values.get("sourcePage"),
            utm_source=None,
            utm_medium=None,
            utm_campaign=None,
        )
        status, route = values.get("status", "new"), UNROUTED
        if self.router is not None and "assignedToId" not in values and status not in CLOSED:
            route = await self.router.route(stream_id, fields)
        lead = Lead.capture(
            stream_id,
            at,
            fields,
            number=await self.store.number_of(NUMBERS),
            phone_e164=e164(fields.phone, self.place.country),
            status=status,
            assigned_to=values.get("assignedToId") or route.assigned_to,
            routing=route.routing,
            because=route.because,
            contact_id=route.contact_id,
            created_by=self.place.created_by,
            suspect=False,
        )
        if values.get("lostReason") and lead.status == "lost":
            lead.give_lost_reason({"reason": values["lostReason"]}, at)
        return lead, route.guards

    async def listed(self, values: Values, stream_id: UUID, at: datetime) -> tuple[Property, tuple[Guard, ...]]:
        """A property under a slug of its own."""
        if self.slugs is None:
            bases = {slug_of(one["title"]) for one in self.rows}
            self.slugs = Slugs(self.store, self.place.tenant_id, bases)
            pairs = [(one.get("mls"), one["mlsId"]) for one in self.rows if "mlsId" in one]
            self.taken = await mls_taken(self.store, self.place.tenant_id, [mls_id for _, mls_id in pairs])
        mls = (values.get("mls") or "", values.get("mlsId"))
        if mls in self.taken:
            raise AlreadyTaken(property_list.TAKEN["property_list_mls"])
        own: dict[str, Any] = {own: values.get(name) for name, own in DETAILS_OF_PROPERTY.items()}
        more = {"is_featured": values.get("isFeatured", False), "status": values.get("status", "ACTIVE")}
        fields = PropertyFields(**(own | more), time_zone=None, created_by=self.place.created_by)
        slug = await self.slugs.free(slug_of(fields.title))
        listed = Property.enter(stream_id, at, slug, fields, values.get("photos", ()))
        self.slugs.take(slug)
        if fields.mls_id is not None:
            self.taken.add(mls)
        return listed, (Unique(SLUG, slug),)
