"""``aureum doctor``: looks an installation over, and lists what is wrong or needs a person's decision.

A check is a function; what it finds is a sentence for the operator, and the same as fields for a program. Without a
database that answers, is up to date and opens with the master key, the rest is not looked at.
"""

from __future__ import annotations

import sys

from aureum.cli.checks.check import Check, Doctor, Finding
from aureum.cli.checks.documents import documents
from aureum.cli.checks.docusign import docusign
from aureum.cli.checks.machine import requests_login, room, routing_model, server, unknown_settings
from aureum.cli.checks.mail import mail
from aureum.cli.checks.replicas import replicas
from aureum.cli.checks.sealing import sealing
from aureum.cli.checks.state import Fact, disk, program, state
from aureum.cli.checks.tenants import hosts, logins, read_models, subscribers, webhooks
from aureum.cli.checks.timers import timers
from aureum.cli.installation import Installation, installation, run
from aureum.cli.options import Json
from aureum.cli.output import refusal, say, table

CHECKS: tuple[Check, ...] = (
    server,
    requests_login,
    replicas,
    logins,
    subscribers,
    read_models,
    webhooks,
    timers,
    mail,
    documents,
    sealing,
    docusign,
    hosts,
)
"""In the order in which their findings are shown."""

MOST_TOLD = 20
"""How many of what is only told people are shown; a program gets all."""


def doctor_command(as_json: Json = False) -> None:
    """Check the installation. Changes nothing.

    Checks the settings, the database with its clock and disk, logins, read models, webhooks, timers, mail,
    documents, their seals and DocuSign, and shows which Host belongs to which brokerage. The exit status is 1 if
    something is wrong or needs a decision.
    """
    findings, facts = examined()
    wrong = [finding.text for finding in findings if finding.decide]
    told = [finding.text for finding in findings if not finding.decide]
    people = "\n\n".join(wrong) or "No problems found."
    if told:
        more = [f"... and {len(told) - MOST_TOLD} more: --json lists them."] if len(told) > MOST_TOLD else []
        people += "\n\n" + "\n".join([*told[:MOST_TOLD], *more])
    people += "\n\n" + table("The installation", ("what", "how"), [(fact.name, fact.text) for fact in facts])
    document = {"ok": not wrong, "findings": [finding.document() for finding in findings]}
    say(as_json, document | {"state": {fact.name: fact.about for fact in facts}}, people)
    if wrong:
        sys.exit(1)


def examined() -> tuple[list[Finding], list[Fact]]:
    """What all checks find, and how the installation stands as far as can be told."""
    from aureum.settings import SettingsError, load_settings

    found = list(unknown_settings())
    try:
        settings = load_settings()
    except SettingsError as error:
        return [*found, Finding("settings", str(error))], [program()]
    found += (*routing_model(settings), *room(settings))
    facts = [program(), disk(settings)]
    if any(finding.check == "database" for finding in found):
        return found, facts
    in_database, of_database = examined_database()
    return [*found, *in_database], [*facts, *of_database]


def examined_database() -> tuple[list[Finding], list[Fact]]:
    """What needs the database; or why it cannot be used."""
    from aureum.settings import SettingsError

    try:
        with installation(told=True) as here:
            return run(in_store(here))
    except SettingsError as error:
        return [Finding("settings", str(error))], []
    except Exception as error:
        return [Finding("database", refusal(error))], []


async def in_store(here: Installation) -> tuple[list[Finding], list[Fact]]:
    """What a database that answers says."""
    from aureum.app import open_store

    async with open_store(here.settings, here.url, here.key) as store:
        doctor = Doctor(here.settings, store)
        findings = [finding for check in CHECKS async for finding in check(doctor)]
        return findings, [fact async for fact in state(doctor)]
