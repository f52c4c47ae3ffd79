"""Contacts: added by staff or a program, then corrected and classified."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from aureum.commands.changes import change, visible
from aureum.domain import ids
from aureum.domain.contact import Contact
from aureum.domain.errors import Invalid, NotFound
from aureum.domain.lead import Lead
from aureum.domain.phones import e164
from aureum.store.event_store import NO_STREAM, Appended, EventStore, Idempotency
from aureum.store.metadata import Origin

NO_CONTACT = "There is no such contact."
NO_OTHER = "There is no such contact or lead."


class AddContact(BaseModel):
    """A new contact. *country* is what a phone without a country's code is read as."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    country: str
    first_name: str
    last_name: str
    email: str | None = None
    phone: str | None = None
    type: str = "BUYER"
    tags: tuple[str, ...] = ()
    score: int = 0
    created_by: UUID | None = None


async def add_contact(
    store: EventStore, command: AddContact, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[Contact, Appended]:
    """The contact as it was added. Raises Invalid, and what ``EventStore.append`` raises."""
    contact = new_contact(command, ids.new_id(), ids.now())
    appended = await store.append(
        command.tenant_id, contact, NO_STREAM, command="AddContact", origin=origin, idempotency=idempotency
    )
    return contact, appended


def new_contact(command: AddContact, contact_id: UUID, at: datetime) -> Contact:
    """The contact, not appended yet. Raises Invalid."""
    return Contact.add(
        contact_id,
        at,
        first_name=command.first_name,
        last_name=command.last_name,
        email=command.email,
        phone=command.phone,
        phone_e164=e164(command.phone, command.country),
        type=command.type,
        tags=command.tags,
        score=command.score,
        lead_id=None,
        created_by=command.created_by,
    )


class ChangeContact(BaseModel):
    """Only what is set changes. ``details`` are by the names of ``aureum.domain.contact.DETAILS``."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    country: str
    contact_id: UUID
    details: dict[str, str | None] = {}
    type: str | None = None
    tags: tuple[str, ...] | None = None
    score: int | None = None
    expected_versions: frozenset[int] | None = None


async def change_contact(store: EventStore, command: ChangeContact, origin: Origin) -> Contact:
    """The contact as it is afterwards; what holds already records nothing.

    Raises NotFound, StaleVersion, Invalid, Conflict, and what ``EventStore.append`` raises.
    """
    details = dict(command.details)
    if "phone" in details:
        details["phone_e164"] = e164(details["phone"], command.country)

    def decide(contact: Contact, at: datetime) -> None:
        contact.change_details(details, at)
        contact.classify(at, type=command.type, tags=command.tags, score=command.score)

    contact, _ = await change(
        store,
        command.tenant_id,
        command.contact_id,
        Contact,
        decide,
        command="ChangeContact",
        origin=origin,
        missing=NO_CONTACT,
        expected_versions=command.expected_versions,
    )
    return contact


class TellApart(BaseModel):
    """*other*, a contact or the person of a lead, is not the person of this contact. ``visible_to`` is the agent who
    asks."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    contact_id: UUID
    other: UUID
    visible_to: UUID | None = None


async def tell_apart(
    store: EventStore, command: TellApart, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[Contact, Appended]:
    """The contact, which is no longer suggested together with *other*, or with the contact that *other* was merged
    into. Saying it again records nothing.

    Raises NotFound, also for an *other* that is not there, Invalid for itself, Conflict, and what
    ``EventStore.append`` raises.
    """
    other = (await store.load(command.tenant_id, command.other)).aggregate()
    if not isinstance(other, Contact | Lead) or (isinstance(other, Lead) and not visible(other, command.visible_to)):
        raise NotFound(NO_OTHER)

    def decide(contact: Contact, at: datetime) -> None:
        stands = getattr(other, "merged_into", None) or other.id
        if contact.id in (other.id, stands):
            raise Invalid("from", "from must be another contact or lead than the one in the path.")
        contact.tell_apart(stands, at)

    return await change(
        store,
        command.tenant_id,
        command.contact_id,
        Contact,
        decide,
        command="TellApart",
        origin=origin,
        missing=NO_CONTACT,
        idempotency=idempotency,
    )
