"""What an envelope is made of: documents, recipients, and the fields that recipients fill in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.domain.emails import is_email
from aureum.domain.errors import Invalid

ROLES = ("signer", "copy")
LANGUAGES = ("en", "es")
"""Those of pages and mails."""

KINDS = ("signature", "initials", "date", "name", "text", "checkbox")

MOST_DOCUMENTS = 10
MOST_RECIPIENTS = 20
MOST_FIELDS = 500
MOST_PAGES = 200
MOST_BYTES = 25_000_000
LONGEST_NAME = 200
LONGEST_LABEL = 200
LONGEST_VALUE = 1_000
LONGEST_ORDER = 1_000

SENT_TO = ("invited", "viewed", "consented", "signed")
"""The states of a recipient whose turn has come."""

OVER = ("declined", "reassigned", "expired")
"""The states of a recipient who signs nothing any more."""


@dataclass(frozen=True, slots=True)
class Document:
    """A PDF as it was attached. ``anchors`` are the marks in its text at which fields may stand, ``sizes`` the width
    and height of each page in points, where they are known."""

    id: UUID
    name: str
    sha256: str
    bytes: int
    pages: int
    anchors: tuple[str, ...] = ()
    sizes: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Sealed:
    """A document as it was sealed."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Signature:
    """What a signer adopted: typed or drawn. ``image_id`` is where the picture's bytes are kept, if there is one."""

    method: str
    typed: str | None = None
    image_id: UUID | None = None
    image_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person who signs, or gets a copy. ``template_role`` is the role of the template that the person plays,
    ``language`` one of ``LANGUAGES`` if the sender knows it."""

    id: UUID
    role: str
    name: str
    email: str
    contact_id: UUID | None
    order: int
    template_role: str | None = None
    language: str | None = None
    state: str = "waiting"
    invited_at: datetime | None = None
    viewed_at: datetime | None = None
    consented_at: datetime | None = None
    consent_version: str | None = None
    signed_at: datetime | None = None
    declined_reason: str | None = None
    reminded_at: datetime | None = None
    reminders: int = 0
    """How many reminders the worker has sent."""
    signature: Signature | None = None
    values: Mapping[str, str] | None = None
    """By the fields' ids in hex digits, what was filled in."""

    @property
    def signs(self) -> bool:
        """Whether the envelope needs this person's signature."""
        return self.role == "signer" and self.state not in OVER


@dataclass(frozen=True, slots=True)
class Field:
    """A place in a document. It stands at an ``anchor``, or on a ``page`` at ``x``, ``y``: points from the top left."""

    id: UUID
    recipient_id: UUID
    document_id: UUID
    kind: str
    required: bool = True
    label: str | None = None
    anchor: str | None = None
    page: int | None = None
    x: float | None = None
    y: float | None = None
    width: float | None = None
    height: float | None = None

    def recorded(self) -> dict[str, Any]:
        """As an event has it."""
        return {
            "id": self.id.hex,
            "recipient_id": self.recipient_id.hex,
            "document_id": self.document_id.hex,
            "kind": self.kind,
            "required": self.required,
            "label": self.label,
            "anchor": self.anchor,
            "page": self.page,
            "x": self.x,
            "y": self.y,
            "width": self.width,
            "height": self.height,
        }


def field_of(recorded: Mapping[str, Any]) -> Field:
    """The inverse of ``Field.recorded``."""
    ids = {name: UUID(recorded[name]) for name in ("id", "recipient_id", "document_id")}
    return Field(**{**recorded, **ids})


def check_document(name: str, sha256: str, size: int, pages: int) -> None:
    """Raises Invalid."""
    if not name.strip() or len(name) > LONGEST_NAME:
        raise Invalid("name", f"name must be a file name of at most {LONGEST_NAME} characters, such as Offer.pdf.")
    if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
        raise Invalid("sha256", "sha256 must be 64 hexadecimal digits.")
    if not 1 <= size <= MOST_BYTES:
        raise Invalid("bytes", f"A document must have from 1 to {MOST_BYTES} bytes.")
    if not 1 <= pages <= MOST_PAGES:
        raise Invalid("pages", f"A document must have from 1 to {MOST_PAGES} pages.")


def check_person(name: str, email: str) -> None:
    """Raises Invalid unless mail can reach the person."""
    if not name.strip() or len(name) > LONGEST_NAME:
        raise Invalid("name", f"name must be 1 to {LONGEST_NAME} characters that are not all blank.")
    if not is_email(email):
        raise Invalid("email", "email must be an address that mail can reach, such as jane@example.com.")


def check_language(language: str | None) -> None:
    """Raises Invalid."""
    if language is not None and language not in LANGUAGES:
        raise Invalid("language", f"language must be one of: {', '.join(LANGUAGES)}.")


def language_or_none(recorded: str | None) -> str | None:
    """A language as an event has it: after the purge that is a placeholder."""
    return recorded if recorded in LANGUAGES else None


def check_field(one: Field, documents: Mapping[UUID, Document], recipients: Mapping[UUID, Recipient]) -> None:
    """Raises Invalid for a field of no document or signer, or outside of its page."""
    document, recipient = documents.get(one.document_id), recipients.get(one.recipient_id)
    if document is None:
        raise Invalid("fields", "documentId of a field must be the id of a document of this envelope.")
    if recipient is None or recipient.role != "signer":
        raise Invalid("fields", "recipientId of a field must be the id of a signer of this envelope.")
    check_place(one)
    if one.page is not None and one.page > document.pages:
        raise Invalid("fields", f"{document.name} has {document.pages} pages, and a field is on page {one.page}.")
    if one.page is None or not document.sizes:
        return
    wide, high = document.sizes[one.page - 1]
    assert one.x is not None and one.y is not None and one.width is not None and one.height is not None
    if one.x + one.width > wide or one.y + one.height > high:
        raise Invalid("fields", f"A field must lie on its page, which is {wide:g} by {high:g} points.")


def check_place(one: Field) -> None:
    """Raises Invalid for a field that stands nowhere, or in two ways. What it belongs to is not judged."""
    if one.kind not in KINDS:
        raise Invalid("fields", f"kind of a field must be one of: {', '.join(KINDS)}.")
    if one.label is not None and len(one.label) > LONGEST_LABEL:
        raise Invalid("fields", f"label of a field must have at most {LONGEST_LABEL} characters.")
    place = (one.page, one.x, one.y, one.width, one.height)
    if one.anchor is not None:
        if any(value is not None for value in place):
            raise Invalid("fields", "A field has either an anchor, or page, x, y, width and height.")
        if not one.anchor.strip() or len(one.anchor) > LONGEST_LABEL:
            raise Invalid("fields", f"anchor of a field must be 1 to {LONGEST_LABEL} characters.")
        return
    if one.page is None or one.x is None or one.y is None or one.width is None or one.height is None:
        raise Invalid("fields", "A field needs an anchor, or all of page, x, y, width and height.")
    if one.page < 1 or min(one.x, one.y) < 0 or min(one.width, one.height) <= 0:
        raise Invalid("fields", "A field needs a page from 1, x and y from 0, and a width and height above 0.")
