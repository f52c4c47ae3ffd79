"""Whatever is sent: never 500, a refusal in the endpoint's own dialect, and nothing left behind by it."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.http.operator import Operator, Tenant
from tests.http.serving import FORM, JANE, Answer, Server

Send = Callable[[bytes, dict[str, str]], Answer]


@pytest.fixture(params=["contact", "post", "patch"])
def endpoint(request: pytest.FixtureRequest, server: Server, operator: Operator) -> tuple[str, Send, Tenant]:
    """Each endpoint that takes a body: its name, how to send it one, and the tenant that it stores for."""
    return request.param, *sender(request.param, server, operator)


def sender(name: str, server: Server, operator: Operator) -> tuple[Send, Tenant]:
    """How to send a body to one of them, with headers of one's own."""
    tenant = operator.brokerage()
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


def sent(body: Any) -> bytes:
    """As a program would send it: lone surrogates escaped, NaN as Python writes it."""
    return json.dumps(body).encode()


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
    b'{"a": "\x00"}',
    b"\x00",
    b"\xef\xbb\xbf{",
    b"\xef\xbb\xbf\xef\xbb\xbf{}",
    b"[" * 100_000,
    b'{"a":' * 100_000,
]
NO_UNICODE = [b'{"a": "\xff"}', b'{"a": "\xed\xa0\x80"}', rb'{"message": "\ud800"}', rb'{"\udfff": 1}']
"""Broken as well; but a form is understood all the same."""


@pytest.mark.parametrize("body", NOT_JSON + NO_UNICODE, ids=lambda body: repr(body[:20]))
def test_broken_json(endpoint: tuple[str, Send, Tenant], operator: Operator, body: bytes) -> None:
    name, send, tenant = endpoint
    before = operator.head(tenant)

    text = problem(name, send(body, {}))

    if name != "contact":
        assert text.startswith("The request body is not valid JSON")
    else:
        assert text == ("value_error.missing" if body in NO_UNICODE else "value_error.jsondecode")
    assert operator.head(tenant) == before


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "a\udfff"], ids=ascii)
def test_characters_that_are_none(endpoint: tuple[str, Send, Tenant], operator: Operator, text: str) -> None:
    name, send, tenant = endpoint
    before = operator.head(tenant)

    for field in ("firstName", "lastName", "email", "subject", "message", "name", "phone"):
        answer = send(sent(FORM | {"name": "Jane Doe"} | {field: text}), {})
        if name == "contact":
            # They are taken out, and a form is refused if nothing is left.
            assert answer.status == 200 or answer.json["detail"][0]["loc"] == ["body", field]
        else:
            problem(name, answer)

    assert name == "contact" or operator.head(tenant) == before


@pytest.mark.parametrize("body", [b"[]", b"[{}]", b'"text"', b"7", b"true", b"null", b"", b"1e400"])
def test_no_object(endpoint: tuple[str, Send, Tenant], operator: Operator, body: bytes) -> None:
    name, send, tenant = endpoint
    before = operator.head(tenant)

    problem(name, send(body, {}))

    assert operator.head(tenant) == before


def test_a_missing_body(server: Server, operator: Operator, tenant: Tenant) -> None:
    form = server.ask("POST", "/api/contact", host=tenant.domain)
    lead = server.by_key(tenant, "POST", "/api/leads")

    assert form.detail == [{"loc": ["body"], "msg": "field required", "type": "value_error.missing"}]
    assert (form.status, lead.status) == (422, 400)
    assert lead.error == "The request body is missing. Send a JSON object."


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
def test_the_content_type(
    endpoint: tuple[str, Send, Tenant], operator: Operator, content_type: str, taken: bool
) -> None:
    name, send, tenant = endpoint
    before = operator.head(tenant)
    body = json.dumps(FORM if name == "contact" else JANE | {"subject": "changed"}).encode()

    answer = send(body, {"Content-Type": content_type})

    if name == "contact" and content_type.startswith(("text/plain", "application/x-www", "multipart")):
        # JSON that calls itself a form is one; no multipart is.
        assert answer.status == 422 if content_type.startswith("multipart") else 200
        return
    assert answer.status in (200, 201) if taken else answer.status == 415
    assert operator.head(tenant) == before + taken
    if not taken:
        text = answer.detail if name == "contact" else answer.error
        assert (
            text.startswith("A form must be sent as JSON, ")
            if name == "contact"
            else text == ("The request body must be JSON. Send it with Content-Type: application/json.")
        )


@pytest.mark.parametrize("encoding", ["gzip", "br", "GZIP", "deflate, gzip", "x"])
def test_a_compressed_body_is_not_taken(endpoint: tuple[str, Send, Tenant], operator: Operator, encoding: str) -> None:
    name, send, tenant = endpoint
    before = operator.head(tenant)

    answer = send(gzip.compress(sent(FORM | JANE)), {"Content-Encoding": encoding})

    assert (answer.status, answer.headers["accept-encoding"]) == (415, "identity")
    text = answer.detail if name == "contact" else answer.error
    assert text == "The request body must not be compressed. Send it without Content-Encoding."
    assert operator.head(tenant) == before


def test_a_byte_order_mark_and_identity_are_taken(endpoint: tuple[str, Send, Tenant]) -> None:
    _, send, _ = endpoint

    assert send(b"\xef\xbb\xbf" + sent(FORM | JANE), {"Content-Encoding": "identity"}).status in (200, 201)


@pytest.mark.parametrize("chunked", [False, True])
def test_two_megabytes(endpoint: tuple[str, Send, Tenant], server: Server, operator: Operator, chunked: bool) -> None:
    name, send, tenant = endpoint
    before = operator.head(tenant)
    body = json.dumps(FORM | JANE | {"message": "x" * 2_000_000}).encode()

    answer = (
        send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body), {"Transfer-Encoding": "chunked"})
        if chunked
        else send(body, {})
    )

    assert answer.status == 413
    text = answer.detail if name == "contact" else answer.error
    assert text == "The request body is too large. The limit is 1000000 bytes."
    assert operator.head(tenant) == before
    assert server.ask("GET", "/healthz").status == 200


def test_the_largest_body(endpoint: tuple[str, Send, Tenant]) -> None:
    name, send, _ = endpoint
    body = json.dumps(FORM if name == "contact" else JANE).encode()

    assert send(body + b" " * (1_000_000 - len(body)), {}).status in (200, 201)
    assert send(body + b" " * (1_000_001 - len(body)), {}).status == 413
