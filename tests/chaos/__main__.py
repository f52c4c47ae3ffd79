"""``python -m tests.chaos [--seconds N] [--rate N] [--seed N]``: a bounded run and a report; 1 if a rule was violated.

healthy endpoints alone           a fifth of the time: how long it takes when nothing is wrong
evil ones come                    three tenths: the healthy are to notice nothing
workers are killed, PostgreSQL    half: kill -9, SIGTERM and SIGSTOP by chance; in the middle the database crashes
everybody behaves                 what waits for its next attempt is hurried, by SQL, and new workers forget who was
                                  dead: else it would take three days; then the oracle judges
the primary dies                  of two PostgreSQL 15 with synchronous replication, under load; the other takes over
a node of Citus dies              and comes back, where AUREUM_TEST_CITUS_URL names a coordinator
"""

import argparse
import asyncio
import contextlib
import logging
import random
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aureum.domain.errors import Unavailable
from aureum.store.cipher import MasterKey
from aureum.store.event_store import EventStore
from aureum.store.postgres import embedded
from aureum.store.postgres.migrate import migrate
from aureum.store.postgres.notify import Notifier
from tests.chaos import facts, oracle
from tests.chaos.citus import node_died
from tests.chaos.failover import failed_over
from tests.chaos.scene import EVIL, HEALTHY, TENANTS, Scene
from tests.chaos.talker import talker
from tests.chaos.workers import Workers, workers
from tests.conftest import MASTER_KEY
from tests.stores import opened_store
from tests.webhooks.crash import crash

DRAIN_SECONDS = 120
AT_ONCE = 30
"""Leads that come together while workers are killed: there is to be something under way."""

SHOWN = 20
"""Violations of which the report tells."""


@dataclass
class Run:
    """What a run is made of."""

    server: embedded.EmbeddedServer
    scene: Scene
    workers: Workers
    dice: random.Random
    seconds: float
    rate: float
    overdue: int = 0

    async def undisturbed(self) -> list[tuple[float, float]]:
        """Two periods, when they began and ended: healthy endpoints alone, then beside evil ones."""
        # The workers are up when the first leads have come through.
        await self.scene.load(2, self.rate)
        await self.scene.drain(30)
        alone = await self.scene.load(self.seconds * 0.2, self.rate)
        await self.scene.spoil()
        beside = await self.scene.load(self.seconds * 0.3, self.rate)
        return [alone, beside]

    async def torment(self) -> tuple[float, float]:
        """Kill and restart all that there is, while leads keep coming; when that began and ended."""
        works = (self.workers.torment(self.dice), self.restart(), self.watch())
        tasks = [asyncio.create_task(work) for work in works]
        try:
            period = await self.scene.load(self.seconds * 0.5, 2 * self.rate, at_once=AT_ONCE)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for result in ended:
            if isinstance(result, Exception):
                raise result
        return period

    async def watch(self) -> None:
        """Until cancelled, remember the largest number of leases that were found overdue."""
        while True:
            await asyncio.sleep(1)
            with contextlib.suppress(Unavailable):
                ((number,),) = await self.scene.rows(facts.OVERDUE)
                self.overdue = max(self.overdue, number)

    async def restart(self) -> None:
        """In the middle the database stops as in a power cut, and comes back."""
        await asyncio.sleep(self.seconds * 0.25)
        with self.workers.disturbing("PostgreSQL crashed"):
            self.workers.database_is_up = False
            await asyncio.to_thread(crash, self.server.url)
            await asyncio.sleep(1)
            await asyncio.to_thread(self.server.revive)
        self.workers.database_is_up = True


async def judged(run: Run, periods: list[tuple[float, float]], left: int) -> list[str]:
    """The report, line by line on standard output; what was violated."""
    scene, disturbances = run.scene, run.workers.disturbances
    receipts: list[dict[str, Any]] = await scene.receiver.ask({"dump": True})
    expected, recorded, log = await facts.expected(scene), await facts.recorded(scene), await facts.tried(scene)
    near, far = oracle.duplicates(receipts, disturbances)
    alone, beside, tormented = (oracle.latencies(recorded, receipts, *period) for period in periods)
    longest = max(tormented, default=0.0)
    before, after = (oracle.percentile(values, 99) for values in (alone, beside))
    said = [
        f"leads      {len(scene.acknowledged):,} acknowledged, {scene.refused:,} told to come again, "
        f"{len(recorded):,} stored",
        f"endpoints  {TENANTS * HEALTHY} healthy, {len(EVIL)} evil, of {TENANTS} brokerages",
        f"requests   {len(receipts):,} for {len(expected):,} deliveries; {len(log):,} attempts logged, "
        f"{sum(one.outcome == 'superseded' for one in log):,} of them superseded",
        f"tormented  {', '.join(f'{number} × {kind}' for kind, number in run.workers.number.items())}",
        f"duplicates {near:,} near a disturbance, {len(far):,} elsewhere",
        f"latency    commit to receipt at the healthy: p50 {oracle.percentile(alone, 50):.0f} ms, p99 {before:.0f} ms "
        f"of {len(alone):,}; beside the evil p50 {oracle.percentile(beside, 50):.0f} ms, p99 {after:.0f} ms "
        f"of {len(beside):,}; ratio of p99 {after / max(before, 0.001):.2f}",
        f"           while tormented p50 {oracle.percentile(tormented, 50):.0f} ms, p99 "
        f"{oracle.percentile(tormented, 99):,.0f} ms, longest {longest:,.0f} ms of {len(tormented):,}",
    ]
    print("\n".join(said))
    violations = [
        *run.workers.violations,
        *await facts.forgotten(scene),
        *oracle.lost_or_invented(expected, receipts),
        *oracle.forged_or_changed(receipts),
        *oracle.not_as_logged(expected, receipts, log, disturbances),
    ]
    if left:
        violations.append(f"left: {left} deliveries, or tenants, were not done with in {DRAIN_SECONDS} s")
    if run.overdue:
        violations.append(f"overdue: {run.overdue} deliveries were leased 25 s after their lease had ended")
    if len(far) > oracle.DUPLICATES_AT_MOST * len(receipts):
        violations += [f"duplicate: {delivery} after {again - first:.1f} s" for delivery, first, again in far]
    if longest > oracle.LATE_MS:
        violations.append(f"late: something took {longest / 1000:.0f} s to a healthy endpoint")
    if oracle.is_slower(before, after):
        violations.append(
            f"slower: p99 at the healthy rose from {before:.0f} to {after:.0f} ms; allowed are "
            f"{oracle.SLOWER_AT_MOST} times as much, or {oracle.SLOWER_AT_MOST * oracle.FLOOR_MS:.0f} ms"
        )
    return violations


async def perform(server: embedded.EmbeddedServer, log: Path, seconds: float, rate: float, seed: int) -> list[str]:
    """One run on a new server; what was violated."""
    async with (
        opened_store(server.url) as plain,
        Notifier(plain.database) as notifier,
        talker("tests.chaos.receiver") as receiver,
        workers(server.url, log) as working,
    ):
        store = EventStore(plain.database, plain.writer, plain.keys, notifier)
        scene = Scene(store, receiver, receiver.hello["port"], receiver.hello["dead"])
        run = Run(server, scene, working, random.Random(seed), seconds, rate)
        await scene.open()
        print("The healthy alone, then beside the evil …", flush=True)
        periods = await run.undisturbed()
        print("Killing …", flush=True)
        periods.append(await run.torment())
        print("Healing …", flush=True)
        with working.disturbing("renewal"):
            await working.renew()
        await scene.heal()
        left = await scene.drain(DRAIN_SECONDS)
        return await judged(run, periods, left)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make chaos", description="Everything goes wrong, and nothing is lost.")
    parser.add_argument("--seconds", type=float, default=60, help="of load; as long again goes by before and after")
    parser.add_argument("--rate", type=float, default=20, help="leads a second")
    parser.add_argument("--seed", type=int, default=None, help="of the killer's dice; printed")
    given = parser.parse_args()
    seed = random.randrange(1_000_000) if given.seed is None else given.seed
    print(f"{given.seconds:.0f} s at {given.rate:.0f} leads a second, --seed {seed}", flush=True)
    started = time.monotonic()
    # That the database is away while it is restarted is no news.
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    directory = Path(tempfile.mkdtemp(prefix="aureum-chaos-"))
    with embedded.throwaway() as server:
        asyncio.run(migrate(server.url, MasterKey(MASTER_KEY)))
        violations = asyncio.run(perform(server, directory / "workers.log", given.seconds, given.rate, seed))
    print("Failing over …", flush=True)
    violations += failed_over(given.seconds * 0.1)
    violations += node_died(given.seconds * 0.1)
    print(f"took       {time.monotonic() - started:.0f} s")
    for violation in violations[:SHOWN]:
        print(f"VIOLATED   {violation}")
    if violations:
        sys.exit(f"{len(violations)} violations. What the workers said is in {directory}.")
    shutil.rmtree(directory)
    print("Nothing was lost, forged, changed or held up.")


if __name__ == "__main__":
    main()
