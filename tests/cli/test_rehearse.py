"""``aureum routing rehearse``: a table, CSV, JSON; and in constant memory."""

import asyncio
import csv
import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from aureum.cli.installation import tenant_of
from aureum.commands.leads import CaptureLead, capture_lead
from aureum.commands.rehearsing import begun, rehearse, rehearsed_team
from aureum.commands.routed import team_of
from aureum.commands.routing import ChangeRouting, change_routing
from aureum.commands.users import CreateUser, create_user
from aureum.domain.ids import now
from aureum.domain.lead import LeadFields
from aureum.domain.routing.settings import Routing
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, VISITOR, Origin
from tests.cli.conftest import Terminal

HEAD = "SELECT position FROM heads WHERE tenant_id = %(tenant)s"
AT_ONCE = 100


def routed(terminal: Terminal, subjects: list[str], agents: tuple[str, ...] = ("Ana", "Ben")) -> tuple[str, list[int]]:
    """A brokerage whose leads were routed in turn; its slug, and the numbers of its agents."""
    slug = terminal.brokerage()

    async def work(store: EventStore) -> list[int]:
        tenant_id = await tenant_of(store.database, slug)
        operator = Origin(COMMAND_LINE)
        numbers = []
        for name in agents:
            command = CreateUser(tenant_id=tenant_id, email=f"{name}@{slug}.example.com", name=name, role="agent")
            numbers.append((await create_user(store, command, operator)).number)
        await change_routing(store, ChangeRouting(tenant_id=tenant_id, routing=Routing("round_robin")), operator)
        team = await team_of(store, tenant_id)

        async def capture(number: int) -> None:
            """Each of another person: what one person asks again goes to the same agent."""
            subject, fields = subjects[number], dict.fromkeys(LeadFields.__dataclass_fields__)
            said = {"first_name": "Jane", "last_name": "Doe", "email": f"j{number}@example.com", "source": "website"}
            lead = LeadFields(**fields | said | {"subject": subject, "message": "x" * 500})  # type: ignore[arg-type]
            command = CaptureLead(tenant_id=tenant_id, country="US", fields=lead)
            await capture_lead(store, command, Origin(VISITOR), team=team)

        for start in range(0, len(subjects), AT_ONCE):
            await asyncio.gather(*map(capture, range(start, min(start + AT_ONCE, len(subjects)))))
        return numbers

    return slug, terminal.in_store(work)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return tmp_path / "settings.json"


def selling_to(settings: Path, agent: int) -> None:
    rules = [{"when": {"subject_has": ["sell"]}, "to": {"agent": agent}}, {"to": {"group": "everyone"}}]
    settings.write_text(json.dumps({"mode": "subject_based", "rules": rules}))


def test_as_json_csv_and_a_table(terminal: Terminal, settings: Path) -> None:
    slug, (ana, ben) = routed(terminal, ["I want to sell", "A yard"] * 3)
    selling_to(settings, ben)
    asking = ("routing", "rehearse", "--brokerage", slug, "--settings", str(settings), "--since", "1d")
    document = terminal.json(*asking)
    assert (document["leads"], document["erased"]) == (6, 0)
    assert {one["agent"]: one["had"] for one in document["agents"]} == {ana: 3, ben: 3}
    sold = [one for one in document["items"] if one["rule"] == 1]
    assert len(sold) == 3 and {one["would_have"] for one in sold} == {ben}
    assert sold[0]["reason"] == "Rule 1 (the subject has “sell”) leads to this agent." and sold[0]["because"] == []
    assert document["moved"] == sum(one["moved"] for one in document["items"]) > 0
    printed = terminal.run(*asking, "--csv")
    rows = list(csv.DictReader(io.StringIO(printed.out)))
    assert [int(row["id"]) for row in rows] == [one["lead_id"] for one in document["items"]]
    assert [row["would_have"] for row in rows] == [str(one["would_have"]) for one in document["items"]]
    people = terminal.run(*asking)
    assert (people.code, people.err) == (0, "")
    assert f"6 leads and tours, of which {document['moved']} would have gone elsewhere." in people.out
    assert "Load" in people.out and "the subject has “sell”" in people.out and "(pond)" in people.out
    # Without a file the settings of now, under which all of it went as it went.
    assert terminal.json(*asking[:4], "--since", "2001-01-01")["moved"] == 0
    assert terminal.json(*asking[:4], "--since", "9999-01-01") | {"since": ""} == {
        "items": [], "since": "", "leads": 0, "moved": 0, "erased": 0, "agents": [],
        "pond": {"had": 0, "would_have": 0},
    }  # fmt: skip


def test_nothing_is_changed(terminal: Terminal, settings: Path) -> None:
    slug, (_, ben) = routed(terminal, ["I want to sell"])
    selling_to(settings, ben)

    def head() -> Any:
        async def work(store: EventStore) -> Any:
            return await store.database.rows(HEAD, {"tenant": await tenant_of(store.database, slug)})

        return terminal.in_store(work)

    before = head()
    assert terminal.json("routing", "rehearse", "--brokerage", slug, "--settings", str(settings))["leads"] == 1
    assert head() == before


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "is not JSON."),
        ('{"mode": "best"}', "mode must be one of:"),
        ('{"rules": [{"to": {"agent": 999999999}}]}', "who is not a user of this brokerage."),
        ('{"groups": {"g": []}}', "groups.g must have at least one member."),
        ("[]", "must be"),
    ],
)
def test_settings_that_are_none(terminal: Terminal, settings: Path, text: str, why: str) -> None:
    slug = terminal.brokerage()
    settings.write_text(text)
    ended = terminal.run("routing", "rehearse", "--brokerage", slug, "--settings", str(settings))
    assert ended.code == 1 and why in ended.err and str(settings) in ended.err


def test_other_refusals(terminal: Terminal, tmp_path: Path) -> None:
    slug = terminal.brokerage()
    gone = terminal.run("routing", "rehearse", "--brokerage", slug, "--settings", str(tmp_path / "none.json"))
    assert gone.code == 1 and "cannot be opened" in gone.err
    when = terminal.run("routing", "rehearse", "--brokerage", slug, "--since", "lately")
    assert when.code == 1 and "such as 30d" in when.err
    assert terminal.run("routing", "rehearse", "--brokerage", slug, "--csv", "--json").code == 2


def test_memory_does_not_grow_with_the_leads(terminal: Terminal) -> None:
    slug, _ = routed(terminal, [f"A house {number}" for number in range(3_000)])

    async def work(store: EventStore) -> list[int]:
        tenant_id = await tenant_of(store.database, slug)
        ((head,),) = await store.database.rows(HEAD, {"tenant": tenant_id})
        first_lead = head - 3_000
        peaks = []
        for leads in (3_000, 1_000, 3_000):
            team = await rehearsed_team(store, tenant_id, await team_of(store, tenant_id), Routing("random"))
            rehearsal = await begun(store, tenant_id, team, first_lead, now())
            tracemalloc.start()
            seen = 0
            async for _, found in rehearse(store, tenant_id, team, rehearsal, first_lead, first_lead + leads):
                seen += len(found)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
            assert (seen, rehearsal.leads) == (leads, leads)
        return peaks

    # The first time, what is made once is made: statements, classes.
    _, few, many = terminal.in_store(work)
    assert many < 1.2 * few + 100_000
