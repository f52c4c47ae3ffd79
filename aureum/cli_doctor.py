"""``aureum doctor``: looks an installation over and lists what needs a person's decision.

A check is a function in ``CHECKS``; what it finds is a sentence for the operator, and the same as fields for a program.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple

import typer

from aureum.app import open_store
from aureum.cli_output import say
from aureum.domain.emails import one_form
from aureum.operator import Installation, installation
from aureum.store.event_store import EventStore

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]

LOGINS = """
SELECT b.slug, u.number, u.email
  FROM users u
  LEFT JOIN brokerages b ON b.tenant_id = u.tenant_id
 ORDER BY u.number
"""
SAME_LOGIN = (
    "The logins {logins} are spellings of one e-mail address. Each works as it was created. "
    "Disable all but one: aureum user disable."
)


class Doctor(NamedTuple):
    """What a check may look at."""

    here: Installation
    store: EventStore


@dataclass(frozen=True)
class Finding:
    """What a check found. ``about`` are the fields that a program gets beside the text."""

    check: str
    text: str
    about: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The finding as ``--json`` prints it."""
        return {"check": self.check, "text": self.text} | self.about


Check = Callable[[Doctor], AsyncIterator[Finding]]


async def logins(doctor: Doctor) -> AsyncIterator[Finding]:
    """Logins whose e-mail addresses are one."""
    same: dict[str, list[tuple[str | None, int, str]]] = {}
    for slug, number, email in await doctor.store.database.rows(LOGINS):
        same.setdefault(one_form(email), []).append((slug, number, email))
    for address, found in same.items():
        if len(found) > 1:
            named = " and ".join(f"{email} (user {number})" for _, number, email in found)
            about = [{"brokerage": slug, "number": number, "email": email} for slug, number, email in found]
            yield Finding("logins", SAME_LOGIN.format(logins=named), {"address": address, "logins": about})


CHECKS: tuple[Check, ...] = (logins,)
"""In the order in which their findings are shown."""


def doctor_command(as_json: Json = False) -> None:
    """Look the installation over. Lists what needs a decision, and changes nothing."""
    with installation() as here:
        findings = asyncio.run(examined(here))
    people = "\n\n".join(finding.text for finding in findings) or "Nothing was found."
    say(as_json, {"ok": not findings, "findings": [finding.document() for finding in findings]}, people)


async def examined(here: Installation) -> list[Finding]:
    """What all checks find."""
    async with open_store(here.settings, here.url, here.key) as store:
        return [finding for check in CHECKS async for finding in check(Doctor(here, store))]
