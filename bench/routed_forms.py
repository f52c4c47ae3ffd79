"""Routing end to end: forms over HTTP to a process of the product, with the model's process beside it.

The enquiries of ``tests/routing/data`` are sent as forms, and judged by what the event of each lead says. What
``semantic`` costs is told by two brokerages with the same 200 agents, of which the other is in ``round_robin``; both
take turns.
"""

import asyncio
import http.client
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from uuid import UUID

import orjson
import psycopg

from aureum.app import open_store
from aureum.commands.brokerages import OpenBrokerage, open_brokerage
from aureum.commands.routing import ChangeRouting, change_routing
from aureum.commands.users import ChangeUser, CreateUser, change_user, create_user
from aureum.domain.routing.ranking import DECIDED
from aureum.domain.routing.settings import Routing
from aureum.routing.model_process import ModelProcess
from aureum.routing.profile import Profile
from aureum.settings import Settings
from aureum.store.cipher import MasterKey
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.postgres.migrate import migrate
from bench.databases import database, server
from bench.load import Load, post, send
from bench.processes import MASTER_KEY, Server, aureum, cpu_seconds
from bench.rows import Row
from bench.tenants import form, numbers
from tests.routing.enquiries import Case, cases, profiles

ORIGIN = Origin(COMMAND_LINE)

ROUTED = """
SELECT d ->> 'number', d ->> 'assigned_to', d -> 'routing'
  FROM events e, LATERAL (SELECT convert_from(e.data, 'UTF8')::json AS d)
 WHERE e.tenant_id = %(tenant)s AND e.type = 'lead.captured' ORDER BY e.position
"""

MISSED = """
SELECT coalesce(d -> 'routing' -> 'ranking' ->> 'missing', 'none'), count(*)
  FROM events e, LATERAL (SELECT convert_from(e.data, 'UTF8')::json AS d)
 WHERE e.tenant_id = %(tenant)s AND e.type = 'lead.captured' GROUP BY 1 ORDER BY 1
"""

REGIMES = {True: "full profiles", False: "specialties only"}
BUDGETS = {True: (86.0, 91.0, 80.0, 92.0), False: (71.0, 0.0, 66.0, 82.0)}

MORE_AT_P50, MORE_AT_P99 = 4.0, 15.0
FORMS_A_SECOND = 300
MOST_A_SECOND = 2_000
"""More than are answered: no form is sent twice."""


@dataclass(frozen=True)
class Firm:
    """A brokerage, and its agents by the ids of the data."""

    tenant_id: UUID
    host: str
    agents: dict[UUID, UUID]


async def open_firm(store: EventStore, name: str, agents: Sequence[Profile], mode: str) -> Firm:
    """A brokerage with agents of these profiles."""
    host = f"{name}.example.com"
    opening = OpenBrokerage(name=name, slug=name, domains=(host,), plan="Elite")
    tenant_id = (await open_brokerage(store, opening, ORIGIN)).id
    known = {}
    for place, one in enumerate(agents):
        joining = CreateUser(tenant_id=tenant_id, email=f"agent{place}@{host}", name=f"Agent {place}", role="agent")
        user = await create_user(store, joining, ORIGIN)
        profile = {
            "specialties": one.specialties,
            "areas": one.areas,
            "languages": one.languages,
            "bio": one.bio or None,
        }
        change = ChangeUser(tenant_id=tenant_id, user_id=user.id, profile=profile)
        await change_user(store, change, ORIGIN, check=lambda _: None)
        known[one.user_id] = user.id
    await change_routing(store, ChangeRouting(tenant_id=tenant_id, routing=Routing(mode=mode)), ORIGIN)
    return Firm(tenant_id, host, known)


async def open_firms(url: str, many: Sequence[Profile]) -> tuple[dict[bool, Firm], dict[str, Firm]]:
    """Those that are judged, with bios and without, and those that are timed, by their modes."""
    await migrate(url, MasterKey(MASTER_KEY))
    async with open_store(Settings(database_url=url), url, MASTER_KEY) as store:
        judged = {bios: await open_firm(store, f"judged{bios:d}", profiles(bios=bios), "semantic") for bios in REGIMES}
        modes = ("semantic", "round_robin")
        timed = {mode: await open_firm(store, mode.replace("_", ""), many, mode) for mode in modes}
        return judged, timed


def form_of(case: Case) -> dict[str, str | None]:
    """An enquiry as a form that has not been sent yet."""
    said = case.enquiry
    return {
        **form(next(numbers)),
        "subject": said.subject or "Question",
        "message": said.message,
        "source_page": said.page or None,
    }


def ask(running: Server, firm: Firm, case: Case) -> int:
    """The number of the lead that the form makes. Raises RuntimeError if it is refused."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
    try:
        about = {"Host": firm.host, "Content-Type": "application/json"}
        connection.request("POST", "/api/contact", orjson.dumps(form_of(case)), about)
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(body.decode())
        number: int = orjson.loads(body)["lead_id"]
        return number
    finally:
        connection.close()


@dataclass(frozen=True)
class Judged:
    """What became of an enquiry: who got it and how, and the pool, the best first."""

    right: frozenset[UUID]
    assigned: UUID | None
    how: str
    missing: str | None
    pool: list[UUID]


def judged(url: str, running: Server, firm: Firm) -> list[Judged]:
    """Send each enquiry that an agent is right for, one after the other, and read what the events say."""
    asked = [one for one in cases() if one.right]
    # The model makes the profiles ready when it is asked about them first.
    for one in asked[:20]:
        ask(running, firm, one)
        time.sleep(0.1)
    numbers_of = [ask(running, firm, one) for one in asked]
    with psycopg.connect(url) as connection:
        rows = connection.execute(ROUTED, {"tenant": firm.tenant_id}).fetchall()
    events = {int(number): (assigned, routing) for number, assigned, routing in rows}
    found = []
    for one, number in zip(asked, numbers_of, strict=True):
        assigned, routing = events[number]
        found.append(
            Judged(
                frozenset(firm.agents[agent] for agent in one.right),
                None if assigned is None else UUID(assigned),
                routing["ranking"]["how"],
                routing["ranking"]["missing"],
                [UUID(agent) for agent, _ in routing["pool"]],
            )
        )
    return found


def accuracy(regime: str, found: Sequence[Judged], budget: Sequence[float]) -> Row:
    """A row of shares."""
    decided = [one for one in found if one.how in DECIDED]

    def share(hits: int, of: int) -> float:
        return round(100 * hits / max(1, of), 1)

    shares = (
        share(sum(one.pool[0] in one.right for one in found), len(found)),
        share(sum(not one.right.isdisjoint(one.pool[:2]) for one in found), len(found)),
        share(sum(one.assigned in one.right for one in found), len(found)),
        share(sum(one.assigned in one.right for one in decided), len(decided)),
    )
    first, two, assigned, right = shares
    late = sum(one.missing is not None for one in found)
    return Row(
        f"form to lead, {regime}",
        f"first {first} %, two {two} %, assigned {assigned} %, of {len(decided)} decided {right} %",
        f"{late} of {len(found)} without the model's answer",
        budget="≥ " + ", ".join(f"{least:.0f}" for least in budget) + " %",
        met=all(share >= least for share, least in zip(shares, budget, strict=True)),
    )


@dataclass
class Slices:
    """The loads of one brokerage, and the CPU of each in milliseconds a form: of the process, of its database sessions,
    and of the model."""

    loads: list[Load] = field(default_factory=list)
    cpu: list[tuple[float, ...]] = field(default_factory=list)

    def middle(self, name: str) -> float:
        """The median of a figure of the loads."""
        return float(median(getattr(load, name) for load in self.loads))

    def __str__(self) -> str:
        cpu = " + ".join(f"{median(values):.1f}" for values in zip(*self.cpu, strict=True))
        told = f", CPU {cpu} ms" if cpu else ""
        rate, p50, p99 = map(self.middle, ("rate", "p50", "p99"))
        return f"{rate:.0f}/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms{told}"


def cpu(running: Server, model: ModelProcess) -> tuple[float, ...] | None:
    """Seconds of CPU so far; None where that cannot be told."""
    ours = running.cpu_seconds()
    return None if ours is None else (*ours, cpu_seconds(model.process.pid))


def in_turns(
    running: Server, model: ModelProcess, firms: dict[str, Firm], connections: int, seconds: int, rounds: int
) -> dict[str, Slices]:
    """Loads of both brokerages, slice by slice."""
    found = {mode: Slices() for mode in firms}
    for turn in range(rounds):
        for mode, firm in list(firms.items())[:: 1 if turn % 2 else -1]:
            forms = islice(cycle(cases()), MOST_A_SECOND * seconds)
            requests = [post(firm.host, "/api/contact", orjson.dumps(form_of(one))) for one in forms]
            before = cpu(running, model)
            load = send(running.port, requests, connections, seconds)
            after = cpu(running, model)
            if load.errors:
                raise RuntimeError(f"{load.errors} of {load.answered} forms failed")
            found[mode].loads.append(load)
            if before is not None and after is not None:
                took = zip(before, after, strict=True)
                found[mode].cpu.append(tuple(1_000 * (late - early) / load.answered for early, late in took))
    return found


def cost(running: Server, model: ModelProcess, firms: dict[str, Firm], seconds: int, rounds: int) -> list[Row]:
    """What a form takes in ``semantic`` beside ``round_robin``."""
    rows = []
    for connections in (1, 4, 16):
        found = in_turns(running, model, firms, connections, seconds, rounds)
        ours, theirs = found["semantic"], found["round_robin"]
        more = [ours.middle(name) - theirs.middle(name) for name in ("p50", "p99")]
        budget, met = "", None
        if connections == 1:
            budget = f"≤ {MORE_AT_P50:.0f} and {MORE_AT_P99:.0f} ms more"
            met = more[0] <= MORE_AT_P50 and more[1] <= MORE_AT_P99
        if connections == 16:
            budget, met = f"≥ {FORMS_A_SECOND}/s", ours.middle("rate") >= FORMS_A_SECOND
        what = f"a form in semantic, 200 agents, {connections} connection{'s' * (connections > 1)}"
        told = f"{more[0]:+.1f}, {more[1]:+.1f} ms"
        rows.append(Row(what, str(ours), f"round_robin: {theirs}", told, budget, met))
    return rows


def missed(url: str, firm: Firm) -> Row:
    """How often the model should have been asked and gave no answer in time."""
    with psycopg.connect(url) as connection:
        counts: dict[str, int] = dict(connection.execute(MISSED, {"tenant": firm.tenant_id}).fetchall())
    forms = sum(counts.values())
    told = ", ".join(f"{count} {why}" for why, count in counts.items() if why != "none") or "none"
    return Row("of those forms, without the model's answer", f"{told} of {forms:,}")


@contextmanager
def opened(many: Sequence[Profile]) -> Iterator[tuple[str, Server, ModelProcess, dict[bool, Firm], dict[str, Firm]]]:
    """A database with the brokerages, the model's process, and a process of the product."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aureum-bench-")))
        url = stack.enter_context(database(stack.enter_context(server()), "routing"))
        model = stack.enter_context(ModelProcess())
        to_judge, timed = asyncio.run(open_firms(url, many))
        yield url, stack.enter_context(aureum(url, directory, model=model.path)), model, to_judge, timed


def run(many: Sequence[Profile], *, quick: bool) -> list[Row]:
    """Judge and measure; *many* are the profiles of those with many agents."""
    with opened(many) as (url, running, model, to_judge, timed):
        rows = [
            accuracy(regime, judged(url, running, to_judge[bios]), BUDGETS[bios]) for bios, regime in REGIMES.items()
        ]
        # The many agents' profiles have a thousand sentences.
        for firm in timed.values():
            for one in cases()[:40]:
                ask(running, firm, one)
                time.sleep(0.0 if quick else 0.2)
        rows += cost(running, model, timed, 2 if quick else 8, 1 if quick else 5)
        return [*rows, missed(url, timed["semantic"])]
