"""How fast the lead list and the lead counts are made anew from a long log, and in how much memory.

The rebuild runs in a process of its own, so that its peak memory is its own: once for a short log and once for one that
is ten times as long. Each is rebuilt twice; the second time counts, since a live version then stands beside it.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.utils import get_topic

from aureum.domain import ids
from aureum.domain.lead import STATUSES, Lead
from aureum.processes.resident import collect_seldom
from aureum.projections import lead_counts, lead_list
from aureum.store.append import GROUP_LIMIT, Append, call
from aureum.store.cipher import MasterKey, TenantKey, TenantKeys
from aureum.store.mapper import EventMapper
from aureum.store.metadata import VISITOR, Origin, encode
from aureum.store.postgres.database import connect
from aureum.store.postgres.migrate import migrate
from aureum.store.rebuild.rebuild import REBUILDABLE, rebuild
from bench.databases import database, server
from bench.rows import Row

EVENTS = 200_000
SHORT = 10
"""How many times shorter the short log is."""

AT_LEAST = 20_000
SAME = 1.2
CAPTURES = 0.4
MASTER_KEY = b"a master key for the bench only!"
LEAD = get_topic(Lead)
EVENTS_OF: Any = Lead
"""mypy does not see the fields that the library's dataclasses add to an event."""

PEAK = "VmHWM:"
URL_VARIABLE = "AUREUM_BENCH_REBUILD_URL"


@dataclass
class Open:
    """What is remembered of a lead while its events are made."""

    lead_id: UUID
    key: AESGCM
    version: int = 1
    status: str = "new"
    assigned_to: UUID | None = None


class Brokerage:
    """Makes the events of one tenant: 40 % captures, the rest changes of any lead captured before."""

    def __init__(self, tenant_id: UUID, key: TenantKey, seed: int) -> None:
        self.tenant_id = tenant_id
        self.key = key
        self.dice = random.Random(seed)
        self.at = datetime.fromisoformat("2025-01-15T10:30:00+00:00")
        self.leads: list[Open] = []
        self.changed: set[UUID] = set()
        self.agents = [ids.new_id() for _ in range(5)]
        self.mapper = EventMapper(tenant_id, lambda _: self.subject)
        self.subject: AESGCM | None = None
        self.metadata = encode(Origin(VISITOR), "CaptureLead", 1, 1)

    def group(self, events: int) -> list[Append]:
        """The next events, each of another lead, as they would wait for one call."""
        self.changed.clear()
        return [self._next() for _ in range(events)]

    def _next(self) -> Append:
        self.at += timedelta(seconds=20)
        lead = self.dice.choice(self.leads) if self.leads and self.dice.random() >= CAPTURES else None
        if lead is None or lead.lead_id in self.changed:
            return self._capture()
        return self.change_of(lead)

    def change_of(self, lead: Open) -> Append:
        """The next change of one lead."""
        return self._append(lead, self._change(lead), b"")

    def _capture(self) -> Append:
        number = len(self.leads) + 1
        lead_id = ids.new_id(self.at)
        key, wrapped = self.key.new_subject_key(lead_id)
        lead = Open(lead_id, key)
        self.leads.append(lead)
        event = EVENTS_OF.Captured(
            originator_id=lead_id,
            originator_version=1,
            originator_topic=LEAD,
            timestamp=self.at,
            number=number,
            first_name="Jane",
            last_name=f"Doe-{number}",
            email=f"jane{number}@example.com",
            phone="+1-555-0200",
            phone_e164="+15550200",
            subject="A house with a garden",
            message="Interested in the Beverly Hills listing; could I see it on Saturday afternoon?",
            notes=None,
            source=self.dice.choice(("website", "zillow", "referral")),
            source_domain="b1.example.com",
            source_page=f"/property/{number % 300}",
            utm_source="google",
            utm_medium="cpc",
            utm_campaign=None,
            status="new",
            assigned_to=None,
            created_by=None,
            routing=None,
            contact_id=None,
            because=None,
        )
        return self._append(lead, event, wrapped)

    def _change(self, lead: Open) -> Any:
        lead.version += 1
        about: dict[str, Any] = {
            "originator_id": lead.lead_id,
            "originator_version": lead.version,
            "timestamp": self.at,
        }
        chance = self.dice.random()
        if chance < 0.6:
            previous, lead.status = lead.status, self.dice.choice([s for s in STATUSES if s != lead.status])
            return EVENTS_OF.StatusChanged(**about, previous=previous, status=lead.status)
        if chance < 0.85:
            before, lead.assigned_to = lead.assigned_to, self.dice.choice(self.agents)
            return EVENTS_OF.Assigned(**about, previous=before, assigned_to=lead.assigned_to)
        return EVENTS_OF.DetailsChanged(**about, details={"message": f"Version {lead.version} of what is wanted."})

    def _append(self, lead: Open, event: Any, wrapped: bytes) -> Append:
        self.subject = lead.key
        self.changed.add(lead.lead_id)
        stored = self.mapper.to_stored_event(event)
        # The read model is left to the rebuild.
        return Append(self.tenant_id, lead.lead_id, lead.version - 1, [stored], [self.metadata], {}, wrapped)


async def fill(url: str, events: int, seed: int) -> UUID:
    """A new tenant with a log of that length."""
    tenant_id = ids.new_id()
    wrapped = MasterKey(MASTER_KEY).new_tenant_key(tenant_id)
    brokerage = Brokerage(tenant_id, MasterKey(MASTER_KEY).open_tenant_key(tenant_id, wrapped), seed)
    async with await connect(url) as connection:
        await connection.execute("INSERT INTO heads (tenant_id) VALUES (%s)", [tenant_id])
        await connection.execute("INSERT INTO tenant_keys (tenant_id, wrapped) VALUES (%s, %b)", [tenant_id, wrapped])
        for begin in range(0, events, GROUP_LIMIT):
            group = brokerage.group(min(GROUP_LIMIT, events - begin))
            outcomes = {made.outcome for made in await call(connection, group, "2s")}
            if outcomes != {"appended"}:
                raise RuntimeError(f"appending the bench's events ended with {outcomes}")
    return tenant_id


def peak_megabytes() -> float:
    """The most memory that this process has had resident."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(PEAK)) / 1024


async def measure(url: str, tenant_id: UUID) -> dict[str, Any]:
    """Rebuild every read model of the tenant twice; what the second time took."""
    collect_seldom()  # as the command does
    keys = TenantKeys(MasterKey(MASTER_KEY))
    measured: dict[str, Any] = {"rss_before_mb": round(peak_megabytes())}
    for model in REBUILDABLE:
        for _ in range(2):
            rebuilt = await rebuild(url, keys, model.NAME, tenant_id)
        measured[model.NAME] = {
            "events": rebuilt.events,
            "rows": rebuilt.rows,
            "seconds": round(rebuilt.seconds, 2),
            "events_per_second": round(rebuilt.events / rebuilt.seconds),
        }
    return measured | {"peak_rss_mb": round(peak_megabytes())}


def measure_apart(url: str, tenant_id: UUID) -> dict[str, Any]:
    """``measure`` in a process of its own."""
    command = [sys.executable, "-m", "bench.rebuild", str(tenant_id)]
    done = subprocess.run(
        command, env=os.environ | {URL_VARIABLE: url}, check=True, stdout=subprocess.PIPE, text=True, timeout=600
    )
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


async def prepare(url: str, events: int) -> tuple[UUID, UUID]:
    """A short and a long log."""
    await migrate(url, MasterKey(MASTER_KEY))
    return await fill(url, events // SHORT, 1), await fill(url, events, 2)


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measure the short log and the long one; prints events a second and peak memory of both."""
    events = EVENTS // 10 if quick else EVENTS
    with server() as server_url, database(server_url, "rebuild") as url:
        short, long = asyncio.run(prepare(url, events))
        measured = {"short": measure_apart(url, short), "long": measure_apart(url, long)}
    for length, found in measured.items():
        for model in REBUILDABLE:
            about = found[model.NAME]
            print(
                f"{length:6}{model.NAME:12}{about['events']:9,} events {about['rows']:7,} rows"
                f" {about['seconds']:7.2f} s {about['events_per_second']:8,} events/s"
            )
        print(f"{length:6}peak RSS {found['peak_rss_mb']} MB, of which {found['rss_before_mb']} before it began")
    return measured


def rows(measured: dict[str, Any]) -> list[Row]:
    """What ``run`` found, held against the budget."""
    long, short = measured["long"], measured["short"]
    table = []
    for model, at_least in ((lead_list.LIST, AT_LEAST), (lead_counts, None)):
        about = long[model.NAME]
        rate = about["events_per_second"]
        budget, met = (f"≥ {at_least:,}/s", rate >= at_least) if at_least else ("", None)
        found = f"{rate:,} events/s"
        table.append(Row(f"rebuild of {model.NAME} from {about['events']:,} events", found, budget=budget, met=met))
    found, against = (f"{found['peak_rss_mb']} MB peak" for found in (long, short))
    constant = long["peak_rss_mb"] <= short["peak_rss_mb"] * SAME
    table.append(
        Row(f"memory of that, against a log {SHORT} times shorter", found, against, budget="same", met=constant)
    )
    return table


if __name__ == "__main__":
    if len(sys.argv) == 1:
        run()
    else:
        print(json.dumps(asyncio.run(measure(os.environ[URL_VARIABLE], UUID(sys.argv[1])))))
