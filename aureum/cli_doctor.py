"""``aureum doctor``: looks an installation over and lists what needs a person's decision.

A check is a function in ``CHECKS``; what it finds is a sentence for the operator, and the same as fields for a program.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from aureum.cli_options import Json
from aureum.cli_output import say
from aureum.operator import Installation, installation, run

if TYPE_CHECKING:
    from aureum.store.event_store import EventStore

LOGINS = """
SELECT b.slug, u.number, coalesce(u.shown_email, u.email), u.disabled
  FROM users u
  LEFT JOIN brokerages b ON b.tenant_id = u.tenant_id
 ORDER BY u.number
"""
SAME_LOGIN = (
    "The logins {logins} are spellings of one e-mail address. Each works as it was created. "
    "Disable all but one: aureum user disable."
)
SAME_SUBSCRIBER = (
    "The newsletter of {slug} had the subscribers {emails}, which are spellings of one e-mail address. They are one "
    "subscriber now, unsubscribed if one of them was. Nothing needs to be done."
)


class Doctor(NamedTuple):
    """What a check may look at."""

    here: Installation
    store: EventStore


@dataclass(frozen=True)
class Finding:
    """What a check found. ``about`` are the fields that a program gets beside the text; ``decide`` says whether it
    needs a decision, or is only told."""

    check: str
    text: str
    about: dict[str, Any] = field(default_factory=dict)
    decide: bool = True

    def document(self) -> dict[str, Any]:
        """The finding as ``--json`` prints it."""
        return {"check": self.check, "text": self.text} | self.about


Check = Callable[[Doctor], AsyncIterator[Finding]]


async def logins(doctor: Doctor) -> AsyncIterator[Finding]:
    """Logins whose e-mail addresses are one, and that are not disabled."""
    from aureum.domain.emails import one_form

    same: dict[str, list[tuple[str | None, int, str]]] = {}
    for slug, number, email, disabled in await doctor.store.database.rows(LOGINS):
        if not disabled:
            same.setdefault(one_form(email), []).append((slug, number, email))
    for address, found in same.items():
        if len(found) > 1:
            named = " and ".join(f"{email} (user {number})" for _, number, email in found)
            about = [{"brokerage": slug, "number": number, "email": email} for slug, number, email in found]
            yield Finding("logins", SAME_LOGIN.format(logins=named), {"address": address, "logins": about})


async def subscribers(doctor: Doctor) -> AsyncIterator[Finding]:
    """Subscribers that an upgrade made one of."""
    from aureum.projections import subscriber_list

    for slug, into, emails in await doctor.store.database.rows(subscriber_list.MERGED):
        text = SAME_SUBSCRIBER.format(emails=" and ".join(emails), slug=slug)
        yield Finding("subscribers", text, {"brokerage": slug, "id": into, "emails": emails}, decide=False)


CHECKS: tuple[Check, ...] = (logins, subscribers)
"""In the order in which their findings are shown."""


def doctor_command(as_json: Json = False) -> None:
    """Look the installation over. Lists what needs a decision, and changes nothing."""
    with installation() as here:
        findings = run(examined(here))
    people = "\n\n".join(finding.text for finding in findings) or "Nothing was found."
    say(
        as_json,
        {
            "ok": not any(finding.decide for finding in findings),
            "findings": [finding.document() for finding in findings],
        },
        people,
    )


async def examined(here: Installation) -> list[Finding]:
    """What all checks find."""
    from aureum.app import open_store

    async with open_store(here.settings, here.url, here.key) as store:
        return [finding for check in CHECKS async for finding in check(Doctor(here, store))]
