"""Whatever is sent: never 500, a refusal in the endpoint's own dialect, and nothing left behind by it."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.domain.lead import STATUSES
from tests.http.serving import FORM, Answer, Office, Server, Tenant

JANE = {"name": "Jane Doe", "email": "jane@example.com"}

Send = Callable[[bytes, dict[str, str]], Answer]


@pytest.fixture(params=["contact", "post", "patch"])
def endpoint(request: pytest.FixtureRequest, server: Server, office: Office) -> tuple[str, Send, Tenant]:
    """Each endpoint that takes a body: its name, how to send it one, and the tenant that it stores for."""
    return request.param, *sender(request.param, server, office)


def sender(name: str, server: Server, office: Office) -> tuple[Send, Tenant]:
    """How to send a body to one of them, with headers of one's own."""
    tenant = office.brokerage()
    if name == "contact":
        return lambda body, headers: server.ask("POST", "/api/contact", body, headers, host=tenant.domain), tenant
    if name == "post":
        return lambda body, headers: server.by_key(tenant, "POST", "/api/leads", body, headers), tenant
    lead = server.by_key(tenant, "POST", "/api/leads", JANE).json
    return lambda body, headers: server.by_key(tenant, "PATCH", f"/api/leads/{lead['id']}", body, headers), tenant


def problem(name: str, answer: Answer) -> str:
    """What a refusal says, in the endpoint's own dialect."""
    if name != "contact":
        assert answer.status == 400, answer
        return answer.error
    assert answer.status == 422, answer
    assert answer.detail, "at least one problem"
    for item in answer.detail:
        assert {"loc", "msg", "type"} <= set(item) <= {"loc", "msg", "type", "ctx"}
        assert item["loc"][0] == "body"
    return str(answer.detail[0]["type"])


NOT_JSON = [
    b"{",
    b"}",
    b"nonsense",
    b"{'a': 1}",
    b'{"a": 1,}',
    b'{"a": NaN}',
    b'{"a": Infinity}',
    b'{"a": 01}',
    b'{"a": 1} {}',
    b"\xff\xfe{\x00}\x00",
    b'{"a": "\xff"}',
    b'{"a": "\xed\xa0\x80"}',
    rb'{"message": "\ud800"}',
    rb'{"\udfff": 1}',
    b'{"a": "\x00"}',
    b"\x00",
    b"\xef\xbb\xbf{}",
    b"[" * 100_000,
    b'{"a":' * 100_000,
]


@pytest.mark.parametrize("body", NOT_JSON, ids=lambda body: repr(body[:20]))
def test_broken_json(endpoint: tuple[str, Send, Tenant], office: Office, body: bytes) -> None:
    name, send, tenant = endpoint
    before = office.head(tenant)

    text = problem(name, send(body, {}))

    assert (
        text == "value_error.jsondecode" if name == "contact" else text.startswith("The request body is not valid JSON")
    )
    assert office.head(tenant) == before


@pytest.mark.parametrize("body", [b"[]", b"[{}]", b'"text"', b"7", b"true", b"null", b"", b"1e400"])
def test_no_object(endpoint: tuple[str, Send, Tenant], office: Office, body: bytes) -> None:
    name, send, tenant = endpoint
    before = office.head(tenant)

    problem(name, send(body, {}))

    assert office.head(tenant) == before


def test_a_missing_body(server: Server, office: Office, tenant: Tenant) -> None:
    form = server.ask("POST", "/api/contact", host=tenant.domain)
    lead = server.by_key(tenant, "POST", "/api/leads")

    assert form.detail == [{"loc": ["body"], "msg": "field required", "type": "value_error.missing"}]
    assert (form.status, lead.status) == (422, 400)
    assert lead.error == "The request body is missing: send a JSON object."


def test_the_same_name_twice_counts_once(server: Server, tenant: Tenant) -> None:
    body = b'{"name": 1, "email": "jane@example.com", "name": "Jane Doe"}'

    assert server.by_key(tenant, "POST", "/api/leads", body).json["name"] == "Jane Doe"


@pytest.mark.parametrize(
    ("content_type", "taken"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("APPLICATION/JSON", True),
        ("application/merge-patch+json", True),
        ("text/plain", False),
        ("application/x-www-form-urlencoded", False),
        ("multipart/form-data; boundary=x", False),
        ("junk", False),
        ("\xff", False),
    ],
)
def test_the_content_type(endpoint: tuple[str, Send, Tenant], office: Office, content_type: str, taken: bool) -> None:
    name, send, tenant = endpoint
    before = office.head(tenant)
    body = json.dumps(FORM if name == "contact" else JANE | {"subject": "changed"}).encode()

    answer = send(body, {"Content-Type": content_type})

    assert answer.status in (200, 201) if taken else answer.status == 415
    assert office.head(tenant) == before + taken
    if not taken:
        text = answer.detail if name == "contact" else answer.error
        assert text == "The request body must be JSON: send it with Content-Type: application/json."


@pytest.mark.parametrize("chunked", [False, True])
def test_two_megabytes(endpoint: tuple[str, Send, Tenant], server: Server, office: Office, chunked: bool) -> None:
    name, send, tenant = endpoint
    before = office.head(tenant)
    body = json.dumps(FORM | JANE | {"message": "x" * 2_000_000}).encode()

    answer = (
        send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body), {"Transfer-Encoding": "chunked"})
        if chunked
        else send(body, {})
    )

    assert answer.status == 413
    text = answer.detail if name == "contact" else answer.error
    assert text == "The request body is too large: at most 1000000 bytes are accepted."
    assert office.head(tenant) == before
    assert server.ask("GET", "/healthz").status == 200


def test_the_largest_body(endpoint: tuple[str, Send, Tenant]) -> None:
    name, send, _ = endpoint
    body = json.dumps(FORM if name == "contact" else JANE).encode()

    assert send(body + b" " * (1_000_000 - len(body)), {}).status in (200, 201)
    assert send(body + b" " * (1_000_001 - len(body)), {}).status == 413


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
"""Any JSON, NaN and lone surrogates among it."""

texts = st.one_of(
    st.sampled_from(
        ["", " ", "\0", "a\0b", "\ud800", "\u200b", "\ufeff", "Jane", "x" * 200, "x" * 201, "x" * 20_001, "🏡" * 100]
    ),
    st.text(),
)
emails = st.sampled_from(
    ["jane@example.com", " jane@example.com ", "jane@", "jane@localhost", "j@exämple.com", "a@b@c.de"]
)
statuses = st.sampled_from([*STATUSES, "NEW", "sold", ""])
ids = st.sampled_from(["c" + "0" * 25, "c" + "z" * 25, "c", "1", "\0"])


def bodies(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of the fields, each as it should be or as anything."""
    return st.fixed_dictionaries({}, optional={name: likely | texts | json_values for name, likely in fields.items()})


forms = st.builds(
    lambda given: FORM | given,
    bodies(
        firstName=texts, lastName=texts, email=emails, phone=texts, subject=texts, message=texts, source_page=texts,
        utm_source=texts, utm_medium=texts, utm_campaign=texts, unknown=texts,
    ),
)  # fmt: skip
details = {
    "status": statuses, "assignedToId": ids, "name": texts, "firstName": texts, "lastName": texts, "email": emails,
    "phone": texts, "subject": texts, "message": texts, "unknown": texts,
}  # fmt: skip
utm = st.fixed_dictionaries({}, optional=dict.fromkeys(("source", "medium", "campaign"), texts | json_values))
new_leads = st.builds(lambda given: JANE | given, bodies(**details, source=texts, sourcePage=texts, utm=utm))
changes = bodies(**details)

SHOWN = {"source_page": "sourcePage"}


def sent(text: Any) -> bytes:
    """As a program would send it: lone surrogates escaped, NaN as Python writes it."""
    return json.dumps(text).encode()


@given(data=st.data())
@settings(max_examples=120, deadline=None)
def test_any_form_is_stored_or_refused_for_a_reason(proxied: Server, office: Office, data: st.DataObject) -> None:
    tenant, form = office.shared, data.draw(forms)
    before = office.head(tenant)

    # Each from an address of its own: the limit is tested elsewhere.
    address = f"2001:db8:{data.draw(st.integers(0, 0xFFFF)):x}:{before % 0xFFFF:x}::1"
    answer = proxied.ask("POST", "/api/contact", sent(form), {"X-Forwarded-For": address}, host=tenant.domain)

    if answer.status == 200:
        assert office.head(tenant) == before + 1
        (lead,) = proxied.by_key(tenant, "GET", "/api/leads?limit=1").json
        for name in ("firstName", "lastName", "subject", "message", "source_page"):
            assert lead[SHOWN.get(name, name)] == form[name]
        assert lead["email"] == form["email"].strip()
    else:
        problem("contact", answer)
        assert office.head(tenant) == before


@given(data=st.data())
@settings(max_examples=120, deadline=None)
def test_any_lead_is_stored_or_refused_for_a_reason(server: Server, office: Office, data: st.DataObject) -> None:
    tenant, lead = office.shared, data.draw(new_leads)
    before = office.head(tenant)

    answer = server.by_key(tenant, "POST", "/api/leads", sent(lead))

    if answer.status == 201:
        assert office.head(tenant) == before + 1
        for name in ("status", "subject", "message", "phone", "sourcePage"):
            assert answer.json[name] == (lead.get(name) or answer.json[name])
        assert server.by_key(tenant, "GET", f"/api/leads/{answer.json['id']}").json == answer.json
    else:
        assert problem("post", answer)
        assert office.head(tenant) == before


@given(data=st.data())
@settings(max_examples=120, deadline=None)
def test_any_change_is_made_or_refused_for_a_reason(server: Server, office: Office, data: st.DataObject) -> None:
    tenant, change = office.shared, data.draw(changes)
    path = f"/api/leads/{office.shared_lead}"
    before, lead = office.head(tenant), server.by_key(tenant, "GET", path).json

    answer = server.by_key(tenant, "PATCH", path, sent(change))

    now = server.by_key(tenant, "GET", path).json
    if answer.status == 200:
        assert now == answer.json
        assert (office.head(tenant) == before) == (now == lead)
        for name in set(change) & {"status", "subject", "message", "phone"}:
            assert now[name] == change[name]
    else:
        assert problem("patch", answer)
        assert (office.head(tenant), now) == (before, lead)


@given(body=st.binary(max_size=60))
@settings(max_examples=40, deadline=None)
def test_any_bytes_are_refused(server: Server, office: Office, body: bytes) -> None:
    problem("post", server.by_key(office.shared, "POST", "/api/leads", body))


names = st.sampled_from(["status", "source", "assignedToId", "updatedSince", "limit", "cursor", "asOf", "", "x"])
values = st.binary(max_size=30) | st.sampled_from(
    [b"new", b"1", b"500", b"2025-01-15", b"9999-12-31T23:59:59-23:59", b"\0"]
)


@given(query=st.lists(st.tuples(names, values), max_size=4))
@settings(max_examples=120, deadline=None)
def test_any_query_is_answered_or_a_bad_request(server: Server, office: Office, query: list[tuple[str, bytes]]) -> None:
    text = "&".join(f"{name}={quote_from_bytes(value)}" for name, value in query)
    for path in ("/api/leads", f"/api/leads/{office.shared_lead}"):
        answer = server.by_key(office.shared, "GET", f"{path}?{text}")
        assert answer.status in (200, 400, 404), answer
        if answer.status != 200:
            assert answer.error
