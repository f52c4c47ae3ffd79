"""One lead at a time, in the Aureum API: made, read as it is and as it was, changed, and its history."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from aureum.domain.errors import Conflict
from aureum.domain.ids import aureum_time, from_wire
from tests.http.operator import Operator, Tenant
from tests.http.serving import JANE, Answer, Server

STATUSES = "new, contacted, qualified, showing, offer, converted, lost"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

APPENDS = """
SELECT version, metadata, recorded_at FROM events
 WHERE tenant_id = %(tenant)s AND stream_id = %(lead)s
 ORDER BY version
"""


def refused(answer: Answer) -> str:
    """The sentence of a 400."""
    assert answer.status == 400, answer.body
    return answer.error


def test_a_lead_is_answered_whole_and_found_again(server: Server, proxied: Server, tenant: Tenant) -> None:
    fields = {
        "name": "Jane Doe",
        "email": "jane@example.com",
        "phone": "+1-555-0200",
        "source": "fair",
        "status": "contacted",
        "subject": "Beverly Hills",
        "message": "Interested in the Beverly Hills listing",
        "sourcePage": "/fair",
        "utm": {"source": "s", "medium": "m", "campaign": "c"},
    }

    answer = server.by_key(tenant, "POST", "/api/leads", fields)

    assert (answer.status, answer.etag) == (201, '"v1"')
    lead = answer.json
    assert re.fullmatch("c[0-9a-z]{24,}", lead["id"])
    assert TIME.fullmatch(lead["createdAt"])
    assert lead == fields | {
        "id": lead["id"],
        "firstName": "Jane",
        "lastName": "Doe",
        "assignedToId": None,
        "contactId": None,
        "createdAt": lead["createdAt"],
        "updatedAt": lead["createdAt"],
    }
    # What one process has answered, another shows at once.
    found = proxied.by_key(tenant, "GET", f"/api/leads/{lead['id']}")
    assert (found.status, found.json, found.etag) == (200, lead, '"v1"')


def test_the_defaults_of_the_contract(server: Server, tenant: Tenant) -> None:
    lead = server.lead(tenant, source=None, status=None, utm=None, subject=None, phone=None, assignedToId=None)

    assert (lead["source"], lead["status"]) == ("api", "new")
    assert lead["utm"] == {"source": None, "medium": None, "campaign": None}


@pytest.mark.parametrize(
    ("given", "first", "last"),
    [
        ({"name": "Mary Jane Doe"}, "Mary Jane", "Doe"),
        ({"name": "  Jane   Doe "}, "Jane", "Doe"),
        ({"name": "Cher"}, "Cher", ""),
        ({"name": "María de la O"}, "María de la", "O"),
        ({"name": None, "firstName": "Jane", "lastName": "van der Berg"}, "Jane", "van der Berg"),
        ({"name": "Jane Doe", "firstName": "Not", "lastName": "Used"}, "Jane", "Doe"),
    ],
)
def test_a_name_is_split_at_its_last_space(
    server: Server, tenant: Tenant, given: dict[str, Any], first: str, last: str
) -> None:
    lead = server.lead(tenant, **given)

    assert (lead["firstName"], lead["lastName"], lead["name"]) == (first, last, f"{first} {last}".strip())


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": None}, "name is required, or firstName and lastName."),
        ({"name": None, "firstName": "Jane"}, "name is required, or firstName and lastName."),
        ({"name": " "}, "name is required, or firstName and lastName."),
        ({"name": ""}, "name is required, or firstName and lastName."),
        ({"name": 7}, "name must be a string."),
        ({"name": "x" * 201}, "name must have at most 200 characters."),
        ({"email": None}, "email or phone is required."),
        ({"email": None, "phone": " "}, "email or phone is required."),
        ({"email": "jane"}, "email must be a valid email address."),
        ({"phone": 5550200}, "phone must be a string."),
        ({"phone": []}, "phone must be a string."),
        ({"status": "sold"}, f'status must be one of: {STATUSES}; got "sold".'),
        ({"source": "x" * 101}, "source must have at most 100 characters."),
        ({"utm": []}, "utm must be an object."),
        ({"utm": {"source": 1}}, "utm.source must be a string."),
        ({"message": "x" * 20_001}, "message must have at most 20000 characters."),
        ({"assignedToId": 7}, "assignedToId must be a string."),
        ({"assignedToId": "nobody"}, "assignedToId must be the id of a user of this brokerage."),
        ({"assignedToId": "c" + "0" * 25}, "assignedToId must be the id of a user of this brokerage."),
    ],
)
def test_a_refusal_names_the_field_and_what_is_allowed(
    server: Server, tenant: Tenant, operator: Operator, fields: dict[str, Any], sentence: str
) -> None:
    before = operator.head(tenant)

    assert refused(server.by_key(tenant, "POST", "/api/leads", JANE | fields)) == sentence

    assert operator.head(tenant) == before


def test_a_user_of_another_brokerage_is_not_assigned(server: Server, tenant: Tenant, operator: Operator) -> None:
    own, foreign = operator.agent(tenant, "Rita"), operator.agent(operator.brokerage(), "Max")

    lead = server.lead(tenant, assignedToId=own)
    post = server.by_key(tenant, "POST", "/api/leads", JANE | {"assignedToId": foreign})
    patch = server.by_key(tenant, "PATCH", f"/api/leads/{lead['id']}", {"assignedToId": foreign})

    assert lead["assignedToId"] == own
    assert refused(post) == refused(patch) == "assignedToId must be the id of a user of this brokerage."


def test_one_save_is_one_append_however_many_fields_change(server: Server, tenant: Tenant, operator: Operator) -> None:
    agent = operator.agent(tenant, "Rita")
    lead = server.lead(tenant)
    path = f"/api/leads/{lead['id']}"
    change = {
        "status": "qualified",
        "assignedToId": agent,
        "name": "Mary Jane Smith",
        "email": "mary@example.com",
        "phone": "+1-555-0201",
        "subject": "Two houses",
        "message": "Both",
        "createdAt": "ignored",
    }

    answer = server.by_key(tenant, "PATCH", path, change)

    assert (answer.status, answer.etag) == (200, '"v4"')
    changed = answer.json
    assert changed == lead | change | {
        "firstName": "Mary Jane",
        "lastName": "Smith",
        "createdAt": lead["createdAt"],
        "updatedAt": changed["updatedAt"],
    }
    assert server.by_key(tenant, "GET", path).json == changed
    assert server.by_key(tenant, "GET", "/api/leads").json == [changed]
    rows = operator.rows(APPENDS, tenant=tenant.id, lead=from_wire(lead["id"]))
    assert [orjson.loads(metadata)["append"] for _, metadata, _ in rows] == [[1, 1], [1, 3], [2, 3], [3, 3]]
    assert len({recorded_at for _, _, recorded_at in rows[1:]}) == 1


def test_a_change_that_holds_already_records_nothing(server: Server, tenant: Tenant, operator: Operator) -> None:
    lead = server.lead(tenant)
    path, before = f"/api/leads/{lead['id']}", operator.head(tenant)

    for change in ({}, {"status": "new"}, {"unknown": 1}, {"name": "Jane Doe", "assignedToId": None, "phone": None}):
        answer = server.by_key(tenant, "PATCH", path, change)
        assert (answer.status, answer.json, answer.etag) == (200, lead, '"v1"')

    assert operator.head(tenant) == before


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"status": None}, "status must not be null. Leave it out to keep its value."),
        ({"name": None}, "name must not be null. Leave it out to keep its value."),
        ({"firstName": None}, "firstName must not be null. Leave it out to keep its value."),
        ({"lastName": ""}, "lastName must not be blank."),
        ({"status": "won"}, f'status must be one of: {STATUSES}; got "won".'),
        ({"status": ["new"]}, f"status must be one of: {STATUSES}."),
        ({"email": None}, "email and phone cannot both be removed."),
        ({"email": None, "phone": " "}, "email and phone cannot both be removed."),
        ({"phone": {}}, "phone must be a string."),
        ({"phone": "5" * 101}, "phone must have at most 100 characters."),
        ({"message": "x" * 20_001}, "message must have at most 20000 characters."),
    ],
)
def test_a_change_may_be_refused(
    server: Server, tenant: Tenant, operator: Operator, change: dict[str, Any], sentence: str
) -> None:
    lead = server.lead(tenant)
    before = operator.head(tenant)

    assert refused(server.by_key(tenant, "PATCH", f"/api/leads/{lead['id']}", change)) == sentence

    assert operator.head(tenant) == before


def test_null_empties_what_may_be_empty(server: Server, tenant: Tenant, operator: Operator) -> None:
    agent = operator.agent(tenant, "Rita")
    lead = server.lead(tenant, phone="+1-555-0200", subject="A", message="B", assignedToId=agent)
    nothing = dict.fromkeys(("email", "subject", "message", "assignedToId"))

    changed = server.by_key(tenant, "PATCH", f"/api/leads/{lead['id']}", nothing).json

    assert changed == lead | nothing | {"updatedAt": changed["updatedAt"]}


def test_only_the_version_that_was_seen_is_changed(server: Server, proxied: Server, tenant: Tenant) -> None:
    path = f"/api/leads/{server.lead(tenant)['id']}"
    seen = server.by_key(tenant, "GET", path).etag

    first = server.by_key(tenant, "PATCH", path, {"status": "contacted"}, {"If-Match": seen})
    second = proxied.by_key(tenant, "PATCH", path, {"status": "lost"}, {"If-Match": seen})

    assert (first.status, first.etag) == (200, '"v2"')
    assert second.status == 412
    assert "changed since you read it" in second.error
    assert server.by_key(tenant, "GET", path).json["status"] == "contacted"
    for tag in ("*", '"v2"', ' "v1", "v2"'):
        assert server.by_key(tenant, "PATCH", path, {}, {"If-Match": tag}).status == 200, tag
    # Strong comparison: a weak tag never matches (RFC 9110, 13.1.1).
    for tag in (
        '"v02"',
        '"2"',
        'W/"v2"',
        '""',
        '"v"',
        '"v2' + "0" * 3000 + '"',
    ):
        assert server.by_key(tenant, "PATCH", path, {"status": "lost"}, {"If-Match": tag}).status == 412, tag
    for tag in ("", "v2", "junk", '"v٢"'.encode().decode("latin-1"), '"v2', '"v2";', "*, *"):
        refused = server.by_key(tenant, "PATCH", path, {"status": "lost"}, {"If-Match": tag})
        assert (refused.status, refused.code) == (400, "if_match_invalid"), tag


def test_a_lead_that_is_known_already_is_not_sent_again(server: Server, tenant: Tenant) -> None:
    path = f"/api/leads/{server.lead(tenant)['id']}"
    for suffix in ("", "/history", f"?asOf={aureum_time(datetime.now(UTC) + timedelta(hours=1))}"):
        first = server.by_key(tenant, "GET", path + suffix)
        same = server.by_key(tenant, "GET", path + suffix, headers={"If-None-Match": f'"other", W/{first.etag}'})
        assert (same.status, same.body, same.etag) == (304, b"", first.etag)
        assert same.headers["x-ratelimit-limit"] == "1000000"

    server.by_key(tenant, "PATCH", path, {"status": "lost"})

    for suffix in ("", "/history"):
        assert server.by_key(tenant, "GET", path + suffix, headers={"If-None-Match": '"v1"'}).status == 200


def test_changes_of_one_lead_in_one_process_are_not_refused(server: Server, operator: Operator, tenant: Tenant) -> None:
    path = f"/api/leads/{server.lead(tenant, subject='0')['id']}"
    before = operator.head(tenant)

    with ThreadPoolExecutor(16) as clients:
        changes = [{"subject": f"{number}"} for number in range(1, 33)]
        answers = list(clients.map(lambda change: server.by_key(tenant, "PATCH", path, change), changes))

    assert {answer.status for answer in answers} == {200}
    assert operator.head(tenant) == before + len(changes)


def test_changes_at_the_same_moment_are_made_one_after_the_other(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    path = f"/api/leads/{server.lead(tenant, subject='0')['id']}"
    before = operator.head(tenant)

    def change(number: int) -> Answer:
        return (server, proxied)[number % 2].by_key(tenant, "PATCH", path, {"subject": f"{number}"})

    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(change, range(1, 33)))

    made = [answer for answer in answers if answer.status == 200]
    assert {answer.status for answer in answers} <= {200, 409}
    assert {answer.error for answer in answers if answer.status == 409} <= {str(Conflict())}
    assert operator.head(tenant) == before + len(made)
    entries = server.by_key(tenant, "GET", f"{path}/history").json[1:]
    subjects = ["0", *(entry["changes"]["subject"]["to"] for entry in entries)]
    assert [entry["changes"]["subject"]["from"] for entry in entries] == subjects[:-1], "each saw the one before"
    assert sorted(subjects[1:]) == sorted(answer.json["subject"] for answer in made)
    assert sorted(answer.etag for answer in made) == sorted(f'"v{entry["version"]}"' for entry in entries)
