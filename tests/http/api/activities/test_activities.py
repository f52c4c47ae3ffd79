"""Activities over HTTP: logged, listed, corrected, removed; in the history, in webhooks, in what a client catches up
with; and by whom."""

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from aureum.domain.ids import from_wire
from tests.http.links import links, next_page
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

CALL = {"type": "call", "direction": "outbound", "outcome": "left_message", "duration": 45, "text": "Of Saturday."}
NOTE = {"type": "note", "text": "Called back."}

FORGET = "DELETE FROM subject_keys WHERE tenant_id = %(tenant)s AND subject_id = %(subject)s RETURNING 1"


def a_contact(server: Server, tenant: Tenant) -> str:
    made = server.by_key(tenant, "POST", "/api/contacts", {"firstName": "Jo", "lastName": "Doe"})
    assert made.status == 201, made.body
    return str(made.json["id"])


def log(server: Server, tenant: Tenant, path: str, **fields: Any) -> dict[str, Any]:
    answer = server.by_key(tenant, "POST", f"{path}/activities", fields or NOTE)
    assert answer.status == 201, answer.body
    activity: dict[str, Any] = answer.json
    return activity


@pytest.mark.parametrize("kind", ["lead", "contact"])
def test_what_is_logged_is_told_everywhere(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant, kind: str
) -> None:
    """From the answer to the list, the resource's own time, its list, its history, and the body of the webhook."""
    of = server.lead(tenant)["id"] if kind == "lead" else a_contact(server, tenant)
    path, many = f"/api/{kind}s/{of}", f"/api/{kind}s"
    before = server.by_key(tenant, "GET", path)
    delta = links(server.by_key(tenant, "GET", many))["delta"]

    made = server.by_key(tenant, "POST", f"{path}/activities", CALL | {"at": "2026-01-31T12:00:00-07:00"})
    log(server, tenant, path)

    activity = made.json
    assert (made.status, made.etag, activity["id"]) == (201, '"v2"', f"{of}_2")
    assert {name: activity[name] for name in CALL} == CALL
    assert (activity["at"], activity["createdById"]) == ("2026-01-31T19:00:00.000Z", None)
    assert (activity["leadId"], activity["contactId"]) == ((of, None) if kind == "lead" else (None, of))
    listed = proxied.by_key(tenant, "GET", f"{path}/activities")
    assert [one["type"] for one in listed.json] == ["note", "call"] and listed.json[1] == activity
    assert [one["id"] for one in server.by_key(tenant, "GET", f"{path}/activities?type=call").json] == [activity["id"]]
    assert proxied.by_key(tenant, "GET", f"/api/activities/{activity['id']}").json == activity
    after = server.by_key(tenant, "GET", path).json
    assert after["updatedAt"] > before.json["updatedAt"]
    assert after | {"updatedAt": ""} == before.json | {"updatedAt": ""}, "the resource itself is as it was"
    assert server.by_key(tenant, "GET", delta).json == [after]
    assert server.by_key(tenant, "GET", f"{many}?updatedSince={after['updatedAt']}").json == [after]
    told = [one for one in server.by_key(tenant, "GET", "/api/events").json if one["event"] == f"{kind}.updated"]
    shown = {name: activity[name] for name in ("id", "type", "at", "direction", "outcome", "duration", "text")}
    assert told[0]["changes"] == {"activities": {"from": None, "to": shown | {"createdById": None}}}
    assert (len(told), told[1]["data"]) == (2, after)


def test_a_correction_and_a_removal_are_told_and_the_past_stays(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    lead = server.lead(tenant)["id"]
    staff = operator.staff(tenant.id, "broker")
    path = f"/api/leads/{lead}"
    note = server.ask("POST", f"{path}/activities", NOTE, staff.bearer).json
    one = f"/api/activities/{note['id']}"

    same = server.by_key(tenant, "PATCH", one, {"text": NOTE["text"]})
    corrected = server.by_key(tenant, "PATCH", one, {"text": "Wrote back.", "at": "2026-01-31"})
    stale = server.ask("PATCH", one, {"text": "No."}, tenant.bearer | {"If-Match": same.etag})
    was = server.by_key(tenant, "GET", f"{one}?asOf={note['createdAt']}")
    removed = server.by_key(tenant, "DELETE", one)

    assert (same.status, same.json) == (200, note)
    assert (corrected.json["text"], corrected.json["at"]) == ("Wrote back.", "2026-01-31T07:00:00.000Z")
    assert corrected.json["createdById"] == note["createdById"] == staff.id
    assert (stale.status, removed.status) == (412, 204)
    assert was.json == note
    for answer in (server.by_key(tenant, "GET", one), server.by_key(tenant, "DELETE", one)):
        assert (answer.status, answer.error) == (404, "There is no such activity.")
    assert server.by_key(tenant, "GET", f"{path}/activities").json == []
    history = server.by_key(tenant, "GET", f"{path}/history").json
    assert [event["type"] for event in history[1:]] == [
        f"lead.activity_{what}" for what in ("logged", "corrected", "removed")
    ]
    texts = [event["changes"]["activities"] for event in history[1:]]
    assert [(one["from"] and one["from"]["text"], one["to"] and one["to"]["text"]) for one in texts] == [
        (None, "Called back."),
        ("Called back.", "Wrote back."),
        ("Wrote back.", None),
    ]
    told = [event["changes"] for event in server.by_key(tenant, "GET", "/api/events").json if "changes" in event]
    assert told == [event["changes"] for event in history[1:]]


def test_the_leads_api_says_the_same_in_its_names(server: Server, operator: Operator, tenant: Tenant) -> None:
    agent = operator.staff(tenant.id, "agent")
    server.lead(tenant, assignedToId=agent.id)
    (lead,) = server.ask("GET", "/api/v1/admin/leads", None, agent.bearer).json["items"]
    path = f"/api/v1/admin/leads/{lead['id']}"

    made = server.ask("POST", f"{path}/activities", CALL | {"at": "2026-01-31T12:00:00Z"}, agent.bearer)
    again = [server.ask("POST", f"{path}/activities", NOTE, agent.bearer) for _ in range(2)]
    page = server.ask("GET", f"{path}/activities?page_size=2&page=2", None, agent.bearer).json

    assert made.status == 201 and {one.status for one in again} == {201}
    assert {name: made.json[name] for name in CALL} == CALL
    assert (made.json["at"], made.json["lead_id"], made.json["created_by_id"]) == (
        "2026-01-31T12:00:00Z", lead["id"], agent.number
    )  # fmt: skip
    assert (page["items"], page["total"], page["total_pages"]) == ([made.json], 3, 2)
    history = server.ask("GET", f"{path}/history", None, agent.bearer).json
    shown = {name: value for name, value in made.json.items() if name not in ("lead_id", "created_at", "updated_at")}
    assert history[1]["changes"] == {"activities": {"from": None, "to": shown}}


def test_who_sees_and_who_corrects(server: Server, operator: Operator, tenant: Tenant) -> None:
    """An agent only on leads of that agent, and only what that agent logged; on contacts all staff."""
    ana, bo, broker = (operator.staff(tenant.id, role) for role in ("agent", "agent", "broker"))
    path = f"/api/leads/{server.lead(tenant, assignedToId=ana.id)['id']}"
    by_key, by_ana = log(server, tenant, path), server.ask("POST", f"{path}/activities", NOTE, ana.bearer).json

    for who, activity, status in ((bo, by_ana, 404), (ana, by_key, 403), (ana, by_ana, 200), (broker, by_ana, 200)):
        answer = server.ask("PATCH", f"/api/activities/{activity['id']}", {"text": f"{status}"}, who.bearer)
        assert answer.status == status, answer.body
    assert server.ask("DELETE", f"/api/activities/{by_key['id']}", None, ana.bearer).code == "role_not_allowed"
    for method, body in (("GET", None), ("POST", NOTE)):
        assert server.ask(method, f"{path}/activities", body, bo.bearer).error == "There is no such lead."
    contact = f"/api/contacts/{a_contact(server, tenant)}"
    of_contact = server.ask("POST", f"{contact}/activities", NOTE, bo.bearer).json
    assert server.ask("GET", f"{contact}/activities", None, ana.bearer).json == [of_contact]
    assert server.ask("DELETE", f"/api/activities/{of_contact['id']}", None, ana.bearer).status == 403


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("type", {"text": "What?"}),
        ("type", {"type": "fax", "text": "What?"}),
        ("text", {"type": "note"}),
        ("text", {"type": "note", "text": " \u200b\n"}),
        ("text", {"type": "note", "text": "x\0"}),
        ("text", {"type": "note", "text": "x" * 20_001}),
        ("text", {"type": "note", "text": ["x"]}),
        ("direction", {"type": "note", "text": "x", "direction": "inbound"}),
        ("outcome", {"type": "email", "outcome": "answered"}),
        ("duration", {"type": "visit", "duration": 1}),
        ("duration", {"type": "call", "duration": 86_401}),
        ("duration", {"type": "call", "duration": "45"}),
        ("duration", {"type": "call", "duration": 0.5}),
        ("at", {"type": "visit", "at": "1989-12-31T23:59:59Z"}),
        ("at", {"type": "visit", "at": "0001-01-01"}),
        ("at", {"type": "visit", "at": "9999-12-31T23:59:59Z"}),
        ("at", {"type": "visit", "at": "yesterday"}),
        ("at", {"type": "visit", "at": 1_769_860_800}),
    ],
)
def test_what_cannot_be_logged(server: Server, operator: Operator, field: str, body: dict[str, Any]) -> None:
    tenant, path = operator.shared, f"/api/leads/{operator.shared_lead}/activities"
    before = server.by_key(tenant, "GET", path)
    refused = server.by_key(tenant, "POST", path, body)
    assert (refused.status, list(refused.json["fields"])) == (400, [field]), refused.body
    assert server.by_key(tenant, "GET", path).etag == before.etag


def test_suspected_spam_is_cleared_first(server: Server, tenant: Tenant) -> None:
    server.form(tenant, _gotcha="x")
    (lead,) = server.leads(tenant)
    refused = server.by_key(tenant, "POST", f"/api/leads/{lead['id']}/activities", NOTE)
    assert (refused.status, refused.code) == (409, "wrong_state")


def test_pages_hold_while_others_log_correct_and_remove(server: Server, tenant: Tenant) -> None:
    """Many of the same moment, out of order: each page goes on where the one before ended."""
    path = f"/api/leads/{server.lead(tenant)['id']}"
    dice = random.Random(7)
    days = [f"2026-01-0{dice.randint(1, 3)}T12:00:00Z" for _ in range(9)]
    made = [log(server, tenant, path, **NOTE, at=day) for day in days]
    whole = server.by_key(tenant, "GET", f"{path}/activities").json
    assert whole == sorted(made, key=lambda one: (one["at"], int(one["id"].partition("_")[2])), reverse=True)

    found, page = [], f"{path}/activities?limit=2&type=note"
    while True:
        answer = server.by_key(tenant, "GET", page)
        found += answer.json
        log(server, tenant, path, **NOTE, at="2026-01-09T12:00:00Z")
        server.by_key(tenant, "DELETE", f"/api/activities/{answer.json[0]['id']}")
        following = next_page(answer)
        if following is None:
            break
        page = following
    assert found == whole
    for wrong in (
        page.replace("type=note", "type=call"),
        page.replace(path, f"/api/leads/{server.lead(tenant)['id']}"),
    ):
        assert server.by_key(tenant, "GET", wrong).code == "invalid_parameters"


def test_many_at_once_with_a_conversion_between_them(server: Server, proxied: Server, tenant: Tenant) -> None:
    """Each request twice, over two processes: each activity is kept once, and the lead is converted once."""
    path = f"/api/leads/{server.lead(tenant)['id']}"

    def ask(number: int) -> int:
        process, note = (server, proxied)[number % 2], number // 2
        if note == 3:
            return process.by_key(tenant, "POST", f"{path}/convert").status
        key = {"Idempotency-Key": f"note-{note}"}
        return process.ask(
            "POST", f"{path}/activities", {"type": "note", "text": f"{note}"}, tenant.bearer | key
        ).status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(ask, range(16)))

    # A twin in flight may be told to wait.
    assert set(statuses) <= {200, 201, 409} and statuses.count(409) <= 8
    events = [event["type"] for event in server.by_key(tenant, "GET", f"{path}/history").json]
    texts = [one["text"] for one in server.by_key(tenant, "GET", f"{path}/activities").json]
    assert sorted(texts) == [f"{note}" for note in range(8) if note != 3]
    assert (events.count("lead.activity_logged"), events.count("lead.converted")) == (7, 1)


def test_merged_contacts_show_what_happened_with_both(server: Server, tenant: Tenant) -> None:
    """An activity stays where it was logged, so that undoing the merge takes it along; new ones go to the survivor."""
    kept, gone = (f"/api/contacts/{a_contact(server, tenant)}" for _ in range(2))
    ours, theirs = (log(server, tenant, path, **NOTE, at=f"2026-01-0{day}") for day, path in ((1, kept), (2, gone)))
    before = server.by_key(tenant, "GET", f"{kept}/activities")
    merge = {"with": gone.rpartition("/")[2]}
    assert server.by_key(tenant, "POST", f"{kept}/merge", merge).status == 200

    later = log(server, tenant, gone, **NOTE, at="2026-01-03")
    assert later["contactId"] == kept.rpartition("/")[2]
    whole = server.by_key(tenant, "GET", f"{kept}/activities")
    assert whole.json == [later, theirs, ours] and whole.etag != before.etag
    assert server.by_key(tenant, "GET", f"{gone}/activities").json == whole.json
    page = server.by_key(tenant, "GET", f"{kept}/activities?limit=2")
    assert server.by_key(tenant, "GET", next_page(page) or "").json == [ours]
    corrected = server.by_key(tenant, "PATCH", f"/api/activities/{theirs['id']}", {"text": "Of both."})
    assert (corrected.status, corrected.json["id"]) == (200, theirs["id"])
    again = server.ask("GET", f"{kept}/activities", None, tenant.bearer | {"If-None-Match": whole.etag})
    assert again.status == 200 and again.json[1]["text"] == "Of both."

    undone = server.by_key(tenant, "POST", f"{kept}/unmerge", {"merge": merge["with"]})
    assert undone.status == 200, undone.body
    assert server.by_key(tenant, "GET", f"{gone}/activities").json == [corrected.json]


def test_of_an_erased_person_the_texts_are_gone(server: Server, operator: Operator, tenant: Tenant) -> None:
    path = f"/api/leads/{(lead := server.lead(tenant)['id'])}"
    log(server, tenant, path, **CALL)
    operator.rows(FORGET, tenant=tenant.id, subject=from_wire(lead))

    (shown,) = server.by_key(tenant, "GET", f"{path}/activities").json
    assert (shown["text"], shown["outcome"]) == ("[erased]", "left_message")
    told = [event for event in server.by_key(tenant, "GET", "/api/events").json if "changes" in event]
    assert told[0]["changes"]["activities"]["to"]["text"] == "[erased]"
