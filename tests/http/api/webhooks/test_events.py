"""The feed of events over the Aureum API: what endpoints are told, for those who pull."""

from typing import Any

import orjson
import pytest

from aureum.webhooks.telling.projector import project
from tests.http.api.webhooks.hooks import made
from tests.http.links import NEXT
from tests.http.operator import Operator, Tenant
from tests.http.serving import Answer, Server

BODIES = "SELECT position, event, body FROM webhook_messages WHERE tenant_id = %(tenant)s ORDER BY position"
EVERYTHING = ["lead.*", "contact.*", "property.*", "showing.*", "task.*"]


def happened(server: Server, operator: Operator, tenant: Tenant) -> list[tuple[int, str, bytes]]:
    """Some of all sorts; the messages that the projector makes of it."""
    # The projector of the moment takes names, no groups.
    names = ["lead.created", "lead.updated", "contact.created", "property.created", "task.created", "task.completed"]
    made(server, tenant, events=names)
    lead = server.lead(tenant)
    house = {"title": "House", "address": "1 Main St", "city": "Boise", "state": "ID"}
    server.by_key(tenant, "POST", "/api/properties", house)
    server.by_key(tenant, "PATCH", f"/api/leads/{lead['id']}", {"status": "contacted", "message": "Later"})
    task = server.by_key(tenant, "POST", "/api/tasks", {"title": "Call", "leadId": lead["id"]}).json
    server.by_key(tenant, "PATCH", f"/api/tasks/{task['id']}", {"title": "Call Jane"})
    server.by_key(tenant, "POST", f"/api/tasks/{task['id']}/complete")
    converted = server.by_key(tenant, "POST", f"/api/leads/{lead['id']}/convert")
    assert converted.status < 300, converted.body
    operator.run(lambda store: project(store, tenant.id))
    return [(position, event, bytes(body)) for position, event, body in operator.rows(BODIES, tenant=tenant.id)]


def feed(server: Server, tenant: Tenant, query: str = "") -> Answer:
    answer = server.by_key(tenant, "GET", f"/api/events{query}")
    assert answer.status == 200, answer.body
    return answer


def array(bodies: list[bytes]) -> bytes:
    return b"[" + b",".join(bodies) + b"]"


def test_the_same_bytes_as_are_delivered(server: Server, operator: Operator, tenant: Tenant) -> None:
    messages = happened(server, operator, tenant)
    assert len(messages) >= 7

    assert feed(server, tenant).body == array([body for _, _, body in messages])
    for position, _, _ in messages:
        rest = [body for later, _, body in messages if later > position]
        assert feed(server, tenant, f"?cursor={position}").body == array(rest)
        # One in the middle of a save tells the whole save.
        rest = [body for later, _, body in messages if later > position - 1]
        assert feed(server, tenant, f"?cursor={position - 1}").body == array(rest)


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
@pytest.mark.parametrize("events", ["", "lead.*", "lead.updated", "task.completed,contact.created", "showing.*"])
def test_pages_and_filters(server: Server, operator: Operator, tenant: Tenant, limit: int, events: str) -> None:
    messages = happened(server, operator, tenant)
    kinds = {name.partition(".")[0] for name in events.split(",") if name.endswith("*")}
    wanted = [
        body
        for _, event, body in messages
        if not events or event in events.split(",") or event.partition(".")[0] in kinds
    ]

    path: str | None = f"/api/events?limit={limit}" + (f"&events={events}" if events else "")
    found: list[Any] = []
    for _ in range(50):
        assert path is not None
        answer = server.by_key(tenant, "GET", path)
        assert answer.status == 200 and len(answer.json) <= limit
        found += answer.json
        link = NEXT.fullmatch(answer.headers.get("link", ""))
        if link is None:
            break
        path = link[1]
    assert found == [orjson.loads(body) for body in wanted]


def test_what_is_known_is_not_read_again(server: Server, tenant: Tenant) -> None:
    server.lead(tenant)
    answer = feed(server, tenant)
    assert server.by_key(tenant, "GET", "/api/events", headers={"If-None-Match": answer.etag}).status == 304
    server.lead(tenant)
    again = server.by_key(tenant, "GET", "/api/events", headers={"If-None-Match": answer.etag})
    assert again.status == 200 and len(again.json) == 2


def test_beyond_the_head_is_nothing_yet(server: Server, operator: Operator, tenant: Tenant) -> None:
    server.lead(tenant)
    for cursor in (operator.head(tenant), 10**15, 10**19 - 1):
        answer = feed(server, tenant, f"?cursor={cursor}")
        assert answer.json == [] and "link" not in answer.headers


@pytest.mark.parametrize(
    "query", ["cursor=x", "cursor=-1", "cursor=", "cursor=1.5", "limit=0", "limit=501", "events=leads"]
)
def test_what_cannot_be(server: Server, tenant: Tenant, query: str) -> None:
    answer = server.by_key(tenant, "GET", f"/api/events?{query}")
    assert answer.status == 400 and answer.error.startswith(query.partition("=")[0]), answer.body
