"""What to send to the endpoints of routing: settings, rehearsals, examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aureum.commands.routing_rehearsals import claim, go_on
from aureum.domain.ids import to_wire
from aureum.store.event_store import EventStore
from tests.http.every.call import NUMBERS, Call
from tests.http.every.declared import declared

if TYPE_CHECKING:
    from tests.http.every.sample import Sample

REHEARSALS = "/api/v1/admin/routing/rehearsals"
HOLD_REHEARSALS = "UPDATE routing_rehearsals SET held_until = 'infinity' WHERE tenant_id = %(tenant)s RETURNING 1"
END_REHEARSALS = "UPDATE routing_rehearsals SET state = 'completed' WHERE tenant_id = %(tenant)s RETURNING 1"


def routing(sample: Sample) -> dict[str, Any]:
    """Settings that name an agent of the brokerage."""
    return {
        "mode": "subject_based",
        "rules": [
            {"when": {"subject_has": [f"sell {sample.mark}"]}, "to": {"group": sample.mark}, "claim_minutes": 15},
            {"to": {"group": "everyone"}},
        ],
        "groups": {sample.mark: [sample.agent.number]},
        "answer_within_minutes": next(NUMBERS) % 10_000 + 1,
    }


def routing_changed(sample: Sample) -> dict[str, Any]:
    """Another change of the routing settings."""
    put = declared("PUT", "/api/v1/admin/routing")
    assert put is not None
    sample.succeed(put, sample.call(put).but(body=routing(sample)))
    return {"id": to_wire(sample.tenant.id)}


def rehearsal(sample: Sample) -> dict[str, Any]:
    """Settings of no agent, in a brokerage where no worker ends what was asked for before."""
    sample.operator.rows(END_REHEARSALS, tenant=sample.tenant.id)
    rules = [{"when": {"subject_has": [f"sell {sample.mark}"]}, "to": {"group": "everyone"}}]
    rules.append({"to": {"group": "everyone"}})
    return {"body": {"settings": {"mode": "subject_based", "rules": rules}, "since": "2026-11-01"}}


def example(sample: Sample) -> dict[str, Any]:
    """A lead that staff gave to another agent, in a brokerage that learns from that."""
    settings = {"mode": "semantic", "learn_from_reassignments": True}
    put = Call("PUT", "/api/v1/admin/routing", {}, settings, sample.owner.bearer)
    assert put.send(sample.server).status == 200
    for agent in (sample.agent, sample.operator.staff(sample.tenant.id, "agent", f"Abe {sample.mark}")):
        answer = sample.server.form(sample.tenant, message=f"A barn {sample.mark} {next(NUMBERS)}")
        assert answer.status == 200, answer.body
        for given in (sample.agent, agent):
            path = f"/api/v1/admin/leads/{answer.json['lead_id']}"
            patch = Call("PATCH", path, {}, {"assigned_agent_id": given.number}, sample.owner.bearer)
            assert patch.send(sample.server).status == 200
    return {"id": str(answer.json["lead_id"])}


def rehearsed(sample: Sample) -> dict[str, Any]:
    """A rehearsal of one lead at least, as a worker has done it."""
    sample.server.form(sample.tenant, message=f"A yard {sample.mark} {next(NUMBERS)}")
    post = declared("POST", "/api/v1/admin/routing/rehearse")
    assert post is not None
    found: dict[str, Any] = sample.succeed(post).json
    sample.operator.run(rehearse_all)
    return found


def running_rehearsal(sample: Sample) -> dict[str, Any]:
    """One that a worker holds."""
    sample.operator.rows(END_REHEARSALS, tenant=sample.tenant.id)
    post = declared("POST", "/api/v1/admin/routing/rehearse")
    assert post is not None
    asked = sample.succeed(post).json["id"]
    sample.operator.rows(HOLD_REHEARSALS, tenant=sample.tenant.id)
    return {"path": f"{REHEARSALS}/{asked}/cancel"}


def to_rehearse(sample: Sample) -> dict[str, Any]:
    """A lead that was routed. The next rehearsal has it, so that the one of before is forgotten."""
    answer = sample.server.form(sample.tenant, email=f"yard{next(NUMBERS)}@example.com", message=f"Of {sample.mark}")
    assert answer.status == 200, answer.body
    sample.made.pop(REHEARSALS, None)
    return {"id": str(answer.json["lead_id"])}


async def rehearse_all(store: EventStore) -> None:
    """What the worker does about rehearsals."""
    while (job := await claim(store.database)) is not None:
        await go_on(store, job)
