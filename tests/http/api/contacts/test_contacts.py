"""One contact at a time, in the Aureum API: added, read, corrected, classified."""

from typing import Any

import pytest

from tests.http.operator import Operator, Tenant
from tests.http.serving import Answer, Server

JOHN = {"firstName": "John", "lastName": "Smith"}
UNMERGED: dict[str, Any] = {
    "otherNames": [],
    "otherEmails": [],
    "otherPhones": [],
    "mergedWith": [],
    "mergedInto": None,
}
TYPES = "BUYER, SELLER, INVESTOR, VENDOR, OTHER"


def contact(server: Server, tenant: Tenant, **fields: Any) -> dict[str, Any]:
    """A new contact, as it was answered."""
    answer = server.by_key(tenant, "POST", "/api/contacts", JOHN | fields)
    assert answer.status == 201, answer.body
    made: dict[str, Any] = answer.json
    return made


def patched(server: Server, tenant: Tenant, made: dict[str, Any], headers: Any = None, **fields: Any) -> Answer:
    return server.by_key(tenant, "PATCH", f"/api/contacts/{made['id']}", fields, headers)


def test_a_contact_is_answered_whole_and_found_again(server: Server, proxied: Server, tenant: Tenant) -> None:
    fields = JOHN | {
        "email": "john@example.com",
        "phone": "(208) 555-0123",
        "type": "SELLER",
        "tags": ["vip", "beverly-hills"],
        "score": 85,
    }

    answer = server.by_key(tenant, "POST", "/api/contacts", fields)

    made = answer.json
    assert (answer.status, answer.etag) == (201, '"v1"')
    open_ended = {name: made[name] for name in ("id", "createdAt", "updatedAt")}
    assert made == fields | open_ended | {"phoneE164": "+12085550123", "leadId": None} | UNMERGED
    found = proxied.by_key(tenant, "GET", f"/api/contacts/{made['id']}")
    assert (found.status, found.json, found.etag) == (200, made, '"v1"')
    assert proxied.by_key(tenant, "GET", "/api/contacts").json == [made]


def test_the_defaults(server: Server, tenant: Tenant) -> None:
    made = contact(server, tenant, email=None, phone=None, type=None, tags=None, score=None)
    assert (made["type"], made["tags"], made["score"], made["email"], made["phone"]) == ("BUYER", [], 0, None, None)


@pytest.mark.parametrize("phone", ["call me", "12", "+999 1", "208-555-0123 or the office"])
def test_a_bad_phone_refuses_nothing(server: Server, tenant: Tenant, phone: str) -> None:
    made = contact(server, tenant, phone=phone)
    assert (made["phone"], made["phoneE164"]) == (phone, None)


def test_a_phone_is_read_as_one_of_the_brokerages_country(server: Server, operator: Operator) -> None:
    german = operator.brokerage(country="DE")
    made = contact(server, german, phone="030 901820")
    assert made["phoneE164"] == "+4930901820"
    changed = patched(server, german, made, phone="040 428280").json
    assert (changed["phone"], changed["phoneE164"]) == ("040 428280", "+4940428280")
    assert patched(server, german, made, phone=None).json["phoneE164"] is None


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"firstName": None}, "firstName is required and must not be null."),
        ({"lastName": " "}, "lastName must not be blank."),
        ({"lastName": "x" * 201}, "lastName must have at most 200 characters."),
        ({"email": "john"}, "email must be a valid email address."),
        ({"phone": 2085550123}, "phone must be a string."),
        ({"type": "FRIEND"}, f'type must be one of: {TYPES}; got "FRIEND".'),
        ({"tags": "vip"}, "tags must be a list."),
        ({"tags": [""]}, "tags[0] must not be blank."),
        ({"tags": ["vip", 7]}, "tags[1] must be a string."),
        ({"tags": ["x" * 101]}, "tags[0] must have at most 100 characters."),
        ({"tags": ["x"] * 101}, "tags must have at most 100 items."),
        ({"score": -1}, "score must be 0 or more."),
        ({"score": 101}, "score must be 100 or less."),
        ({"score": "85"}, "score must be a whole number."),
        ({"score": 8.5}, "score must be a whole number."),
        ({"score": True}, "score must be a whole number."),
    ],
)
def test_a_refusal_names_the_field_and_what_is_allowed(
    server: Server, operator: Operator, fields: dict[str, Any], sentence: str
) -> None:
    tenant = operator.shared
    before = operator.head(tenant)

    answer = server.by_key(tenant, "POST", "/api/contacts", JOHN | fields)

    assert (answer.status, answer.error) == (400, sentence)
    assert operator.head(tenant) == before


@pytest.mark.parametrize("name", ["firstName", "lastName", "type", "tags", "score"])
def test_what_a_contact_must_have_is_not_emptied(server: Server, tenant: Tenant, name: str) -> None:
    answer = patched(server, tenant, contact(server, tenant), **{name: None})
    assert (answer.status, answer.error) == (400, f"{name} must not be null. Leave it out to keep its value.")


def test_one_save_is_one_append_and_what_holds_records_nothing(
    server: Server, tenant: Tenant, operator: Operator
) -> None:
    made = contact(server, tenant, tags=["vip"], email="john@example.com")
    change = {"firstName": "Jon", "email": None, "phone": "208-555-0199", "type": "VENDOR", "tags": ["b", "a", "b"]}

    answer = patched(server, tenant, made, **change, score=3)

    assert answer.json == made | change | {
        "tags": ["b", "a"],
        "score": 3,
        "phoneE164": "+12085550199",
        "updatedAt": answer.json["updatedAt"],
    }
    assert (answer.status, answer.etag) == (200, '"v3"')
    before = operator.head(tenant)
    assert patched(server, tenant, made, **change, score=3).json == answer.json
    assert operator.head(tenant) == before
    as_it_was = server.by_key(tenant, "GET", f"/api/contacts/{made['id']}?asOf={made['createdAt']}")
    if made["createdAt"] != answer.json["updatedAt"]:
        assert as_it_was.json == made


def test_a_stale_change_is_refused(server: Server, tenant: Tenant) -> None:
    made = contact(server, tenant)
    assert patched(server, tenant, made, {"If-Match": '"v1"'}, score=1).status == 200
    assert patched(server, tenant, made, {"If-Match": '"v1"'}, score=2).status == 412


def test_the_same_request_twice_makes_one_contact(server: Server, proxied: Server, tenant: Tenant) -> None:
    key = {"Idempotency-Key": "once"}
    first, second = (one.by_key(tenant, "POST", "/api/contacts", JOHN, key) for one in (server, proxied))
    assert (second.status, second.json) == (201, first.json)
    assert second.headers["idempotent-replayed"] == "true"
    assert server.by_key(tenant, "GET", "/api/contacts").ids == [first.json["id"]]


def test_another_brokerages_contact_is_not_there(server: Server, tenant: Tenant, operator: Operator) -> None:
    made = contact(server, operator.brokerage())
    for answer in (server.by_key(tenant, "GET", f"/api/contacts/{made['id']}"), patched(server, tenant, made, score=1)):
        assert (answer.status, answer.error) == (404, "There is no such contact.")


def test_every_user_works_with_all_contacts(server: Server, tenant: Tenant, operator: Operator) -> None:
    agent = operator.staff(tenant.id, "agent")
    made = contact(server, tenant)
    own = server.ask("POST", "/api/contacts", JOHN, agent.bearer).json
    assert server.ask("GET", "/api/contacts", headers=agent.bearer).ids == [own["id"], made["id"]]
    assert server.ask("PATCH", f"/api/contacts/{made['id']}", {"score": 1}, agent.bearer).status == 200
