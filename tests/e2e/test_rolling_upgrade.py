"""A rolling upgrade: processes of the last release are replaced by this one's, one after the other, on one database and
under load. No request fails, nothing is lost, and nothing happens twice.

What balances the load is a list of those who serve. One that is to be replaced is taken off it, and gets no new
request; then it is told to stop. So the client of this test sees what a client behind a load balancer sees.
"""

import asyncio
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from psycopg import sql

from aureum.domain import ids
from aureum.registry import VERSIONED
from aureum.store import chain
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.postgres.database import connect
from aureum.store.rebuild.verifying import verify_read_model
from tests.conftest import MASTER_KEY, drop, execute, with_database
from tests.e2e.last_release import last_release, taken_out
from tests.e2e.system import Answer, Running, eventually, system
from tests.e2e.test_story import FORM, Inbox, inbox

EACH = 2
"""How often each kind of request is answered in each part of the upgrade, at least."""

PAUSE_SECONDS = 0.25
"""Of each client between its rounds: processes that start need the machine, too."""

LISTS = (
    "/api/leads?limit=20",
    "/api/leads?status=new&limit=5",
    "/api/contacts?limit=20",
    "/api/contacts?search=grace",
    "/api/properties",
    "/api/tasks?status=pending",
    "/api/showings",
    "/api/leads/count",
    "/api/events?limit=20",
    "/api/v1/admin/leads?page=1",
    "/api/v1/admin/leads?q=hopper",
)


class Load:
    """Clients that ask those who serve, each one request after the other, and remember what they were answered."""

    def __init__(self, token: str) -> None:
        self.bearer = {"Authorization": f"Bearer {token}"}
        self.serving: list[Running] = []
        self.turns = itertools.count()
        self.ending = threading.Event()
        self.answered: Counter[tuple[str, int]] = Counter()
        self.wrong: list[str] = []
        self.forms: dict[str, int] = {}
        self.renamed = 0
        self.tasks: set[str] = set()

    def ask(self, kind: str, method: str, path: str, body: object = None) -> Answer:
        """One request to the one whose turn it is. Anything but a success is remembered as wrong."""
        serving = self.serving
        one = serving[next(self.turns) % len(serving)]
        headers = {} if kind == "form" else dict(self.bearer)
        if method == "POST":
            headers["Idempotency-Key"] = uuid4().hex
        answer = one.ask(method, path, body, headers)
        self.answered[kind, answer.status] += 1
        if answer.status not in (200, 201):
            self.wrong.append(f"{method} {path}: {answer.status} {answer.body[:300]!r}")
        return answer

    def forms_come(self) -> None:
        message = uuid4().hex
        answer = self.ask("form", "POST", "/api/contact", FORM | {"message": message})
        self.forms[message] = answer.json["lead_id"]

    def lists_are_read(self) -> None:
        for path in LISTS:
            self.ask("list", "GET", path)

    def resources_change(self, contact: str, lead: str) -> Callable[[], None]:
        def change() -> None:
            self.ask("contact", "PATCH", f"/api/contacts/{contact}", {"lastName": f"Hopper {self.renamed + 1}"})
            self.renamed += 1
            status = ("contacted", "qualified")[self.renamed % 2]
            self.ask("lead", "PATCH", f"/api/leads/{lead}", {"status": status})
            task = self.ask("task", "POST", "/api/tasks", {"title": f"Call {self.renamed}"}).json["id"]
            self.ask("task", "POST", f"/api/tasks/{task}/complete")
            self.tasks.add(task)

        return change

    def again_and_again(self, work: Callable[[], None]) -> None:
        while not self.ending.is_set():
            try:
                work()
            except Exception as error:
                self.wrong.append(repr(error))
                raise
            self.ending.wait(PAUSE_SECONDS)

    @contextmanager
    def running(self, *works: Callable[[], None]) -> Iterator[None]:
        threads = [threading.Thread(target=self.again_and_again, args=[work]) for work in works]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.ending.set()
            for thread in threads:
                thread.join()

    def goes_on(self) -> None:
        """Until each kind of request was answered some times more. Fails as soon as one was answered wrongly."""
        least = {
            kind: self.answered[kind, status] + EACH * (len(LISTS) if kind == "list" else 1)
            for kind, status in (("form", 200), ("list", 200), ("contact", 200), ("lead", 200), ("task", 201))
        }
        eventually(
            lambda: (
                self.wrong
                or all(
                    sum(self.answered[kind, status] for status in (200, 201)) >= most for kind, most in least.items()
                )
            )
        )
        assert not self.wrong, self.wrong[:5]


@pytest.fixture
def empty_url(server_url: str) -> Iterator[str]:
    name = f"aureum_test_{uuid4().hex}"
    execute(server_url, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield with_database(server_url, name)
    drop(server_url, name)


async def not_as_the_logs_say(url: str) -> list[object]:
    """What is wrong with the logs of all tenants, and with the lists that were made of them."""
    keys, wrong = TenantKeys(MasterKey(MASTER_KEY)), list[object]()
    async with await connect(url) as connection:
        for tenant_id in await chain.tenants(connection):
            found = await chain.verify(connection, tenant_id)
            wrong += [found] if isinstance(found, chain.Broken) else []
            for model in VERSIONED:
                wrong += (await verify_read_model(url, keys, model.NAME, tenant_id)).named
    return wrong


def delivered(consumer: Inbox) -> Counter[str]:
    """How often each webhook came, by its id."""
    return Counter(event["id"] for event in consumer.events())


def test_processes_of_the_last_release_are_replaced_one_after_the_other(empty_url: str, tmp_path: Path) -> None:
    release = last_release()
    settings = {"AUREUM_WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8", "AUREUM_FORM_RATE_LIMIT": "0"}
    path = str(taken_out(release, tmp_path))
    with (
        system(empty_url, PYTHONPATH=path, **settings) as before,
        system(empty_url, **settings) as now,
        inbox() as consumer,
    ):
        before.json("migrate")
        demo = before.json("demo")
        first, second = (before.start("serve", "--port", "0", "--no-worker") for _ in range(2))
        worker = before.start("worker")
        for one in (first, second, worker):
            one.until_said("\n")
        token = first.ask("POST", "/api/v1/auth/login", demo["admin"]).json["token"]
        load = Load(token)
        load.serving = [first, second]
        events = ["lead.created", "lead.updated", "contact.updated", "task.created", "task.completed"]
        load.ask("webhook", "POST", "/api/webhooks", {"url": consumer.url, "events": events})
        contact = load.ask("contact", "POST", "/api/contacts", {"firstName": "Grace", "lastName": "Hopper 0"}).json[
            "id"
        ]
        lead = load.ask("lead", "POST", "/api/leads", {"name": "Ada Lovelace", "email": "ada@example.com"}).json["id"]
        began = load.ask("list", "GET", "/api/leads/count").json["total"]

        with load.running(load.forms_come, load.lists_are_read, load.resources_change(contact, lead)):
            load.goes_on()
            ran = now.json("migrate")["ran"]
            # Processes of the last release serve on with what this one has made of the database.
            load.goes_on()
            # What this one archives, they go on reading: streams to which they append, lists of changes, webhooks.
            archived = now.json("archive", "--all", "--until", ids.aureum_time(ids.now()))
            assert archived["events"] > len(load.forms) and all(one["events"] for one in archived["brokerages"])
            load.goes_on()
            past = first.ask("GET", f"/api/contacts/{contact}/history", headers=load.bearer)
            assert past.status == 200 and past.json[0]["type"] == "contact.added", past
            third = now.serve("--no-worker")
            load.serving = [first, second, third]
            load.goes_on()
            load.serving = [second, third]
            assert first.stop() == 0
            load.goes_on()
            new_worker = now.start("worker")
            new_worker.until_said("\n")
            load.goes_on()
            assert worker.stop() == 0
            fourth = now.serve("--no-worker")
            load.serving = [third, fourth]
            assert second.stop() == 0
            load.goes_on()
        assert not load.wrong, load.wrong[:5]

        # Nothing is lost, and nothing happened twice.
        count = third.ask("GET", "/api/leads/count").json["total"]
        assert count == began + len(load.forms) == began + len(set(load.forms.values()))
        found = third.ask("GET", "/api/leads?source=website", headers=load.bearer).json
        messages = Counter(one["message"] for one in found)
        assert {message: messages[message] for message in load.forms} == dict.fromkeys(load.forms, 1)
        shown = third.ask("GET", f"/api/contacts/{contact}", headers=load.bearer)
        assert shown.json["lastName"] == f"Hopper {load.renamed}"
        # Behind a period stands what a rebuild of lists has changed, if this release needs one.
        assert shown.headers["etag"].strip('"').split(".")[0] == f"v{1 + load.renamed}"
        done = {one["id"] for one in third.ask("GET", "/api/tasks?status=completed", headers=load.bearer).json}
        assert load.tasks <= done

        expected = len(load.forms) + 1 + load.renamed * 4
        eventually(lambda: len(delivered(consumer)) >= expected)
        assert sorted(delivered(consumer).values()) == [1] * expected
        for one in (third, fourth, new_worker):
            assert one.stop() == 0
        assert asyncio.run(not_as_the_logs_say(empty_url)) == []

        # To go back: the program of the last release leaves this database alone.
        if ran:
            refused = before.run("migrate")
            assert refused.code == 1
            assert f"newer than this program (Aureum {release.version})" in refused.err, refused
