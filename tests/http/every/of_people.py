"""What to send to the endpoints of leads, contacts, properties, showings and tasks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from aureum.domain.ids import aureum_time, now
from tests.http.every.call import NUMBERS, Call
from tests.http.every.declared import declared

if TYPE_CHECKING:
    from tests.http.every.sample import Sample


def activity(sample: Sample) -> dict[str, Any]:
    """One of a lead that no other caller changes."""
    post = declared("POST", "/api/leads/{id}/activities")
    assert post is not None
    found: dict[str, Any] = sample.succeed(post, sample.call(post, fresh=True)).json
    return found


def erasable(sample: Sample) -> dict[str, Any]:
    """A person with one lead, of whom no other test knows."""
    post = declared("POST", "/api/leads")
    assert post is not None
    call = sample.call(post)
    sample.succeed(post, call)
    return {"body": {"email": call.body["email"]}}


def with_activity(path: str) -> Callable[[Sample], dict[str, Any]]:
    """A list of at least one."""

    def recipe(sample: Sample) -> dict[str, Any]:
        post = declared("POST", path)
        assert post is not None
        call = sample.call(post)
        sample.succeed(post, call)
        return {"path": call.path}

    return recipe


def with_history(path: str, body: dict[str, Any] | None = None) -> Callable[[Sample], dict[str, Any]]:
    """The history of what stands around a contact, once there is any."""

    def recipe(sample: Sample) -> dict[str, Any]:
        write = declared("POST", path) or declared("PUT", path)
        assert write is not None
        call = sample.call(write)
        sample.succeed(write, call if body is None else call.but(body=body))
        return {"path": f"{call.path}/history"}

    return recipe


def listing(sample: Sample) -> dict[str, Any]:
    """One that was sent to a contact of whom no other caller knows."""
    post = declared("POST", "/api/contacts/{id}/listings")
    assert post is not None
    found: dict[str, Any] = sample.succeed(post, sample.call(post, fresh=True)).json
    return found


def pair(sample: Sample) -> dict[str, Any]:
    """Two contacts of one address."""
    post = declared("POST", "/api/contacts")
    assert post is not None
    call = sample.call(post)
    sample.succeed(post, call)
    made: dict[str, Any] = sample.succeed(post, call).json
    return made


def of_two_contacts(action: str, field: str) -> Callable[[Sample], dict[str, Any]]:
    """What is done with a new contact and another one, which the body names."""

    def asked(sample: Sample) -> dict[str, Any]:
        one, other = (sample.make("/api/contacts") for _ in range(2))
        if action == "unmerge":
            merge = Call("POST", f"/api/contacts/{one}/merge", {}, {"with": other}, sample.tenant.bearer)
            assert merge.send(sample.server).status == 200
        return {"path": f"/api/contacts/{one}/{action}", "body": {field: other}}

    return asked


def changed(path: str, field: str, value: str) -> Callable[[Sample], dict[str, Any]]:
    """A resource whose second version has another value of a field."""

    def recipe(sample: Sample) -> dict[str, Any]:
        one = sample.make(path)
        patch = Call("PATCH", f"{path}/{one}", {}, {field: f"{value} {sample.mark}"}, sample.tenant.bearer)
        assert patch.send(sample.server).status == 200
        return {"path": f"{path}/{one}/undo", "body": {"version": 2}}

    return recipe


def searched(sample: Sample) -> dict[str, Any]:
    """A search that finds a contact, and a task."""
    word = f"searched{next(NUMBERS)}{sample.mark}"
    sample.server.by_key(sample.tenant, "POST", "/api/contacts", {"firstName": "Ana", "lastName": word})
    sample.server.by_key(sample.tenant, "POST", "/api/tasks", {"title": f"Call Ana {word}"})
    return {"query": {"q": word}}


def similar(sample: Sample) -> dict[str, Any]:
    """A person with the address of a contact."""
    email = f"similar{next(NUMBERS)}.{sample.mark}@example.com"
    body = {"firstName": f"Sim {sample.mark}", "lastName": "Ilar", "email": email}
    assert Call("POST", "/api/contacts", {}, body, sample.tenant.bearer).send(sample.server).status == 201
    return {"query": {"email": email}}


def with_task(sample: Sample) -> dict[str, Any]:
    """A contact that a task is about."""
    contact = sample.make("/api/contacts")
    task = {"title": f"Call {sample.mark}", "contactId": contact}
    assert Call("POST", "/api/tasks", {}, task, sample.tenant.bearer).send(sample.server).status == 201
    return {"path": f"/api/contacts/{contact}/related"}


def shown_once(sample: Sample) -> dict[str, Any]:
    """A property with a showing."""
    house = sample.make("/api/properties")
    showing = {"name": f"Jane {sample.mark}", "phone": "208-555-0456", "propertyId": house}
    assert Call("POST", "/api/showings", {}, showing, sample.tenant.bearer).send(sample.server).status == 201
    return {"path": f"/api/properties/{house}/related"}


def with_showing(sample: Sample) -> dict[str, Any]:
    """The month of the showing that is made of the example."""
    sample.one("/api/showings")
    return {"query": {"from": "2025-03-01", "before": "2025-04-01"}}


def with_start(sample: Sample) -> dict[str, Any]:
    """A showing that begins at a fixed time, whose visitor can be written to."""
    showing = {"name": f"Jane {sample.mark}", "email": "jane@example.com", "startsAt": "2027-01-18T09:30"}
    made = Call("POST", "/api/showings", {}, showing, sample.tenant.bearer).send(sample.server)
    return {"path": f"/api/showings/{made.json['id']}/send-calendar"}


def asked_twice(sample: Sample) -> dict[str, Any]:
    """A lead of a person who asked before under another name."""
    email = f"twice{next(NUMBERS)}.{sample.mark}@example.com"
    for name in (f"Ann {sample.mark}", f"Bob {sample.mark}"):
        call = Call("POST", "/api/leads", {}, {"name": name, "email": email}, sample.tenant.bearer)
        made = call.send(sample.server)
        assert made.status == 201, made.body
    return {"path": f"/api/leads/{made.json['id']}/duplicates"}


def working(sample: Sample) -> dict[str, Any]:
    """An agent with a lead, a task and a showing, and another lead that was worked on."""
    agent = sample.operator.staff(sample.tenant.id, "agent", f"Ana {sample.mark}")
    own: dict[str, Any] = {"assignedToId": agent.id}
    person = {"name": f"Jane Doe {sample.mark}", "email": f"e{next(NUMBERS)}.{sample.mark}@example.com", **own}
    due = aureum_time(now() - timedelta(minutes=5))
    for path, body in (
        ("/api/leads", person),
        ("/api/tasks", {"title": f"Call back {sample.mark}", "dueDate": due, **own}),
        ("/api/showings", person | {"listingId": "202412345", "startsAt": aureum_time(now())}),
        ("/api/leads", person | {"status": "new"}),
    ):
        answer = sample.server.by_key(sample.tenant, "POST", path, body)
        assert answer.status == 201, answer.body
    lead = f"/api/leads/{answer.json['id']}"
    sample.server.by_key(sample.tenant, "POST", f"{lead}/activities", {"type": "note", "text": "Called back."})
    sample.server.by_key(sample.tenant, "PATCH", lead, {"status": "contacted"})
    return {"headers": agent.bearer}


def reported(sample: Sample) -> dict[str, Any]:
    """The same agent's leads of today."""
    today = f"{now().astimezone(ZoneInfo('America/Boise')):%Y-%m-%d}"
    return working(sample) | {"query": {"from": today, "to": today}}


def in_pond(sample: Sample) -> dict[str, Any]:
    """A lead that found no agent: a form of a brokerage whose agents are all away, or has none that take leads."""
    settings = {"mode": "primary_only", "fallback": "pond"}
    put = Call("PUT", "/api/v1/admin/routing", {}, settings, sample.owner.bearer)
    assert put.send(sample.server).status == 200
    # A person of before would go to the agent who has had that lead since.
    answer = sample.server.form(sample.tenant, email=f"pond{next(NUMBERS)}@example.com", message=f"Of {sample.mark}")
    assert answer.status == 200, answer.body
    return {"path": f"/api/v1/admin/leads/{answer.json['lead_id']}/claim"}
