"""``aureum audit user`` and its like: every kind of resource has a history, as text, JSON and CSV, and no secret; and
``audit security``."""

import csv
from typing import Any
from uuid import uuid4

import pytest

from aureum.cli.installation import origin, tenant_of
from aureum.domain import ids
from aureum.domain.contact import Contact
from aureum.domain.ids import PLATFORM
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.security_log import Noted, record
from tests.cli.conftest import Terminal
from tests.stores import new_property, new_task, new_tour

SECRETS = ("aur_", "whsec_", "$argon2")


NORA: dict[str, Any] = {"first_name": "Nora", "last_name": "Núñez", "email": None, "phone": None, "phone_e164": None}


def of_lists(terminal: Terminal, slug: str) -> dict[str, tuple[str, str]]:
    """A contact, a property, a task and a showing, which the command line does not make."""
    contact = Contact.add(ids.new_id(), ids.now(), **NORA, lead_id=None, created_by=None)
    house, task, number = new_property(), new_task(), 1_000_000 + ids.new_id().int % 1_000_000_000
    showing = new_tour(number=number)

    async def work(store: EventStore) -> None:
        tenant_id = await tenant_of(store.database, slug)
        for one in (contact, house, task, showing):
            await store.append(tenant_id, one, NO_STREAM, command="Make", origin=origin())

    terminal.in_store(work)
    return {
        "contact": (ids.to_wire(contact.id), "contact.added"),
        "property": (ids.to_wire(house.id), "property.listed"),
        "task": (ids.to_wire(task.id), "task.created"),
        "showing": (str(number), "tour.requested"),
    }


def made(terminal: Terminal, slug: str) -> dict[str, tuple[str, str]]:
    """By kind, an id of one, and what its history says of it."""
    user = (
        "user",
        "create",
        "--brokerage",
        slug,
        "--email",
        f"ana@{slug}.example.net",
        "--name",
        "Ana",
        "--role",
        "agent",
    )
    key = terminal.json("api-key", "create", "--brokerage", slug, "--name", "Website")
    hook = ("webhook", "create", "--brokerage", slug, "--url", "https://example.com/h", "--event", "lead.created")
    return of_lists(terminal, slug) | {
        "lead": (str(terminal.capture(slug).number), "lead.captured"),
        "user": (str(terminal.json(*user)["number"]), "user.joined"),
        "api-key": (key["id"], "api_key.issued"),
        "webhook": (terminal.json(*hook)["id"], "webhook_endpoint.registered"),
    }


def test_every_kind(terminal: Terminal) -> None:
    slug = terminal.brokerage()
    for kind, (wanted, first) in made(terminal, slug).items():
        document = terminal.json("audit", kind, wanted)
        assert set(document) == {"id", "events", "state"} and document["state"]["id"] == document["id"]
        event = document["events"][0]
        assert set(event) == {"version", "type", "at", "actor", "request", "address", "changes"}
        assert (event["type"], set(event["actor"])) == (first, {"type", "id", "name"})
        assert not any(secret in str(document) for secret in SECRETS if kind != "api-key")
        assert terminal.json("audit", kind, document["id"]) == document, "by its id as well"
        assert terminal.json("audit", kind, document["id"], "--as-of", event["at"])["events"] == document["events"]
        lines = terminal.run("audit", kind, wanted).out.splitlines()
        history = lines[lines.index("History") + 2 : lines.index("State") - 1]
        assert history[0].split() == ["version", "at", "type", "by", "field", "from", "to"]
        assert {tuple(line.split()[:3]) for line in history[2:]} == {("1", event["at"], first)}
        assert len(history) == 2 + max(1, len(event["changes"])), "a row for each change"
        rows = list(csv.DictReader(terminal.run("audit", kind, wanted, "--csv").out.lstrip("\ufeff").splitlines()))
        assert [row["field"] for row in rows if row["version"] == "1"] == [*event["changes"]]
        assert {row["request"] for row in rows if row["version"] == "1"} == {event["request"]}
        early = terminal.run("audit", kind, wanted, "--as-of", "2001-01-01")
        assert early.code == 1 and "did not exist at that time" in early.err


def test_a_brokerage_and_the_names_of_those_who_acted(terminal: Terminal) -> None:
    slug = terminal.brokerage()
    (row,) = [one for one in terminal.json("brokerage", "list") if one["slug"] == slug]
    by_number = terminal.json("audit", "brokerage", str(row["id"]))
    assert [event["type"] for event in by_number["events"]] == ["brokerage.opened"]
    assert by_number["state"]["slug"] == slug and by_number["state"]["routing"]["mode"] == "semantic"
    assert terminal.json("audit", "brokerage", by_number["id"]) == by_number


@pytest.mark.parametrize("kind", ["contact", "property", "task", "showing", "user", "api-key", "webhook", "brokerage"])
def test_what_is_not_there(terminal: Terminal, kind: str) -> None:
    lead = terminal.capture(terminal.brokerage())
    for wanted in (ids.to_wire(lead.id), ids.to_wire(PLATFORM), "nonsense", "9" * 30):
        ended = terminal.run("audit", kind, wanted)
        assert ended.code == 1 and ended.err.startswith("There is no ") and "its id (c...)" in ended.err, wanted


def test_the_security_log(terminal: Terminal) -> None:
    slug = terminal.brokerage()

    async def note(store: EventStore) -> None:
        found = await store.database.rows("SELECT tenant_id FROM brokerages WHERE slug = %(slug)s", {"slug": slug})
        await record(store, Noted("export", tenant_id=found[0][0], about="leads", address="203.0.113.7"))

    terminal.in_store(note)
    listed: list[dict[str, Any]] = terminal.json("audit", "security", "--brokerage", slug)
    assert [(one["kind"], one["times"], one["about"]) for one in listed] == [("export", 1, "leads")]
    assert "203.0.113.7" in terminal.run("audit", "security", "--brokerage", slug).out
    printed = terminal.run("audit", "security", "--brokerage", slug, "--csv").out.lstrip("\ufeff")
    assert [row["address"] for row in csv.DictReader(printed.splitlines())] == ["203.0.113.7"]
    assert terminal.json("audit", "security", "--brokerage", slug, "--since", "9999-01-01") == []
    assert terminal.run("audit", "security", "--brokerage", slug, "--csv", "--json").code == 2
    bad = terminal.run("audit", "security", "--since", "lately")
    assert bad.code == 1 and "since must be a time such as" in bad.err


def test_what_the_operator_does_is_in_the_security_log(terminal: Terminal) -> None:
    slug = f"b-{uuid4().hex}"
    terminal.json("brokerage", "create", "--name", "B", "--slug", slug, "--plan", "elite", "--domain", f"{slug}.net")
    email = f"ana@{slug}.example.net"
    terminal.json("user", "create", "--brokerage", slug, "--email", email, "--name", "Ana", "--role", "agent")
    for command in (
        ("newsletter", "export", "--brokerage", slug),
        ("audit", "list", "leads", "--brokerage", slug),
        ("user", "reset-totp", "--email", email),
    ):
        terminal.json(*command)
    listed = terminal.json("audit", "security", "--brokerage", slug)
    assert [(one["kind"], one["user"], one["about"]) for one in listed[::-1]] == [
        ("export", None, "newsletter, on the command line"),
        ("export", None, "leads, on the command line"),
        ("totp_disabled", "Ana", "on the command line"),
    ]
