"""Why a lead is lost: in both APIs, in lists and their filters, in the history and in webhooks."""

from typing import Any

import pytest

from tests.http.links import links
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

LOST = {"status": "lost", "lostReason": "chose_another_agent", "lostNote": "A cousin sells houses."}


def test_a_reason_is_told_everywhere_and_goes_with_the_status(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    lead = server.lead(tenant)
    path, owner = f"/api/leads/{lead['id']}", operator.staff(tenant.id, "brokerage_owner").bearer
    assert "lostReason" not in lead

    lost = server.by_key(tenant, "PATCH", path, LOST)
    (staff,) = server.ask("GET", "/api/v1/admin/leads", None, owner).json["items"]

    assert {name: lost.json[name] for name in LOST} == LOST
    assert server.leads(tenant, "?lostReason=chose_another_agent") == [
        {name: value for name, value in lost.json.items() if name != "routing"}
    ]
    assert server.by_key(tenant, "GET", path).json == lost.json
    assert (staff["lost_reason"], staff["lost_note"]) == (LOST["lostReason"], LOST["lostNote"])

    noted = server.ask("PATCH", f"/api/v1/admin/leads/{staff['id']}", {"lost_reason": "other", "lost_note": ""}, owner)
    reopened = server.by_key(tenant, "PATCH", path, {"status": "qualified"})
    again = server.by_key(tenant, "PATCH", path, {"status": "lost"})

    assert (noted.json["lost_reason"], noted.json["lost_note"]) == ("other", None)
    assert [(one.json["lostReason"], one.json["lostNote"]) for one in (reopened, again)] == [(None, None)] * 2
    told = [one["changes"] for one in server.by_key(tenant, "GET", "/api/events").json if "changes" in one]
    assert told == [
        {name: {"from": "new" if name == "status" else None, "to": value} for name, value in LOST.items()},
        {
            "lostReason": {"from": "chose_another_agent", "to": "other"},
            "lostNote": {"from": "A cousin sells houses.", "to": None},
        },
        {"status": {"from": "lost", "to": "qualified"}, "lostReason": {"from": "other", "to": None}},
        {"status": {"from": "qualified", "to": "lost"}},
    ]
    history = server.ask("GET", f"/api/v1/admin/leads/{staff['id']}/history", None, owner).json
    assert [one["type"].removeprefix("lead.") for one in history] == [
        "captured", "status_changed", "lost_reason_given", "lost_reason_given", "status_changed", "status_changed"
    ]  # fmt: skip
    assert history[2]["changes"]["lost_reason"] == {"from": None, "to": "chose_another_agent"}


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("lostReason", {"lostReason": "price"}),
        ("lostNote", {"lostNote": "Too dear."}),
        ("lostReason", {"status": "offer", "lostReason": "price"}),
        ("lostReason", {"status": "lost", "lostReason": "weather"}),
        ("lostReason", {"status": "lost", "lostReason": 1}),
        ("lostNote", {"status": "lost", "lostNote": "x" * 501}),
        ("lostNote", {"status": "lost", "lostNote": "x\0"}),
    ],
)
def test_what_is_no_reason_is_refused_in_both_dialects(
    server: Server, operator: Operator, tenant: Tenant, field: str, body: dict[str, Any]
) -> None:
    path = f"/api/leads/{server.lead(tenant)['id']}"
    owner = operator.staff(tenant.id, "brokerage_owner").bearer
    (staff,) = server.ask("GET", "/api/v1/admin/leads", None, owner).json["items"]
    names = {"lostReason": "lost_reason", "lostNote": "lost_note"}

    refused = server.by_key(tenant, "PATCH", path, body)
    body = {names.get(name, name): value for name, value in body.items()}
    there = server.ask("PATCH", f"/api/v1/admin/leads/{staff['id']}", body, owner)

    assert (refused.status, list(refused.json["fields"])) == (400, [field]), refused.body
    assert (there.status, there.json["detail"][0]["loc"]) == (422, ["body", names[field]]), there.body
    assert server.by_key(tenant, "GET", path).json["status"] == "new"


def test_both_lists_filter_by_it_and_say_what_has_left(server: Server, operator: Operator, tenant: Tenant) -> None:
    owner = operator.staff(tenant.id, "brokerage_owner").bearer
    ids = [server.lead(tenant)["id"] for _ in range(4)]
    for lead, reason in zip(ids, ("price", "timing", "price", None), strict=True):
        server.by_key(tenant, "PATCH", f"/api/leads/{lead}", {"status": "lost", "lostReason": reason})

    found = server.by_key(tenant, "GET", "/api/leads?lostReason=price")
    assert [one["id"] for one in found.json] == [ids[2], ids[0]]
    page = server.ask("GET", "/api/v1/admin/leads?lost_reason=price&page_size=1", None, owner).json
    assert (page["total"], page["items"][0]["lost_reason"]) == (2, "price")
    assert server.ask("GET", "/api/v1/admin/leads?lost_reason=other", None, owner).json["total"] == 0
    assert server.by_key(tenant, "GET", "/api/leads?lostReason=weather").status == 400

    server.by_key(tenant, "PATCH", f"/api/leads/{ids[0]}", {"lostReason": "timing"})
    server.by_key(tenant, "PATCH", f"/api/leads/{ids[2]}", {"status": "new"})
    changed = server.by_key(tenant, "GET", links(found)["delta"]).json
    assert changed == [{"id": ids[0], "removed": True}, {"id": ids[2], "removed": True}]
