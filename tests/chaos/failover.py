"""The primary dies under load, and its standby is promoted: what was acknowledged is there, and no process of Aureum is
started again. The URL names both servers, and replication is synchronous.
"""

import asyncio
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from uuid import uuid4

import psycopg

from aureum.domain.ids import to_wire
from aureum.store.cipher import MasterKey
from aureum.store.postgres.migrate import migrate
from tests.conftest import MASTER_KEY
from tests.e2e.system import PATIENCE, Running, eventually, system
from tests.e2e.test_story import FORM, inbox
from tests.replication import replicated, url_of

CLIENTS = 4
DEAD_SECONDS = 2.0
"""How long there is no primary."""

WEBSITE_LEADS = "SELECT number, lead_id FROM lead_list WHERE source = 'website'"

WRITES_AGAIN_SECONDS = 10.0
"""After the promotion a form is stored within this, on any machine. The report has the time that it took: on one that
does nothing else, a tenth of a second."""


@dataclass
class Visitors:
    """Threads that send forms until they are told to stop."""

    serving: Running
    ending: threading.Event = field(default_factory=threading.Event)
    acknowledged: dict[int, float] = field(default_factory=dict)
    """The leads that were stored, and when that was said."""
    statuses: Counter[int] = field(default_factory=Counter)

    def send(self) -> None:
        while not self.ending.is_set():
            answer = self.serving.ask("POST", "/api/contact", FORM | {"message": uuid4().hex})
            self.statuses[answer.status] += 1
            if answer.status == 200:
                self.acknowledged[answer.json["lead_id"]] = time.monotonic()
            self.ending.wait(0.02)

    def since(self, moment: float) -> float:
        """The seconds from *moment* to the first form that was stored after it."""
        eventually(lambda: any(at > moment for at in list(self.acknowledged.values())))
        return min(at for at in list(self.acknowledged.values()) if at > moment) - moment


def failed_over(seconds: float) -> list[str]:
    """One fail-over after so many seconds of load, and as many after it; what was violated."""
    settings = {"AUREUM_WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8", "AUREUM_FORM_RATE_LIMIT": "0"}
    with replicated(synchronous=True) as (primary, standby):
        both = url_of(primary.host, standby.host, target_session_attrs="read-write")
        asyncio.run(migrate(primary.url, MasterKey(MASTER_KEY)))
        with system(both, **settings) as home, inbox() as consumer:
            home.json("demo")
            home.json("webhook", "create", "--brokerage", "demo", "--url", consumer.url, "--event", "lead.created")
            serving = home.serve()
            newest = serving.ask("POST", "/api/contact", FORM).json["lead_id"]
            processes = set(serving.children())
            visitors = Visitors(serving)
            threads = [threading.Thread(target=visitors.send) for _ in range(CLIENTS)]
            for thread in threads:
                thread.start()
            try:
                time.sleep(seconds)
                primary.stop()
                time.sleep(DEAD_SECONDS)
                standby.promote()
                promoted = time.monotonic()
                took = visitors.since(promoted)
                time.sleep(seconds)
            finally:
                visitors.ending.set()
                for thread in threads:
                    thread.join()
            with psycopg.connect(standby.url) as connection:
                stored: dict[int, str] = {
                    number: to_wire(lead_id)
                    for number, lead_id in connection.execute(WEBSITE_LEADS).fetchall()
                    if number > newest
                }
            deadline = time.monotonic() + PATIENCE
            while len(told := {event["data"]["id"] for event in consumer.events()}) < len(stored):
                if time.monotonic() > deadline:
                    break
                time.sleep(0.1)
            violations = [
                f"forgotten: lead {number} was acknowledged" for number in set(visitors.acknowledged) - set(stored)
            ]
            violations += [f"lost: no webhook told of {lead}" for lead in set(stored.values()) - told]
            if strange := set(visitors.statuses) - {200, 503}:
                violations.append(f"wrong: forms were answered with {sorted(strange)}")
            if set(serving.children()) != processes:
                violations.append("restarted: a process did not outlive the fail-over")
            if took > WRITES_AGAIN_SECONDS:
                violations.append(f"late: the first form was stored {took:.1f} s after the promotion")
            if not home.json("audit", "verify")["ok"]:
                violations.append("broken: the log is not as it was written")
    print(
        f"fail-over  {len(visitors.acknowledged):,} forms acknowledged, {len(stored):,} stored, "
        f"{visitors.statuses[503]:,} told to come again; first write {took:.2f} s after the promotion"
    )
    return violations
