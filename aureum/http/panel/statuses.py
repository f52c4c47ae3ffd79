"""How each status is shown: its word, its icon and its colour, so that none is told by its colour alone. And the
colour and initials of people."""

import zlib
from typing import NamedTuple


class Status(NamedTuple):
    """``icon`` is a name of the icon set. ``tone`` is a colour of the style sheet (``tokens.css``)."""

    word: str
    icon: str
    tone: str


STATUSES: dict[str, dict[str, Status]] = {
    "lead": {
        "new": Status("New", "sparkles", "blue"),
        "contacted": Status("Contacted", "chat-bubble-left-right", "teal"),
        "qualified": Status("Qualified", "check-badge", "violet"),
        "showing": Status("Showing", "calendar-days", "pink"),
        "offer": Status("Offer", "document-text", "amber"),
        "converted": Status("Converted", "check-circle", "green"),
        "lost": Status("Lost", "x-circle", "gray"),
    },
    "task": {
        "pending": Status("To do", "clock", "blue"),
        "in_progress": Status("In progress", "play-circle", "violet"),
        "completed": Status("Done", "check-circle", "green"),
        "overdue": Status("Overdue", "exclamation-triangle", "red"),
    },
    "showing": {
        "pending": Status("To confirm", "question-mark-circle", "amber"),
        "confirmed": Status("Confirmed", "calendar-days", "blue"),
        "completed": Status("Done", "check-circle", "green"),
        "cancelled": Status("Cancelled", "x-circle", "gray"),
        "no_show": Status("No-show", "user-minus", "red"),
    },
    "property": {
        "ACTIVE": Status("Active", "home", "green"),
        "PENDING": Status("Pending", "clock", "amber"),
        "SOLD": Status("Sold", "check-circle", "gray"),
        "COMING_SOON": Status("Coming soon", "calendar-days", "blue"),
    },
    "envelope": {
        "draft": Status("Draft", "pencil-square", "gray"),
        "sent": Status("Waiting for signatures", "clock", "blue"),
        "completing": Status("Being sealed", "lock-closed", "violet"),
        "completed": Status("Signed by all", "check-circle", "green"),
        "declined": Status("Declined", "x-circle", "red"),
        "voided": Status("Withdrawn", "minus-circle", "gray"),
        "expired": Status("Expired", "exclamation-triangle", "amber"),
        "purged": Status("Deleted", "trash", "gray"),
    },
    "recipient": {
        "waiting": Status("Comes later", "clock", "gray"),
        "invited": Status("Invited", "envelope", "blue"),
        "viewed": Status("Opened", "eye", "violet"),
        "consented": Status("Is signing", "pencil-square", "violet"),
        "signed": Status("Signed", "check-circle", "green"),
        "declined": Status("Declined", "x-circle", "red"),
        "reassigned": Status("Replaced", "minus-circle", "gray"),
        "expired": Status("Did not sign in time", "exclamation-triangle", "amber"),
    },
    "webhook": {
        "enabled": Status("enabled", "check-circle", "green"),
        "failing": Status("failing", "exclamation-triangle", "amber"),
        "disabled": Status("disabled", "x-circle", "red"),
    },
    "delivery": {
        "delivered": Status("delivered", "check-circle", "green"),
        "pending": Status("pending", "clock", "amber"),
        "failed": Status("failed", "x-circle", "red"),
    },
    "mail": {
        "sent": Status("sent", "check-circle", "green"),
        "queued": Status("queued", "clock", "amber"),
        "failed": Status("failed", "x-circle", "red"),
    },
}
"""By what has the status, then by the status as the API has it."""


def status_of(kind: str, value: str) -> Status:
    """How a status is shown. One that has no line above is shown by its name."""
    return STATUSES.get(kind, {}).get(value, Status(value.replace("_", " ").capitalize(), "minus-circle", "gray"))


TONES = ("blue", "teal", "violet", "pink", "amber", "green")
"""Of people: those that say neither good nor bad alone."""


def tone(name: str) -> str:
    """The colour of a person, always the same one for a name."""
    return TONES[zlib.crc32(name.encode("utf-8", "replace")) % len(TONES)]


def initials(name: str) -> str:
    """``Ana Maria Agent`` → ``AA``."""
    words = [word for word in name.split() if word[0].isalnum()] or ["?"]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()
