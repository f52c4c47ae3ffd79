"""The webhooks of the Aureum API document, replayed: each event of its table, its payload, its signature."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from aureum.commands.brokerages import change_plan
from aureum.commands.webhook_endpoints import RegisterWebhookEndpoint, register_webhook_endpoint
from aureum.domain.webhook_endpoint import WebhookEndpoint
from tests.documents.likeness import unlike
from tests.documents.reading import Row
from tests.documents.stage import AUREUM, LEADS, Stage, post
from tests.e2e.test_story import Inbox, inbox
from tests.http.operator import ORIGIN, Operator
from tests.webhooks.sending.test_signing import Case, ask_node
from tests.webhooks.waiting import until
from tests.webhooks.worker.workers import working
from tests.webhooks.worker_process import LOOPBACK

PAYLOAD = AUREUM.payload.value


def register(operator: Operator, stage: Stage, consumer: Inbox, *events: str) -> WebhookEndpoint:
    """An endpoint of the brokerage, with its secret."""
    command = RegisterWebhookEndpoint(tenant_id=stage.tenant.id, url=consumer.url, events=events)
    return operator.run(lambda store: register_webhook_endpoint(store, command, ORIGIN, allow_networks=LOOPBACK))


def deliver(url: str, consumer: Inbox, messages: int) -> list[Any]:
    """Everything that has arrived, when it is as much as was expected."""

    async def worked() -> None:
        async with working(url):
            await until(lambda: len(consumer.received) >= messages)

    asyncio.run(worked())
    events = consumer.events()
    assert len(events) == messages
    return events


def made(path: str) -> Callable[[Stage], Any]:
    """One is made."""
    return lambda stage: stage.make(post(path))["id"]


def changed(path: str, **fields: Any) -> Callable[[Stage], Any]:
    """One is made, and changed."""

    def act(stage: Stage) -> Any:
        identifier = stage.make(post(path))["id"]
        answer = stage.key("PATCH", f"{path}/{identifier}", fields)
        assert answer.status == 200, answer.body
        return identifier

    return act


def tour(stage: Stage) -> Any:
    """A tour is requested; its id in the Aureum API, where it is a showing."""
    stage.make(LEADS.endpoint("POST", "/api/tours"))
    (showing,) = stage.key("GET", "/api/showings").json
    return showing["id"]


def confirmed_tour(stage: Stage) -> Any:
    number = stage.make(LEADS.endpoint("POST", "/api/tours"))["id"]
    answer = stage.key("PATCH", f"/api/tours/{number}", {"status": "confirmed"})
    assert answer.status == 200, answer.body
    (showing,) = stage.key("GET", "/api/showings").json
    return showing["id"]


def completed_task(stage: Stage) -> Any:
    identifier = stage.make(post("/api/tasks"))["id"]
    answer = stage.key("POST", f"/api/tasks/{identifier}/complete")
    assert answer.status == 200, answer.body
    return identifier


def submitted_form(stage: Stage) -> Any:
    stage.make(LEADS.endpoint("POST", "/api/contact"))
    (lead,) = stage.key("GET", "/api/leads").json
    return lead["id"]


OCCASIONS: dict[str, list[Callable[[Stage], Any]]] = {
    "lead.created": [submitted_form, made("/api/leads")],
    "lead.updated": [changed("/api/leads", status="contacted"), changed("/api/leads", message="Called back")],
    "contact.created": [made("/api/contacts")],
    "contact.updated": [changed("/api/contacts", phone="+1-555-0199")],
    "property.created": [made("/api/properties")],
    "property.updated": [changed("/api/properties", price=4400000), changed("/api/properties", status="SOLD")],
    "showing.created": [tour],
    "showing.updated": [confirmed_tour],
    "task.created": [made("/api/tasks")],
    "task.completed": [completed_task],
}
"""What the table says that each is sent for."""


@pytest.mark.parametrize("row", AUREUM.events, ids=lambda row: f"{row.name} (line {row.line})")
def test_an_event_of_the_table(served_url: str, operator: Operator, stage: Stage, row: Row) -> None:
    """Each endpoint that asked for the event gets it, once for each occasion."""
    with inbox() as consumer:
        register(operator, stage, consumer, row.name)
        identifiers = [act(stage) for act in OCCASIONS[row.name]]
        events = deliver(served_url, consumer, len(identifiers))

    assert {event["event"] for event in events} == {row.name}
    assert sorted(event["data"]["id"] for event in events) == sorted(identifiers)
    shape = PAYLOAD | {"event": row.name, "data": {"id": PAYLOAD["data"]["id"]}}
    assert [unlike(shape, event) for event in events] == [[]] * len(events)


def test_webhooks_require_the_elite_plan(served_url: str, operator: Operator, stage: Stage) -> None:
    below = Stage(stage.cast, operator.brokerage("Grow"))
    with inbox() as consumer:
        for one in (below, stage):
            register(operator, one, consumer, PAYLOAD["event"])
        unheard, heard = (one.make(post("/api/leads"))["id"] for one in (below, stage))
        (event,) = deliver(served_url, consumer, 1)
        assert event["data"]["id"] == heard

        operator.run(lambda store: change_plan(store, below.tenant.id, "Elite", ORIGIN))

        assert [event["data"]["id"] for event in deliver(served_url, consumer, 2)] == [heard, unheard]


def test_the_payload_and_its_signature(served_url: str, operator: Operator, stage: Stage) -> None:
    """The payload's own lead, verified by the document's own program."""
    data = {name: value for name, value in PAYLOAD["data"].items() if name != "id"}
    with inbox() as consumer:
        endpoint = register(operator, stage, consumer, PAYLOAD["event"])
        lead = stage.key("POST", "/api/leads", data)
        assert lead.status == 201, lead.body
        (event,) = deliver(served_url, consumer, 1)
    ((body, headers),) = consumer.received

    assert unlike(PAYLOAD, event) == []
    assert event["event"] == PAYLOAD["event"]
    assert {name: event["data"][name] for name in data} == data
    assert event["data"]["id"] == lead.json["id"]
    assert json.loads(body) == event and headers["content-type"] == AUREUM.facts["Content type"]
    right = Case(body, headers["x-aureum-signature"], endpoint.secret)
    assert ask_node([right, right._replace(body=body + b" "), right._replace(secret="another")]) == [True, False, False]
