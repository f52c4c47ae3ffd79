"""Replays over the Aureum API: asked for from any time or sequence on, followed, cancelled."""

from typing import Any

import pytest

from aureum.domain.ids import from_wire
from tests.http.api.webhooks.hooks import made
from tests.http.api.webhooks.test_deliveries import QUEUED
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

TIMES = "SELECT position, recorded_at FROM events WHERE tenant_id = %(tenant)s ORDER BY position"
PROGRESS = """
UPDATE webhook_replays
   SET cursor = %(cursor)s, queued = %(queued)s, state = %(state)s,
       ended_at = CASE WHEN %(state)s <> 'running' THEN now() END
 WHERE tenant_id = %(tenant)s AND replay_id = %(replay)s
"""


def asked(server: Server, tenant: Tenant, webhook: str, **body: Any) -> dict[str, Any]:
    answer = server.by_key(tenant, "POST", f"/api/webhooks/{webhook}/replay", body)
    assert answer.status == 202, answer.body
    replay: dict[str, Any] = answer.json
    return replay


def got(server: Server, tenant: Tenant, replay: dict[str, Any]) -> dict[str, Any]:
    answer = server.by_key(tenant, "GET", f"/api/webhooks/replays/{replay['id']}")
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


@pytest.fixture
def webhook(server: Server, tenant: Tenant) -> str:
    """The id of one, with some leads behind it."""
    found: str = made(server, tenant)["id"]
    for _ in range(4):
        server.lead(tenant)
    return found


def test_a_replay_is_followed(server: Server, operator: Operator, tenant: Tenant, webhook: str) -> None:
    head = operator.head(tenant)

    replay = asked(server, tenant, webhook, since=3, events=["lead.*", "lead.*"], only="failed")

    times = {"requestedAt": replay["requestedAt"], "endedAt": None}
    counts = {"progress": 0.0, "queued": 0, "remaining": 0}
    about = {"id": replay["id"], "webhookId": webhook, "since": 3, "until": head, "events": ["lead.*"]}
    assert replay == about | {"only": "failed", "status": "running"} | counts | times
    assert got(server, tenant, replay) == replay
    place = {"tenant": tenant.id, "replay": from_wire(replay["id"])}
    operator.rows(PROGRESS, **place, cursor=head - 1, queued=2, state="running")
    for position in (3, 4):
        operator.rows(QUEUED, **place, endpoint=from_wire(webhook), position=position)
    half = got(server, tenant, replay)
    assert half == replay | {"progress": (head - 3) / (head - 2), "queued": 2, "remaining": 2}
    operator.rows(PROGRESS, **place, cursor=head, queued=2, state="completed")
    done = got(server, tenant, replay)
    assert (done["status"], done["progress"]) == ("completed", 1.0)
    newer = asked(server, tenant, webhook, since=0)
    assert newer["since"] == 1
    listed = server.by_key(tenant, "GET", f"/api/webhooks/{webhook}/replays").json
    assert listed == [newer, done]


def test_from_a_time_to_a_time(server: Server, operator: Operator, tenant: Tenant, webhook: str) -> None:
    times = operator.rows(TIMES, tenant=tenant.id)
    head = len(times)
    assert [position for position, _ in times] == list(range(1, head + 1))

    for position, moment in times:
        at = moment.isoformat()
        replay = asked(server, tenant, webhook, since=at, until=at)
        same = [where for where, when in times if when == moment]
        assert (replay["since"], replay["until"]) == (same[0], same[-1]), position
    whole = asked(server, tenant, webhook, since="2001-01-01", until="9999-01-01")
    assert (whole["since"], whole["until"]) == (1, operator.head(tenant) - 1)
    nothing = asked(server, tenant, webhook, since="9999-01-01", until="2001-01-01")
    assert (nothing["since"], nothing["until"], nothing["progress"]) == (operator.head(tenant), 0, 1.0)


def test_to_a_sequence_and_no_further_than_now(
    server: Server, operator: Operator, tenant: Tenant, webhook: str
) -> None:
    assert asked(server, tenant, webhook, since=2, until=4)["until"] == 4
    head = operator.head(tenant)
    assert asked(server, tenant, webhook, since=2.0, until=10**15)["until"] == head


def test_cancelled(server: Server, operator: Operator, tenant: Tenant, webhook: str) -> None:
    replay = asked(server, tenant, webhook, since=0)
    path = f"/api/webhooks/replays/{replay['id']}/cancel"

    answer = server.by_key(tenant, "POST", path)

    assert (answer.status, answer.json["status"]) == (200, "cancelled") and answer.json["endedAt"]
    assert answer.json == got(server, tenant, replay)
    before = operator.head(tenant)
    assert server.by_key(tenant, "POST", path).json == answer.json
    assert operator.head(tenant) == before
    done = asked(server, tenant, webhook, since=0)
    place = {"tenant": tenant.id, "replay": from_wire(done["id"])}
    operator.rows(PROGRESS, **place, cursor=done["until"], queued=0, state="completed")
    before = operator.head(tenant)
    late = server.by_key(tenant, "POST", f"/api/webhooks/replays/{done['id']}/cancel")
    assert (late.status, late.json) == (200, got(server, tenant, done)) and late.json["status"] == "completed"
    assert operator.head(tenant) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("since", -1),
        ("since", "lately"),
        ("since", True),
        ("since", 1.5),
        ("until", "1"),
        ("only", "some"),
        ("events", []),
        ("events", ["lead.lost"]),
    ],
)
def test_what_cannot_be(
    server: Server, operator: Operator, tenant: Tenant, webhook: str, field: str, value: object
) -> None:
    before = operator.head(tenant)
    answer = server.by_key(tenant, "POST", f"/api/webhooks/{webhook}/replay", {"since": 1} | {field: value})
    assert answer.status == 400 and answer.error.startswith(field), answer.body
    assert operator.head(tenant) == before


def test_a_disabled_one_is_to_be_enabled_first(
    server: Server, operator: Operator, tenant: Tenant, webhook: str
) -> None:
    server.by_key(tenant, "PATCH", f"/api/webhooks/{webhook}", {"disabled": True})
    before = operator.head(tenant)
    answer = server.by_key(tenant, "POST", f"/api/webhooks/{webhook}/replay", {"since": 1})
    assert answer.status == 409 and "Enable it" in answer.error
    assert operator.head(tenant) == before
