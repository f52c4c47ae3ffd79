"""``audit list``: the resources of a kind as they were at a moment, whatever happened since."""

import csv
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aureum.cli.installation import origin, tenant_of
from aureum.domain import ids
from aureum.domain.csv_cells import BOM, read_back
from aureum.domain.lead import Lead
from aureum.store.event_store import EventStore
from tests.cli.conftest import Terminal


def lose(terminal: Terminal, slug: str, lead: Lead) -> None:
    """A lead's status changes."""

    async def work(store: EventStore) -> None:
        tenant_id = await tenant_of(store.database, slug)
        before = await store.load(tenant_id, lead.id)
        changed: Any = before.aggregate()
        changed.change_status("lost", ids.now())
        await store.append(tenant_id, changed, before, command="Change", origin=origin())

    terminal.in_store(work)


def at(moment: datetime) -> str:
    """As the command takes it."""
    return ids.aureum_time(moment)


def test_leads_at_a_moment(terminal: Terminal) -> None:
    slug, other = terminal.brokerage(), terminal.brokerage()
    first = terminal.capture(slug, email="first@example.com", first_name="=cmd|'x'!A1")
    terminal.capture(other)
    between = datetime.now(UTC) + timedelta(milliseconds=1)
    second = terminal.capture(slug, email="second@example.com", at=ids.now() + timedelta(seconds=1))
    lose(terminal, slug, first)

    def listed(*moment: str) -> list[tuple[str, str]]:
        found = terminal.json("audit", "list", "leads", "--brokerage", slug, *moment)
        return [(one["email"], one["status"]) for one in found]

    assert listed() == [("first@example.com", "lost")], "the second one is of the future"
    after = at(datetime.now(UTC) + timedelta(seconds=3))
    assert listed("--as-of", after) == [("first@example.com", "lost"), ("second@example.com", "new")]
    assert listed("--as-of", at(first.created_on)) == [("first@example.com", "new")], "the moment itself is included"
    assert listed("--as-of", at(between)) == [("first@example.com", "new")]
    assert listed("--as-of", "2020-01-01") == []
    assert second.id > first.id

    printed = terminal.run("audit", "list", "leads", "--brokerage", slug, "--as-of", after, "--csv")
    assert printed.code == 0 and printed.out.startswith(BOM) and "\n=" not in printed.out and ",=" not in printed.out
    rows = list(csv.DictReader(printed.out.removeprefix(BOM).splitlines()))
    shown = terminal.json("audit", "list", "leads", "--brokerage", slug, "--as-of", after)
    assert [read_back(row["firstName"]) for row in rows] == [one["firstName"] for one in shown]
    assert [row["id"] for row in rows] == [one["id"] for one in shown]


@pytest.mark.parametrize("resource", ["contacts", "properties", "tasks", "showings", "subscribers"])
def test_an_empty_list_is_a_document(terminal: Terminal, resource: str) -> None:
    slug = terminal.brokerage()
    assert terminal.json("audit", "list", resource, "--brokerage", slug) == []
    assert terminal.run("audit", "list", resource, "--brokerage", slug, "--csv").out == ""


def test_refusals(terminal: Terminal) -> None:
    ended = terminal.run("audit", "list", "people", "--brokerage", "none")
    assert ended.code == 1 and "The lists are: leads, contacts, properties, tasks, showings, subscribers." in ended.err
    ended = terminal.run("audit", "list", "leads", "--brokerage", "none")
    assert ended.code == 1 and "There is no brokerage with the slug 'none'." in ended.err
    ended = terminal.run("audit", "list", "leads", "--brokerage", terminal.brokerage(), "--as-of", "yesterday")
    assert ended.code == 1 and "as-of must be a time such as" in ended.err
    ended = terminal.run("audit", "list", "leads", "--brokerage", "none", "--csv", "--json")
    assert ended.code == 2 and "Choose one of --csv and --json." in ended.err
