"""A shard of Citus moves under load to another node and back, and no form is refused. Then a worker node dies and comes
back: its own brokerages are told to come again, all others notice nothing, and no process of Aureum is started again.

It runs where AUREUM_TEST_CITUS_URL is a superuser's URL of a coordinator whose nodes are servers of this machine.
"""

import contextlib
import os
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg

from aureum.domain.ids import PLATFORM, to_wire
from tests import coordinator
from tests.conftest import MASTER_KEY
from tests.e2e.system import PATIENCE, Answer, Running, System, descendants, eventually, kill, lives, system
from tests.e2e.test_story import FORM, Inbox, inbox
from tests.replication import Postgres

URL = "AUREUM_TEST_CITUS_URL"

REFUSED_SECONDS = 2.0
"""Who is told to come again is told so within this."""

NODE_OF = """
SELECT n.nodename, n.nodeport
  FROM pg_dist_placement p
  JOIN pg_dist_node n ON n.groupid = p.groupid AND n.noderole = 'primary'
 WHERE p.shardid = get_shard_id_for_distribution_column('heads', %s::uuid)
"""

MOVE = """
SELECT citus_move_shard_placement(
           get_shard_id_for_distribution_column('heads', %s::uuid), %s, %s, %s, %s, 'force_logical'
       )
"""
"""With all that is placed beside the heads."""

LEADS = "SELECT number, lead_id, tenant_id FROM lead_list WHERE source = 'website'"


class Node(NamedTuple):
    """A server: its host and port."""

    host: str
    port: int


class Said(NamedTuple):
    """The answer to a form, when it was sent, and how many seconds it took."""

    at: float
    took: float
    answer: Answer


@dataclass
class Visitors:
    """Threads that send forms, one a brokerage, until they are told to stop."""

    serving: Running
    slugs: Sequence[str]
    ending: threading.Event = field(default_factory=threading.Event)
    heard: dict[str, list[Said]] = field(default_factory=lambda: defaultdict(list))

    def send(self, slug: str) -> None:
        while not self.ending.is_set():
            began = time.monotonic()
            answer = self.serving.ask("POST", "/api/contact", FORM | {"message": uuid4().hex}, host=domain_of(slug))
            self.heard[slug].append(Said(began, time.monotonic() - began, answer))
            self.ending.wait(0.05)

    def during(self, slug: str, began: float, ended: float) -> list[Said]:
        """What was sent within that time."""
        return [said for said in list(self.heard[slug]) if began <= said.at < ended]

    def acknowledged(self) -> dict[int, str]:
        """The leads that were stored, and whose they are."""
        return {
            said.answer.json["lead_id"]: slug
            for slug, all_said in self.heard.items()
            for said in all_said
            if said.answer.status == 200
        }


def domain_of(slug: str) -> str:
    """Where the forms of a brokerage are."""
    return f"{slug}.example"


def opened(home: System, url: str, consumer: Inbox) -> dict[str, Node]:
    """Brokerages on two nodes, with a webhook each, and where each of them is."""
    found: dict[str, Node] = {}
    while len(found) < 4 or len(set(found.values())) < 2:
        slug = f"brokerage-{len(found)}"
        named = ("--name", slug, "--slug", slug, "--plan", "elite", "--domain", domain_of(slug))
        home.json("brokerage", "create", *named)
        home.json("webhook", "create", "--brokerage", slug, "--url", consumer.url, "--event", "lead.created")
        found[slug] = node_of(url, tenant_of(url, slug))
    return found


def tenant_of(url: str, slug: str) -> Any:
    with psycopg.connect(url) as connection:
        ((tenant_id,),) = connection.execute("SELECT tenant_id FROM brokerages WHERE slug = %s", [slug]).fetchall()
    return tenant_id


def node_of(url: str, tenant_id: object) -> Node:
    """The server that has a tenant's rows."""
    with psycopg.connect(url) as connection:
        ((host, port),) = connection.execute(NODE_OF, [tenant_id]).fetchall()
    return Node(host, port)


def move(url: str, tenant_id: object, source: Node, target: Node) -> None:
    """Move a tenant, and those beside it, to another node."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(MOVE, [tenant_id, source.host, source.port, target.host, target.port])


def server_of(url: str, node: Node) -> Postgres:
    """The server, to be stopped and started."""
    there = coordinator.at(url, node.host, node.port, "postgres")
    with psycopg.connect(there) as connection:
        ((directory,),) = connection.execute("SHOW data_directory").fetchall()
    return Postgres(Path(directory), node.port)


def die(server: Postgres) -> None:
    """As in a power cut, at once: a node of Citus takes its time to stop."""
    postmaster = int((server.data / "postmaster.pid").read_text().split()[0])
    processes = descendants(postmaster)
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            kill(process)
    eventually(lambda: not any(map(lives, processes)))


def node_died(seconds: float) -> list[str]:
    """One node is away for so many seconds under load; what was violated. Nothing, where there is no coordinator."""
    given = os.environ.get(URL)
    if not given:
        print(f"Citus      left out: {URL} names no coordinator")
        return []
    settings = {"AUREUM_WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8", "AUREUM_FORM_RATE_LIMIT": "0"}
    url = coordinator.make(given, MASTER_KEY)
    with system(url, **settings) as home, inbox() as consumer:
        nodes = opened(home, url, consumer)
        # The other one has the log of the platform.
        victim = next(node for node in nodes.values() if node != node_of(url, PLATFORM))
        server = server_of(url, victim)
        serving = home.serve()
        processes = set(serving.children())
        visitors = Visitors(serving, list(nodes))
        threads = [threading.Thread(target=visitors.send, args=[slug]) for slug in nodes]
        for thread in threads:
            thread.start()
        try:
            eventually(lambda: {slug for slug in nodes if any_stored(visitors, slug, 0.0)} == set(nodes))
            time.sleep(seconds)
            moved = time.monotonic()
            slug, other = next((slug, node) for slug, node in nodes.items() if node != victim)
            for source, target in ((other, victim), (victim, other)):
                move(url, tenant_of(url, slug), source, target)
            moving = (moved, time.monotonic())
            time.sleep(seconds)
            stopped = time.monotonic()
            die(server)
            dead = time.monotonic()
            try:
                time.sleep(seconds)
                told_of = told(consumer)
            finally:
                restarted = time.monotonic()
                server.start()
            hurt = [slug for slug, node in nodes.items() if node == victim]
            back = time.monotonic()
            eventually(lambda: all(any_stored(visitors, slug, back) for slug in hurt))
            took = time.monotonic() - back
            time.sleep(seconds)
        finally:
            visitors.ending.set()
            for thread in threads:
                thread.join()
        stored = leads(url)
        missing: Callable[[], set[str]] = lambda: {lead for lead, _ in stored.values()} - told(consumer)  # noqa: E731
        deadline = time.monotonic() + PATIENCE
        while missing() and time.monotonic() < deadline:
            time.sleep(0.1)
        violations = [
            *(f"lost: no webhook told of {lead}" for lead in missing()),
            *(f"forgotten: lead {number} was acknowledged" for number in set(visitors.acknowledged()) - set(stored)),
            *judged(visitors, nodes, victim, stopped, (dead, restarted)),
        ]
        if set(serving.children()) != processes:
            violations.append("restarted: a process did not outlive the node")
        if not home.json("audit", "verify")["ok"]:
            violations.append("broken: the log is not as it was written")
        report(visitors, nodes, victim, moving, (dead, restarted), took)
        delivered = {lead for lead, tenant in stored.values() if lead in told_of}
        print(f"           {len(delivered):,} of {len(stored):,} webhooks had arrived when the node was started again")
        violations += held_up(visitors, nodes, victim, stored, told_of, stopped, restarted)
    return violations


def any_stored(visitors: Visitors, slug: str, since: float) -> bool:
    """Whether a form that was sent after that moment was stored."""
    return any(said.answer.status == 200 for said in visitors.during(slug, since, float("inf")))


def told(consumer: Inbox) -> set[str]:
    """The leads of which webhooks told."""
    return {event["data"]["id"] for event in consumer.events()}


def leads(url: str) -> dict[int, tuple[str, Any]]:
    """By number: each lead and its tenant."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(LEADS).fetchall()
    return {number: (to_wire(lead_id), tenant_id) for number, lead_id, tenant_id in rows}


def judged(
    visitors: Visitors, nodes: Mapping[str, Node], victim: Node, stopped: float, away: tuple[float, float]
) -> list[str]:
    """What was wrong with the answers."""
    violations = []
    for slug, node in nodes.items():
        for said in visitors.heard[slug]:
            status = said.answer.status
            hurt = node == victim and said.at + said.took >= stopped
            if status != 200 and not (hurt and status == 503):
                violations.append(f"wrong: {slug} was answered {status} {said.at - stopped:.1f} s after the death")
            if status == 503 and "retry-after" not in said.answer.headers:
                violations.append(f"wrong: {slug} was answered 503 without Retry-After")
            if status == 503 and said.took > REFUSED_SECONDS:
                violations.append(f"late: {slug} was refused after {said.took:.1f} s")
        if node == victim and any(said.answer.status == 200 for said in visitors.during(slug, *away)):
            violations.append(f"wrong: a form of {slug} was stored without its node")
    return violations


def held_up(
    visitors: Visitors,
    nodes: Mapping[str, Node],
    victim: Node,
    stored: Mapping[int, tuple[str, Any]],
    told_of: set[str],
    stopped: float,
    restarted: float,
) -> list[str]:
    """Brokerages of the other nodes none of whose webhooks went out while the node was away."""
    violations = []
    for slug, node in nodes.items():
        sent = [
            stored[said.answer.json["lead_id"]][0]
            for said in visitors.during(slug, stopped, restarted)
            if said.answer.status == 200
        ]
        if node != victim and not told_of.intersection(sent):
            violations.append(f"held up: no webhook of {slug} went out while the node was away")
    return violations


def report(
    visitors: Visitors,
    nodes: Mapping[str, Node],
    victim: Node,
    moving: tuple[float, float],
    away: tuple[float, float],
    back: float,
) -> None:
    """What happened, line by line."""
    meanwhile = [one for slug in nodes for one in visitors.during(slug, *moving)]
    statuses = Counter(one.answer.status for one in meanwhile)
    slowest = max((one.took for one in meanwhile), default=0.0)
    print(
        f"Citus      a shard moved twice in {moving[1] - moving[0]:.1f} s, forms meanwhile: {dict(statuses)}, "
        f"slowest answer {slowest:.2f} s"
    )
    for whose, hurt in (("its own", True), ("the others", False)):
        said = [one for slug, node in nodes.items() if (node == victim) is hurt for one in visitors.during(slug, *away)]
        statuses = Counter(one.answer.status for one in said)
        slowest = max((one.took for one in said), default=0.0)
        print(f"Citus      a node away, forms of {whose}: {dict(statuses)}, slowest answer {slowest:.2f} s")
    print(f"           first form of its own {back:.2f} s after the node had started")


if __name__ == "__main__":
    for violation in node_died(8):
        print(f"VIOLATED   {violation}")
