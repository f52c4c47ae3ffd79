"""A letter of every kind, with everything that one of it may tell."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aureum.mail.letter import Letter, Recipient
from aureum.mail.letters.composing import AboutBrokerage
from aureum.mail.letters.kinds import KINDS

AT = datetime(2026, 3, 1, 16, 30, tzinfo=UTC)
MESSAGE_ID = "<k1.4711.ab12@crm.example.com>"
SENDER = "mail@crm.example.com"
BROKERAGE = AboutBrokerage("Snake River Realty")
LINK = "https://www.snakeriver.example.com/admin/leads/cabc"

PERSON = {
    "lead": "Nora Lindqvist",
    "email": "nora@example.com",
    "phone": "+1 208-555-0123",
    "subject": "Horse property",
    "message": "We look for five acres near Kuna.\nTwo stalls would do.",
    "page": "https://www.snakeriver.example.com/kuna?utm_source=x",
    "reason": "The enquiry names a specialty of this agent.",
    "by": "Olga Owner",
}
TOUR = PERSON | {"listing": "202412345", "wished": "2026-03-04, afternoon"}
SIGNER_KINDS = ("invite", "reminder", "completed", "declined", "voided", "expired", "purge")
OF_SIGNER = {"first_name": "Nora", "topic": "Offer", "note": "Please read\nall of it.", "until": "Friday"}
OF_SENDER = {"topic": "Offer", "person": "Nora Lindqvist", "note": "Too late."}

FIELDS: dict[str, dict[str, Any]] = {
    "lead_assigned": PERSON,
    "tour_assigned": TOUR,
    "lead_in_pond": PERSON,
    "tour_in_pond": TOUR,
    "lead_offered": {"lead": "Nora Lindqvist", "until": "10:30"},
    "answer_late": {"lead": "Nora Lindqvist", "at": "09:30", "why": "stays"},
    "confirmation": {"first_name": "Nora", "asked": "tour"},
    "showing_calendar": {"first_name": "Nora", "place": "123 Palm Dr, Kuna", "when": "Friday, December 4, at 3:30 PM"},
    "showing_cancelled": {"first_name": "Nora", "place": None},
    "portal_sign_in": {"first_name": "Nora", "code": "048213", "minutes": 15},
    "portal_address": {"first_name": None, "code": "048213", "minutes": 15},
    "address_changed": {"first_name": "Nora"},
    "client_message": {"first_name": "Nora", "by": "Ana Agent", "message": "They accepted.\nCall me."},
    "client_listing": {
        "first_name": "Nora",
        "by": None,
        "home": "Villa",
        "address": "123 Palm Dr, Kuna",
        "note": "With a yard.",
    },
    "message_received": {"lead": "Nora Lindqvist", "message": "When is the inspection?"},
    **{f"envelope_{end}": OF_SIGNER for end in SIGNER_KINDS},
    **{f"envelope_{end}": OF_SENDER for end in ("all_signed", "not_signed", "withdrawn", "late")},
    "webhook_disabled": {"host": "hooks.example.com", "why": "failing"},
    "domain_silent": {"domain": "www.snakeriver.example.com"},
    "leads_expire": {"lead_count": 12, "day": "2026-03-04"},
    "invitation": {"by": "Olga Owner", "days": 7},
    "password_reset": {"hours": 1},
    "password_changed": {},
    "digest": {
        "leads": [{"name": "Nora Lindqvist", "at": "Monday 18:12", "link": LINK}],
        "tours": [{"name": "Ben Okafor", "at": "Monday 19:40", "link": None}],
        "lead_count": 3,
        "tour_count": 1,
    },
}


def has_link(kind: str) -> bool:
    """Whether letters of the *kind* lead somewhere: those of visitors only where the link is what they are about."""
    return not KINDS[kind].public or KINDS[kind].secret or kind.startswith("envelope_")


def letter(kind: str, language: str = "en", *, name: str = "Ana Agent", **changed: Any) -> Letter:
    """A letter of *kind*; *changed* are fields that are other than usual, or ``reply_to`` and ``address``."""
    reply_to = changed.pop("reply_to", "nora@example.com")
    address = changed.pop("address", "ana@snakeriver.example.com")
    link = {"link": LINK} if has_link(kind) else {}
    fields = FIELDS[kind] | link | changed
    return Letter(kind, Recipient(address, name, UUID(int=1), UUID(int=2)), reply_to, language, fields, 4711)
