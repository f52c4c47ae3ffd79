"""Deliveries over the Aureum API: the queue and the log of attempts as one list, made again, and tests."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from aureum.domain.ids import from_wire
from aureum.http.api.webhooks.ping import PATIENCE_SECONDS
from aureum.webhooks.queue.message import message_id
from tests.http.api.webhooks.hooks import made
from tests.http.links import NEXT
from tests.http.operator import Operator, Tenant
from tests.http.serving import Answer, Server, until

MESSAGE = """
INSERT INTO webhook_messages (tenant_id, position, message_id, event, stream_id, body, recorded_at)
VALUES (%(tenant)s, %(position)s, %(message)s, %(event)s, gen_random_uuid(), %(body)s, now())
"""
QUEUED = """
INSERT INTO webhook_deliveries (tenant_id, endpoint_id, position, due_at, attempt, replay_id)
VALUES (%(tenant)s, %(endpoint)s, %(position)s, '2026-05-05', 0, %(replay)s)
"""
TRIED = """
INSERT INTO webhook_attempts (tenant_id, endpoint_id, position, attempt, started_at, duration_ms, status, error, answer,
                              outcome, lease_owner)
VALUES (%(tenant)s, %(endpoint)s, %(position)s, %(attempt)s, '2026-01-01'::timestamptz + %(attempt)s * interval '1 day',
        7, %(status)s, %(error)s, %(answer)s, %(outcome)s, gen_random_uuid())
"""
LAST_EVENT = """
SELECT type, position FROM events WHERE tenant_id = %(tenant)s ORDER BY position DESC LIMIT 1
"""
CHECKPOINT = """
INSERT INTO checkpoints VALUES (%(tenant)s, 'webhooks', %(position)s)
ON CONFLICT (tenant_id, consumer) DO UPDATE SET position = excluded.position
"""


@dataclass(frozen=True)
class Hook:
    """A webhook, and its worker's hands."""

    server: Server
    operator: Operator
    tenant: Tenant
    id: str

    @property
    def about(self) -> dict[str, Any]:
        return {"tenant": self.tenant.id, "endpoint": self.endpoint_id}

    @property
    def endpoint_id(self) -> UUID:
        found = from_wire(self.id)
        assert found is not None
        return found

    def told(self, position: int, event: str = "lead.created", body: bytes = b"{}") -> None:
        message = message_id(self.tenant.id, position)
        about = {"tenant": self.tenant.id, "position": position, "message": message}
        self.operator.rows(MESSAGE, **about, event=event, body=body)

    def queued(self, position: int, replay: UUID | None = None) -> None:
        self.operator.rows(QUEUED, **self.about, position=position, replay=replay)

    def tried(self, position: int, attempt: int, outcome: str, error: str | None = None, answer: bytes = b"") -> None:
        status = 200 if error is None else 500 if error.startswith("http") else None
        about = self.about | {"position": position, "attempt": attempt, "outcome": outcome, "error": error}
        self.operator.rows(TRIED, **about, status=status, answer=answer)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        return self.server.by_key(self.tenant, method, f"/api/webhooks/{path}", body, headers)

    def deliveries(self, query: str = "") -> list[dict[str, Any]]:
        answer = self.ask("GET", f"{self.id}/deliveries{query}")
        assert answer.status == 200, answer.body
        found: list[dict[str, Any]] = answer.json
        return found


@pytest.fixture
def hook(server: Server, operator: Operator, tenant: Tenant) -> Hook:
    return Hook(server, operator, tenant, made(server, tenant)["id"])


def furnish(hook: Hook) -> None:
    """One of each: waiting, tried and waiting, delivered, given up, replayed after it was delivered, pruned."""
    hook.told(1)
    hook.queued(1)
    hook.told(2, "lead.updated")
    hook.queued(2)
    hook.tried(2, 1, "failed", "http_5xx")
    hook.told(3, "task.created")
    hook.tried(3, 1, "failed", "timeout")
    hook.tried(3, 2, "delivered")
    hook.told(4, "task.completed")
    hook.tried(4, 1, "exhausted", "dns")
    hook.told(5)
    hook.tried(5, 1, "delivered")
    hook.queued(5, UUID(int=7))
    hook.tried(6, 1, "delivered")


def test_the_queue_and_the_log_are_one_list(hook: Hook) -> None:
    furnish(hook)

    found = hook.deliveries()

    shown = [(one["sequence"], one["event"], one["status"], one["attempts"], one["lastError"]) for one in found]
    assert shown == [
        (6, None, "delivered", 1, None),
        (5, "lead.created", "pending", 1, None),
        (4, "task.completed", "failed", 1, "dns"),
        (3, "task.created", "delivered", 2, None),
        (2, "lead.updated", "pending", 1, "http_5xx"),
        (1, "lead.created", "pending", 0, None),
    ]
    assert found[4] == {
        "id": f"{hook.id}_2",
        "webhookId": hook.id,
        "event": "lead.updated",
        "eventId": message_id(hook.tenant.id, 2),
        "sequence": 2,
        "status": "pending",
        "attempts": 1,
        "lastAttemptAt": "2026-01-02T00:00:00.000Z",
        "lastStatus": 500,
        "lastError": "http_5xx",
        "nextAttemptAt": "2026-05-05T00:00:00.000Z",
        "replayId": None,
    }
    assert found[1]["replayId"] == "c" + "0" * 24 + "7" and found[0]["eventId"] == message_id(hook.tenant.id, 6)


@pytest.mark.parametrize(
    ("query", "sequences"),
    [
        ("status=pending", [5, 2, 1]),
        ("status=delivered", [6, 3]),
        ("status=failed", [4]),
        ("event=lead.created", [5, 1]),
        ("event=lead.*", [5, 2, 1]),
        ("event=task.created,lead.updated", [3, 2]),
        ("event=task.*&status=delivered", [3]),
        ("event=showing.*", []),
    ],
)
def test_filters_and_pages(hook: Hook, query: str, sequences: list[int]) -> None:
    furnish(hook)
    assert [one["sequence"] for one in hook.deliveries(f"?{query}")] == sequences

    paged: list[int] = []
    path = f"/api/webhooks/{hook.id}/deliveries?{query}&limit=1"
    for _ in range(len(sequences) + 1):
        answer = hook.server.by_key(hook.tenant, "GET", path)
        paged += [one["sequence"] for one in answer.json]
        link = NEXT.fullmatch(answer.headers.get("link", ""))
        if link is None:
            break
        path = link[1]
    assert paged == sequences


@pytest.mark.parametrize("query", ["status=lost", "event=lead", "event=lead.*,", "cursor=x", "cursor=-1", "limit=0"])
def test_filters_that_cannot_be(hook: Hook, query: str) -> None:
    answer = hook.ask("GET", f"{hook.id}/deliveries?{query}")
    assert answer.status == 400 and answer.error.startswith(query.partition("=")[0]), answer.body


def test_one_with_its_attempts(hook: Hook) -> None:
    hook.told(3, body=b'{"data":"\xc3\xa4"}')
    hook.tried(3, 1, "failed", "blocked_address", b"a secret of our network")
    hook.tried(3, 2, "failed", "http_5xx", b"ok \xc3\xa4 \xff\x00\n")
    hook.tried(3, 3, "delivered")

    answer = hook.ask("GET", f"deliveries/{hook.id}_3")

    assert answer.status == 200
    (listed,) = hook.deliveries()
    assert answer.json | listed == answer.json
    assert answer.json["body"] == '{"data":"ä"}'
    assert [(one["number"], one["outcome"]) for one in answer.json["attemptLog"]] == [
        (3, "delivered"),
        (2, "failed"),
        (1, "failed"),
    ]
    assert answer.json["attemptLog"][1] == {
        "number": 2,
        "startedAt": "2026-01-03T00:00:00.000Z",
        "durationMs": 7,
        "status": 500,
        "error": "http_5xx",
        "outcome": "failed",
        "answer": "ok ä \\xff\\x00\n",
    }
    assert answer.json["attemptLog"][2]["answer"] == "" and b"secret" not in answer.body
    known = hook.ask("GET", f"deliveries/{hook.id}_3", **{"If-None-Match": answer.etag})
    hook.tried(3, 4, "delivered")
    changed = hook.ask("GET", f"deliveries/{hook.id}_3", **{"If-None-Match": answer.etag})
    assert (known.status, changed.status) == (304, 200)


@pytest.mark.parametrize("suffix", ["", "_", "_0", "_4", "_03", "_3x", "_-3", "_9223372036854775808", "_" + "9" * 30])
def test_what_never_was_a_delivery(hook: Hook, suffix: str) -> None:
    hook.tried(3, 1, "delivered")
    for method, path in (("GET", ""), ("POST", "/redeliver")):
        answer = hook.ask(method, f"deliveries/{hook.id}{suffix}{path}")
        assert (answer.status, answer.error) == (404, "There is no such delivery.")


def test_delivered_again(hook: Hook) -> None:
    hook.told(3)
    hook.tried(3, 1, "exhausted", "timeout")
    hook.told(4, "lead.updated")

    answer = hook.ask("POST", f"deliveries/{hook.id}_3/redeliver")

    (shown,) = hook.deliveries()
    assert (answer.status, answer.json) == (202, shown | {"status": "pending"})
    ((kind, position),) = hook.operator.rows(LAST_EVENT, tenant=hook.tenant.id)
    assert kind == "webhook_redelivery.requested"
    # A message that the webhook did not want when it was told.
    other = hook.ask("POST", f"deliveries/{hook.id}_4/redeliver")
    assert (other.status, other.json["event"], other.json["attempts"]) == (202, "lead.updated", 0)
    hook.ask("PATCH", hook.id, {"disabled": True})
    before = hook.operator.head(hook.tenant)
    refused = hook.ask("POST", f"deliveries/{hook.id}_3/redeliver")
    assert refused.status == 409 and "Enable it" in refused.error
    assert hook.operator.head(hook.tenant) == before == position + 2


AN_HOUR_AGO = """
WITH events AS (
    UPDATE events SET recorded_at = recorded_at - interval '1 hour' WHERE tenant_id = %(tenant)s
)
UPDATE webhook_endpoints SET registered_at = registered_at - interval '1 hour' WHERE tenant_id = %(tenant)s
"""


def answered_meanwhile(hook: Hook, work: Callable[[int], None], **headers: str) -> Answer:
    """What a test gets while *work* is done at its position."""
    before = hook.operator.head(hook.tenant)
    with ThreadPoolExecutor(1) as client:
        asking = client.submit(hook.ask, "POST", f"{hook.id}/test", {"event": "task.completed"}, **headers)
        until(lambda: hook.operator.head(hook.tenant) > before)
        work(before + 1)
        return asking.result()


def test_a_test_shows_what_came_back(hook: Hook) -> None:
    def worker(position: int) -> None:
        hook.operator.rows(CHECKPOINT, tenant=hook.tenant.id, position=position)
        hook.told(position, "task.completed")
        hook.tried(position, 1, "exhausted", "http_5xx", b"no")

    answer = answered_meanwhile(hook, worker, **{"Idempotency-Key": "test"})

    assert answer.status == 200, answer.body
    assert (answer.json["event"], answer.json["status"], answer.json["lastStatus"]) == ("task.completed", "failed", 500)
    assert answer.json["attemptLog"][0]["answer"] == "no"
    ((kind, position),) = hook.operator.rows(LAST_EVENT, tenant=hook.tenant.id)
    assert (kind, answer.json["sequence"]) == ("webhook_ping.requested", position)
    again = hook.ask("POST", f"{hook.id}/test", {"event": "task.completed"}, **{"Idempotency-Key": "test"})
    assert (again.status, again.body, again.headers["idempotent-replayed"]) == (200, answer.body, "true")
    assert hook.operator.head(hook.tenant) == position


def test_a_test_waits_for_a_worker_that_has_old_events_to_catch_up_with(hook: Hook) -> None:
    """A log is not followed while its brokerage has no webhook; so how old its events are says nothing of workers."""

    def worker(position: int) -> None:
        time.sleep(1)
        hook.operator.rows(CHECKPOINT, tenant=hook.tenant.id, position=position)
        hook.told(position, "task.completed")
        hook.tried(position, 1, "delivered", None, b"yes")

    hook.operator.rows(CHECKPOINT, tenant=hook.tenant.id, position=1)
    hook.operator.rows(AN_HOUR_AGO, tenant=hook.tenant.id)

    answer = answered_meanwhile(hook, worker)

    assert (answer.status, answer.json["attempts"]) == (200, 1), answer.body


def test_a_test_that_no_worker_delivers_is_pending(hook: Hook) -> None:
    started = time.monotonic()
    first = hook.ask("POST", f"{hook.id}/test", {"event": "lead.updated"})
    seconds = time.monotonic() - started
    assert first.status == 202 and seconds >= PATIENCE_SECONDS

    position = hook.operator.head(hook.tenant)
    assert first.json["id"] == f"{hook.id}_{position}"
    assert (first.json["status"], first.json["attemptLog"], first.json["event"]) == ("pending", [], "lead.updated")
    assert first.headers["location"] == f"/api/webhooks/deliveries/{hook.id}_{position}"
    where = hook.server.by_key(hook.tenant, "GET", first.headers["location"])
    assert (where.status, where.body) == (200, first.body)
    # That the first test still waits shows that no worker runs.
    started = time.monotonic()
    assert hook.ask("POST", f"{hook.id}/test").status == 202
    assert time.monotonic() - started < PATIENCE_SECONDS


def test_a_position_that_is_no_test_is_no_delivery(hook: Hook) -> None:
    other = made(hook.server, hook.tenant)["id"]
    assert hook.ask("POST", f"{hook.id}/test").status == 202
    position = hook.operator.head(hook.tenant)
    for delivery in (f"{other}_{position}", f"{hook.id}_{position - 1}", f"{hook.id}_{position + 1}"):
        assert hook.ask("GET", f"deliveries/{delivery}").status == 404


def test_tests_are_limited(hook: Hook, server: Server, operator: Operator, tenant: Tenant) -> None:
    hook.ask("PATCH", hook.id, {"disabled": True})
    refused = hook.ask("POST", f"{hook.id}/test")
    assert refused.status == 409 and "Enable it" in refused.error
    hook.ask("PATCH", hook.id, {"disabled": False})
    assert [hook.ask("POST", f"{hook.id}/test").status for _ in range(10)] == [202] * 10
    before = operator.head(tenant)

    answer = hook.ask("POST", f"{hook.id}/test")

    assert (answer.status, operator.head(tenant)) == (429, before)
    assert 1 <= int(answer.headers["retry-after"]) <= 61 and "10 per minute" in answer.error
    other = Hook(server, operator, tenant, made(server, tenant)["id"])
    assert other.ask("POST", f"{other.id}/test").status == 202
