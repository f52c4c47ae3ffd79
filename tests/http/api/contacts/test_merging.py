"""Contacts that are one person: merged into one that answers for both, and separated again."""

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aureum.domain.ids import from_wire
from aureum.store.rebuild.rebuild import rebuild
from tests.http.api.contacts.test_contacts import contact, patched
from tests.http.links import delta
from tests.http.operator import Operator, Tenant
from tests.http.serving import Answer, Server

ERASE = "DELETE FROM subject_keys WHERE tenant_id = %(tenant)s AND subject_id = %(id)s RETURNING 1"
LIVE = """
SELECT to_jsonb(x) - 'read_version' - 'unsearched' FROM {table} x JOIN heads h USING (tenant_id)
 WHERE x.tenant_id = %(tenant)s AND x.read_version = h.{table}_version ORDER BY 1
"""
TABLES = ("contact_list", "lead_list", "task_list")


def merge(server: Server, tenant: Tenant, one: str, other: Any, headers: Any = None) -> Answer:
    return server.by_key(tenant, "POST", f"/api/contacts/{one}/merge", {"with": other}, headers)


def unmerge(server: Server, tenant: Tenant, one: str, other: Any) -> Answer:
    return server.by_key(tenant, "POST", f"/api/contacts/{one}/unmerge", {"merge": other})


def get(server: Server, tenant: Tenant, one: str, query: str = "") -> Any:
    answer = server.by_key(tenant, "GET", f"/api/contacts/{one}{query}")
    return answer.json if answer.status == 200 else answer.status


def untimed(doc: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in doc.items() if name != "updatedAt"}


def lead(server: Server, tenant: Tenant, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = server.by_key(tenant, "POST", "/api/leads", {"name": "John Smith"} | fields).json
    return made


def converted(server: Server, tenant: Tenant, **fields: Any) -> tuple[str, str]:
    """A lead and the contact that was made from it."""
    made = lead(server, tenant, **fields)
    answer = server.by_key(tenant, "POST", f"/api/leads/{made['id']}/convert")
    return made["id"], answer.json["contactId"]


def rows(operator: Operator, tenant: Tenant) -> list[Any]:
    """All live rows but for their version."""
    found = []
    for table in TABLES:
        statement = LIVE.replace("{table}", table)
        found += operator.rows(statement, tenant=tenant.id)
    return found


def test_one_answers_for_both(server: Server, proxied: Server, operator: Operator, tenant: Tenant) -> None:
    one = contact(server, tenant, email="john@example.com", tags=["a"], score=3)
    lead_id, other = converted(server, tenant, name="Johnny Smith", email="js@example.com", phone="208-555-0123")
    task = server.by_key(tenant, "POST", "/api/tasks", {"title": "Call", "contactId": other}).json["id"]
    server.by_key(tenant, "PATCH", f"/api/contacts/{other}", {"tags": ["b", "a"], "score": 7})
    known = server.by_key(tenant, "GET", "/api/contacts?limit=10")
    leads = server.by_key(tenant, "GET", "/api/leads?limit=10")
    before = get(server, tenant, other)

    answer = merge(server, tenant, one["id"], other, {"Idempotency-Key": "m"})

    assert answer.status == 200, answer.body
    expected = one | {"tags": ["a", "b"], "score": 7, "phone": "208-555-0123", "phoneE164": "+12085550123"}
    expected |= {"leadId": lead_id, "otherNames": ["Johnny Smith"], "otherEmails": ["js@example.com"]}
    expected |= {"mergedWith": [other], "updatedAt": answer.json["updatedAt"]}
    assert answer.json == expected
    assert merge(proxied, tenant, one["id"], other, {"Idempotency-Key": "m"}).json == answer.json
    for asked in (one["id"], other):
        found = proxied.by_key(tenant, "GET", f"/api/contacts/{asked}")
        # Versions of two contacts may be the same: under the other's address the ETag is another one.
        assert (found.json, found.etag == answer.etag) == (answer.json, asked == one["id"])
        assert found.etag.startswith(answer.etag[:-1])
        again = proxied.by_key(tenant, "GET", f"/api/contacts/{asked}", headers={"If-None-Match": found.etag})
        assert again.status == 304
    assert server.by_key(tenant, "GET", "/api/contacts").json == [answer.json]
    assert server.by_key(tenant, "GET", delta(known)).json == [answer.json, {"id": other, "removed": True}]
    for word in ("js@example.com", "johnny", "0123"):
        assert server.by_key(tenant, "GET", f"/api/contacts?search={word}").ids == [one["id"]]

    # What names the other contact goes along, and its lists say so.
    (moved,) = server.by_key(tenant, "GET", delta(leads)).json
    assert (moved["id"], moved["contactId"]) == (lead_id, one["id"])
    assert server.by_key(tenant, "GET", f"/api/tasks/{task}").json["contactId"] == one["id"]
    history = server.by_key(tenant, "GET", f"/api/leads/{lead_id}/history").json
    assert history[-1]["changes"] == {"contactId": {"from": other, "to": one["id"]}}
    # A new task, a change and an activity of the other contact are the one's.
    new = server.by_key(tenant, "POST", "/api/tasks", {"title": "Write", "contactId": other}).json
    assert new["contactId"] == one["id"]
    changed = patched(server, tenant, {"id": other}, {"If-Match": found.etag}, score=9)
    assert (changed.json["id"], changed.etag) == (
        one["id"],
        server.by_key(tenant, "GET", f"/api/contacts/{other}").etag,
    )
    assert patched(server, tenant, {"id": other}, {"If-Match": answer.etag}, score=8).status == 412

    # As it was before there are two.
    assert untimed(get(server, tenant, other, f"?asOf={before['updatedAt']}")) == untimed(before)
    assert get(server, tenant, one["id"], f"?asOf={one['createdAt']}") == one
    assert get(server, tenant, other, "?asOf=2099-01-01")["id"] == one["id"]


def test_merging_again_records_nothing(server: Server, operator: Operator, tenant: Tenant) -> None:
    one, other = (contact(server, tenant)["id"] for _ in range(2))
    first = merge(server, tenant, one, other)
    head = operator.head(tenant)
    assert merge(server, tenant, one, other).json == first.json
    assert operator.head(tenant) == head
    unmerged = unmerge(server, tenant, one, other)
    head = operator.head(tenant)
    assert (unmerge(server, tenant, one, other).json, operator.head(tenant)) == (unmerged.json, head)
    assert merge(server, tenant, one, other).json["mergedWith"] == [other]


def test_webhooks_and_histories_tell(server: Server, tenant: Tenant) -> None:
    one, other = (contact(server, tenant, email=email)["id"] for email in ("a@example.com", "b@example.com"))
    merge(server, tenant, one, other)
    unmerge(server, tenant, one, other)
    told = [event for event in server.by_key(tenant, "GET", "/api/events").json if event["event"] == "contact.updated"]
    assert [(event["data"]["id"], event["changes"]) for event in told] == [
        (
            one,
            {"otherEmails": {"from": [], "to": ["b@example.com"]}, "mergedWith": {"from": [], "to": [other]}},
        ),
        (other, {"mergedInto": {"from": None, "to": one}}),
        (
            one,
            {"otherEmails": {"from": ["b@example.com"], "to": []}, "mergedWith": {"from": [other], "to": []}},
        ),
        (other, {"mergedInto": {"from": one, "to": None}}),
    ]
    for contact_id, types in ((one, ["merged", "unmerged"]), (other, ["merged_into", "separated"])):
        history = server.by_key(tenant, "GET", f"/api/contacts/{contact_id}/history").json
        assert [entry["type"] for entry in history] == ["contact.added", *(f"contact.{name}" for name in types)]
        assert all(entry["changes"] and entry["actor"] for entry in history)


def test_a_form_of_either_is_the_merged_ones(server: Server, tenant: Tenant) -> None:
    one = contact(server, tenant, email="john@example.com")["id"]
    other = contact(server, tenant, email="js@example.com")["id"]
    merge(server, tenant, one, other)
    for email in ("john@example.com", "JS@example.com"):
        assert server.form(tenant, firstName="Smith", lastName="John", email=email).status == 200
    assert [found["contactId"] for found in server.by_key(tenant, "GET", "/api/leads").json] == [one, one]
    # A third one with the other's address is suggested for the one that has it now, once.
    third = contact(server, tenant, firstName="Jane", email="js@example.com")["id"]
    (pair,) = server.by_key(tenant, "GET", "/api/contacts/duplicates").json
    assert [each["id"] for each in pair["contacts"]] == [one, third]
    (found,) = server.by_key(tenant, "GET", f"/api/contacts/{third}/duplicates").json
    assert found["person"]["id"] == one
    (found,) = server.by_key(tenant, "GET", f"/api/contacts/{other}/duplicates").json
    assert found["person"]["id"] == third


def test_a_chain_is_merged_and_undone_link_by_link(server: Server, tenant: Tenant) -> None:
    lead_id, third = converted(server, tenant, email="c@example.com")
    one, other = (contact(server, tenant, email=email)["id"] for email in ("a@example.com", "b@example.com"))
    was = {each: untimed(get(server, tenant, each)) for each in (one, other, third)}
    merge(server, tenant, other, third)
    merged = merge(server, tenant, one, other)
    assert merged.json["mergedWith"] == [other, third]
    assert [get(server, tenant, each)["id"] for each in (one, other, third)] == [one] * 3
    assert server.by_key(tenant, "GET", f"/api/leads/{lead_id}").json["contactId"] == one

    early = unmerge(server, tenant, one, third)
    assert (early.status, early.json["error"]) == (
        409,
        f"{third} was merged into {other} before that contact was merged into this one. Undo the later merge first.",
    )
    assert unmerge(server, tenant, other, third).status == 409
    assert untimed(unmerge(server, tenant, one, other).json) == was[one]
    assert [get(server, tenant, each)["id"] for each in (one, other, third)] == [one, other, other]
    assert server.by_key(tenant, "GET", f"/api/leads/{lead_id}").json["contactId"] == other
    unmerge(server, tenant, other, third)
    assert {each: untimed(get(server, tenant, each)) for each in was} == was
    assert server.by_key(tenant, "GET", f"/api/leads/{lead_id}").json["contactId"] == third


def test_a_version_of_another_contact_is_no_known_one(server: Server, tenant: Tenant) -> None:
    one, other = (contact(server, tenant) for _ in range(2))
    changed = patched(server, tenant, other, score=1)
    merge(server, tenant, one["id"], other["id"])
    known = {"If-None-Match": changed.etag}
    answer = server.by_key(tenant, "GET", f"/api/contacts/{other['id']}", headers=known)
    assert (changed.etag, answer.status, answer.json["id"]) == ('"v2"', 200, one["id"])
    known = {"If-None-Match": answer.etag}
    unmerge(server, tenant, one["id"], other["id"])
    assert server.by_key(tenant, "GET", f"/api/contacts/{other['id']}", headers=known).json["id"] == other["id"]


def test_what_came_or_changed_since_stays(server: Server, tenant: Tenant) -> None:
    one = contact(server, tenant)
    lead_id, other = converted(server, tenant, email="b@example.com", phone="208-555-0123")
    merge(server, tenant, one["id"], other)
    since = server.by_key(tenant, "POST", "/api/tasks", {"title": "Call", "contactId": other}).json["id"]
    patched(server, tenant, one, phone="208-555-0199")
    answer = unmerge(server, tenant, one["id"], other)
    assert (answer.json["phone"], answer.json["email"], answer.json["mergedWith"]) == ("208-555-0199", None, [])
    assert server.by_key(tenant, "GET", f"/api/leads/{lead_id}").json["contactId"] == other
    assert server.by_key(tenant, "GET", f"/api/tasks/{since}").json["contactId"] == one["id"]


def test_what_cannot_be_merged(server: Server, operator: Operator, tenant: Tenant) -> None:
    one, other, gone = (contact(server, tenant)["id"] for _ in range(3))
    foreign = contact(server, operator.brokerage())["id"]
    assert operator.rows(ERASE, tenant=tenant.id, id=from_wire(gone))
    head = operator.head(tenant)
    task = lead(server, tenant, email="x@example.com")["id"]
    cases: tuple[tuple[Any, int], ...] = (
        (foreign, 404),
        (task, 404),
        ("nonsense", 404),
        (one, 400),
        (gone, 409),
        (7, 400),
        (None, 400),
        ([], 400),
    )
    for bad, status in cases:
        answer = merge(server, tenant, one, bad)
        assert answer.status == status and answer.json["error"], bad
        assert unmerge(server, tenant, one, bad).status == status, bad
    assert merge(server, tenant, foreign, one).status == merge(server, tenant, "nonsense", one).status == 404
    assert server.by_key(tenant, "POST", f"/api/contacts/{one}/merge", {}).status == 400
    assert unmerge(server, tenant, one, other).status == 409
    assert operator.head(tenant) == head + 1

    merge(server, tenant, one, other)
    third = contact(server, tenant)["id"]
    for refused in (merge(server, tenant, other, third), merge(server, tenant, third, other)):
        assert refused.status == 409 and one in refused.json["error"]


def test_two_merges_at_once(server: Server, proxied: Server, tenant: Tenant) -> None:
    """Of two that contradict each other one wins; with changes meanwhile nothing is lost."""
    with ThreadPoolExecutor(6) as pool:
        for _ in range(6):
            one, other = (contact(server, tenant)["id"] for _ in range(2))
            there = pool.submit(merge, server, tenant, one, other)
            back = pool.submit(merge, proxied, tenant, other, one)
            changes = [
                pool.submit(patched, proxied, tenant, {"id": each}, lastName=f"Changed {each}") for each in (one, other)
            ]
            assert sorted((there.result().status, back.result().status)) == [200, 409]
            assert {change.result().status for change in changes} == {200}
            left = one if there.result().status == 200 else other
            found = get(server, tenant, one)
            assert found == get(server, tenant, other) and found["id"] == left
            names = [f"{found['firstName']} {found['lastName']}", *found["otherNames"]]
            assert any(name.startswith("John Changed") for name in names)


def test_many_leads_go_along(server: Server, operator: Operator, tenant: Tenant, monkeypatch: Any) -> None:
    """More than one append takes, here in this process; and those that a merge has left behind go the next time."""
    from aureum.commands import merging
    from tests.http.operator import ORIGIN

    monkeypatch.setattr(merging, "AT_ONCE", 2)
    one, other = (contact(server, tenant)["id"] for _ in range(2))
    tasks = {
        server.by_key(tenant, "POST", "/api/tasks", {"title": "Call", "contactId": other}).json["id"] for _ in range(7)
    }
    ids = [from_wire(each) for each in (one, other)]
    assert ids[0] and ids[1]
    both = merging.Merge(tenant.id, ids[0], ids[1])

    def contacts() -> set[str]:
        return {task["contactId"] for task in server.by_key(tenant, "GET", "/api/tasks").json if task["id"] in tasks}

    operator.run(lambda store: merging.merge_contacts(store, both, ORIGIN))
    assert contacts() == {one}
    operator.run(lambda store: merging.unmerge_contacts(store, both, ORIGIN))
    assert contacts() == {other}


def test_rebuilt_is_as_it_was_after_any_merges(server: Server, operator: Operator, tenant: Tenant) -> None:
    dice = random.Random(20_261_130)
    fields = (
        {"email": "a@example.com", "tags": ["x"]},
        {"phone": "208-555-0123"},
        {"email": "b@example.com", "score": 9},
    )
    people = [contact(server, tenant, firstName=f"P{number}", **fields[number % 3])["id"] for number in range(5)]
    for _ in range(3):
        people.append(converted(server, tenant, email="c@example.com")[1])
        server.by_key(tenant, "POST", "/api/tasks", {"title": "Call", "contactId": dice.choice(people)})
    statuses = []
    for _ in range(30):
        one, other = dice.sample(people, 2)
        asked = dice.choice((merge, merge, unmerge))
        statuses.append(asked(server, tenant, one, other).status)
        if not dice.randrange(4):
            statuses.append(patched(server, tenant, {"id": one}, score=dice.randrange(100)).status)
    assert {*statuses} == {200, 409}
    live = rows(operator, tenant)
    listed = server.by_key(tenant, "GET", "/api/contacts").json
    for table in TABLES:
        operator.run(lambda store, name=table: rebuild(store.database.url, store.keys, name, tenant.id))  # type: ignore[misc]  # bound now
    assert rows(operator, tenant) == live
    assert server.by_key(tenant, "GET", "/api/contacts").json == listed
    # Whatever names a contact names one that stands for itself.
    standing = {one["id"] for one in listed}
    named = [*server.by_key(tenant, "GET", "/api/leads").json, *server.by_key(tenant, "GET", "/api/tasks").json]
    assert {one["contactId"] for one in named} <= standing
    assert {get(server, tenant, one)["id"] for one in people} == standing


def test_forms_meanwhile_name_a_contact_that_stands(server: Server, proxied: Server, tenant: Tenant) -> None:
    """Forms of both addresses, tasks and conversions come in while the two are merged and separated."""
    one = contact(server, tenant, email="john@example.com")["id"]
    other = contact(server, tenant, email="js@example.com")["id"]

    def busy(number: int) -> None:
        email = ("john@example.com", "js@example.com")[number % 2]
        process = (server, proxied)[number // 2 % 2]
        sent = process.form(tenant, firstName="John", lastName="Smith", email=email, message=f"No. {number}")
        assert sent.status == 200
        task = {"title": "Call", "contactId": (one, other)[number % 2]}
        assert process.by_key(tenant, "POST", "/api/tasks", task).status == 201

    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(busy, number) for number in range(24)]
        statuses = [step(server, tenant, one, other).status for step in (merge, unmerge, merge, unmerge, merge)]
        for each in work:
            each.result()
    assert statuses == [200] * 5
    # What came between the reading and the append of the last merge goes along now.
    merge(server, tenant, one, other)
    named = [*server.by_key(tenant, "GET", "/api/leads").json, *server.by_key(tenant, "GET", "/api/tasks").json]
    assert [each["contactId"] for each in named] == [one] * 48


def test_an_erased_person_lets_the_other_go(server: Server, operator: Operator, tenant: Tenant) -> None:
    one = contact(server, tenant, email="a@example.com")["id"]
    lead_id, other = converted(server, tenant, email="b@example.com", phone="208-555-0123")
    before = get(server, tenant, other)
    assert merge(server, tenant, one, other).json["phone"] == "208-555-0123"
    assert operator.rows(ERASE, tenant=tenant.id, id=from_wire(one))

    answer = unmerge(server, tenant, one, other)

    assert (answer.status, answer.json["mergedWith"], answer.json["email"]) == (200, [], "[erased]")
    assert b"b@example.com" not in answer.body and b"0123" not in answer.body
    assert untimed(get(server, tenant, other)) == untimed(before)
    assert server.by_key(tenant, "GET", f"/api/leads/{lead_id}").json["contactId"] == other
    for path in (f"/api/contacts/{one}", f"/api/contacts/{one}/history", f"/api/contacts/{one}/duplicates"):
        assert b"b@example.com" not in server.by_key(tenant, "GET", path).body
