"""Webhooks with a worker beside the HTTP process: a test, a delivery again, a replay, nothing lost while disabled."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from aureum.http.api.webhooks.ping import WAIT_SECONDS
from tests.http.api.webhooks.hooks import made
from tests.http.operator import Operator, Tenant
from tests.http.serving import Answer, Server, served, until
from tests.webhooks.receiver import Receiver, receiving, text
from tests.webhooks.worker.workers import working


@dataclass(frozen=True)
class Live:
    """A brokerage with a webhook, whose receiver answers what ``head`` says."""

    server: Server
    tenant: Tenant
    receiver: Receiver
    head: list[str]
    id: str

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        return self.server.by_key(self.tenant, method, f"/api/webhooks/{path}", body)

    def received(self) -> list[str]:
        """The ids of what has come."""
        return [request.headers["webhook-id"] for request in self.receiver.requests]

    def statuses(self) -> list[str]:
        return [one["status"] for one in self.ask("GET", f"{self.id}/deliveries").json]


@contextmanager
def beside(work: Any) -> Iterator[Any]:
    """What the asynchronous context manager *work* gives, on a loop in a thread of its own."""
    given: list[Any] = []
    ready, done = threading.Event(), threading.Event()

    async def run() -> None:
        async with work as found:
            given.append(found)
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        assert ready.wait(20), "it did not start"
        yield given[0]
    finally:
        done.set()
        thread.join(30)


@asynccontextmanager
async def consuming(url: str, head: list[str]) -> AsyncIterator[Receiver]:
    """A worker, and a consumer that answers *head*."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        await text(head[0], "thanks")(writer)

    async with receiving(answer) as receiver, working(url):
        yield receiver


@pytest.fixture(scope="module")
def private(served_url: str) -> Iterator[Server]:
    """A process that may be told of loopback addresses."""
    with served(served_url, webhook_allow_networks="127.0.0.0/8") as running:
        yield running


@pytest.fixture
def live(served_url: str, private: Server, operator: Operator) -> Iterator[Live]:
    tenant, head = operator.brokerage(), ["200 OK"]
    with beside(consuming(served_url, head)) as receiver:
        webhook = made(private, tenant, url=receiver.url, events=["lead.*"])
        yield Live(private, tenant, receiver, head, webhook["id"])


def test_a_test_is_sent_and_answered(live: Live) -> None:
    answer = live.ask("POST", f"{live.id}/test", {"event": "showing.created"})

    # Of a receiver that takes longer, or a worker that is busy, the delivery is told as it is.
    assert answer.status in (200, 202), answer.body
    if answer.status == 202:
        until(lambda: live.ask("GET", f"deliveries/{answer.json['id']}").json["status"] == "delivered")
        answer = live.ask("GET", f"deliveries/{answer.json['id']}")
    (request,) = live.receiver.requests
    assert request.headers["x-aureum-event"] == "showing.created" and request.body.decode() == answer.json["body"]
    assert answer.json["eventId"] == request.headers["webhook-id"]
    (attempt,) = answer.json["attemptLog"]
    assert (attempt["status"], attempt["outcome"], attempt["answer"]) == (200, "delivered", "thanks")
    live.head[0] = "503 Service Unavailable"
    failed = live.ask("POST", f"{live.id}/test").json
    assert (failed["status"], failed["lastStatus"], failed["lastError"]) == ("failed", 503, "http_5xx")


def test_a_test_of_a_receiver_that_takes_its_time(served_url: str, private: Server, operator: Operator) -> None:
    @asynccontextmanager
    async def slow() -> AsyncIterator[Receiver]:
        async def answer(writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(WAIT_SECONDS + 1)
            await text("200 OK", "at last")(writer)

        async with receiving(answer) as receiver, working(served_url):
            yield receiver

    tenant = operator.brokerage()
    with beside(slow()) as receiver:
        webhook = made(private, tenant, url=receiver.url)
        started = time.monotonic()
        answer = private.by_key(tenant, "POST", f"/api/webhooks/{webhook['id']}/test")
        assert (answer.status, answer.json["status"]) == (202, "pending")
        assert time.monotonic() - started < WAIT_SECONDS + 7
        until(lambda: private.by_key(tenant, "GET", answer.headers["location"]).json["status"] == "delivered")
        (attempt,) = private.by_key(tenant, "GET", answer.headers["location"]).json["attemptLog"]
        assert attempt["answer"] == "at last"


def test_delivered_listed_and_delivered_again(live: Live) -> None:
    live.server.lead(live.tenant)
    until(lambda: live.statuses() == ["delivered"])
    (delivery,) = live.ask("GET", f"{live.id}/deliveries").json
    assert live.received() == [delivery["eventId"]]

    again = live.ask("POST", f"deliveries/{delivery['id']}/redeliver")

    assert (again.status, again.json["status"]) == (202, "pending")
    until(lambda: live.received() == [delivery["eventId"]] * 2)
    first, second = live.receiver.requests
    assert first.body == second.body
    until(lambda: len(live.ask("GET", f"deliveries/{delivery['id']}").json["attemptLog"]) == 2)
    feed = live.server.by_key(live.tenant, "GET", "/api/events")
    assert feed.body == b"[" + first.body + b"]"


def test_a_replay_of_everything(live: Live) -> None:
    for _ in range(5):
        live.server.lead(live.tenant)
    until(lambda: live.statuses() == ["delivered"] * 5)
    ids = live.received()

    replay = live.ask("POST", f"{live.id}/replay", {"since": 0}).json

    until(lambda: live.ask("GET", f"replays/{replay['id']}").json["status"] == "completed")
    assert sorted(live.received()) == sorted(ids * 2)
    done = live.ask("GET", f"replays/{replay['id']}").json
    assert (done["progress"], done["queued"], done["remaining"]) == (1.0, 5, 0)


def test_nothing_is_lost_while_it_is_disabled(live: Live) -> None:
    live.server.lead(live.tenant)
    live.ask("PATCH", live.id, {"disabled": True})
    for _ in range(3):
        live.server.lead(live.tenant)
    assert len(live.received()) <= 1

    enabled = live.ask("PATCH", live.id, {"disabled": False})

    live.server.lead(live.tenant)
    assert enabled.json["status"] == "enabled"
    until(lambda: len(set(live.received())) == 5)
    until(lambda: [one["status"] for one in live.ask("GET", f"{live.id}/replays").json] == ["completed"])
    assert len(live.received()) == 5, "nothing twice"
    assert live.statuses() == ["delivered"] * 5
