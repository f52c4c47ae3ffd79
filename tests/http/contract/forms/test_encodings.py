"""However a form is sent, it is the same lead; what cannot be read is refused, whole and within bounds."""

import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.http.contract.forms.corpus import BOUNDARY, FILE, MULTIPART, ODD, SENT, URLENCODED, Sent, multipart, part
from tests.http.operator import Operator, Tenant
from tests.http.serving import FORM, Answer, Server

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"}
SHOWN = {
    "firstName": "John",
    "lastName": "Smith",
    "email": FORM["email"],
    "phone": FORM["phone"],
    "subject": FORM["subject"],
    "message": FORM["message"],
    "sourcePage": FORM["source_page"],
    "utm": {"source": "google", "medium": "organic", "campaign": "spring-2024"},
}
TOUR = {"listing_id": "202412345", "name": "Jane Doe", "email": "jane@example.com"}


def post(
    server: Server, tenant: Tenant, path: str, kind: str, body: bytes, headers: dict[str, str] | None = None
) -> Answer:
    return server.ask("POST", path, body, {"Content-Type": kind} | (headers or {}), host=tenant.domain)


@pytest.mark.parametrize("sent", SENT + ODD, ids=lambda sent: sent.name)
@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_it_becomes_a_lead(server: Server, tenant: Tenant, sent: Sent, script: bool) -> None:
    answer = post(server, tenant, "/api/contact", sent.kind, sent.body, {} if script else BROWSER)

    assert answer.status == 200, answer
    assert answer.headers["content-type"].startswith("application/json" if script else "text/html")
    (lead,) = server.leads(tenant)
    assert lead == lead | SHOWN | dict(sent.shows)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (
            URLENCODED,
            urlencode(TOUR | {"preferred_date": "", "preferred_time": "", "phone": "", "message": ""}).encode(),
        ),
        (MULTIPART, multipart(TOUR | {"preferred_date": " "}, FILE)),
        ("application/json", json.dumps(TOUR | {"preferred_date": "", "message": ""}).encode()),
        ("text/plain", json.dumps(TOUR | {"preferred_date": None}).encode()),
    ],
)
def test_a_tour_without_a_date(server: Server, tenant: Tenant, kind: str, body: bytes) -> None:
    assert post(server, tenant, "/api/tours", kind, body).json["listing_id"] == "202412345"

    (tour,) = server.by_key(tenant, "GET", "/api/tours").json
    assert [tour[name] for name in ("preferred_date", "preferred_time", "message")] == [None] * 3


@pytest.mark.parametrize(
    ("number", "listing"),
    [
        ("202412345", "202412345"),
        ("202412345.0", "202412345"),
        ("1e3", "1000"),
        ("1.5", "1.5"),
        ("-7", "-7"),
        ("0", "0"),
        ("18446744073709551615", "18446744073709551615"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("9007199254740993", "9007199254740993"),
    ],
)
def test_a_number_is_text_for_a_listing(server: Server, tenant: Tenant, number: str, listing: str) -> None:
    body = json.dumps(TOUR | {"listing_id": "x"}).replace('"x"', number).encode()

    assert post(server, tenant, "/api/tours", "application/json", body).json["listing_id"] == listing


@pytest.mark.parametrize(
    "value", ["true", "null", '""', '" "', "[]", "{}", '["a"]', "9" * 101, "9" * 5_000, '"\\u0000"']
)
def test_a_listing_is_required(server: Server, tenant: Tenant, value: str) -> None:
    body = json.dumps(TOUR | {"listing_id": "x"}).replace('"x"', value).encode()

    answer = post(server, tenant, "/api/tours", "application/json", body)

    assert answer.status == 422, answer
    assert answer.detail[0]["loc"] == ["body", "listing_id"]


@pytest.mark.parametrize(
    ("kind", "body", "interests"),
    [
        (URLENCODED, b"interests=", []),
        (URLENCODED, b"interests=new-listings", ["new-listings"]),
        (URLENCODED, b"interests=a&interests=b&interests=a", ["a", "b"]),
        (URLENCODED, b"interests%5B%5D=a&interests[]=b", ["a", "b"]),
        (URLENCODED, b"interests[0]=a&interests[1]=b&interests[x]=c", ["a", "b"]),
        (URLENCODED, b"interests=a%2C+b,", ["a", "b"]),
        (MULTIPART, part("interests", b"a") + part("interests[]", b"b"), ["a", "b"]),
        ("application/json", b'"interests": ""', []),
        ("application/json", b'"interests": [""]', []),
        ("application/json", b'"interests": null', []),
        ("application/json", b'"interests": "new-listings"', ["new-listings"]),
        ("application/json", b'"interests[]": "a"', ["a"]),
        ("application/json", b'"interests[]": ["a", "b"]', ["a", "b"]),
        ("application/json", b'"interests": ["a", 7, true, null, {"x": 1}, ["b"], " c "]', ["a", "7", "c"]),
        ("application/json", b'"interests": {"a": true}', []),
        ("application/json", b'"interests": ["%s"]' % (b"x" * 101), ["x" * 100]),
        (
            "application/json",
            b'"interests": %s' % json.dumps([str(n) for n in range(60)]).encode(),
            [str(n) for n in range(50)],
        ),
    ],
)
def test_interests(
    server: Server, operator: Operator, tenant: Tenant, kind: str, body: bytes, interests: list[str]
) -> None:
    email = {"email": "nora@example.com"}
    whole = {
        URLENCODED: lambda: urlencode(email).encode() + b"&" + body,
        MULTIPART: lambda: body + multipart(email),
        "application/json": lambda: json.dumps(email)[:-1].encode() + b", " + body + b"}",
    }[kind]()

    assert post(server, tenant, "/api/newsletter/subscribe", kind, whole).status == 200

    ((doc,),) = operator.rows("SELECT doc FROM subscriber_list WHERE tenant_id = %(t)s", t=tenant.id)
    assert json.loads(doc)["interests"] == interests


WHOLE = multipart(FORM)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (URLENCODED, b""),
        (URLENCODED, b"&" * 5_000),
        (URLENCODED, b"a=b&" * 5_000),
        (URLENCODED, b"{"),
        (MULTIPART, b""),
        (MULTIPART, b"nonsense"),
        ("multipart/form-data", b""),
        ("multipart/form-data", b"nonsense" * 1_000),
        ("multipart/form-data; boundary=", b"--\r\n"),
        (f"multipart/form-data; boundary={'x' * 5_000}", WHOLE),
        ("multipart/form-data; boundary=other", WHOLE),
        (MULTIPART, WHOLE[: len(WHOLE) // 2]),
        (MULTIPART, WHOLE[: -len(BOUNDARY)]),
        (MULTIPART, part("a", b"", headers="X" * 100_000) + WHOLE),
        (MULTIPART, part("a", b"", headers="X: y\r\n" * 1_000) + WHOLE),
        (MULTIPART, part("a", b"") * 5_000 + WHOLE),
        (MULTIPART, FILE[:200] * 5_000),
        ("text/plain", b"firstName=John\r\nlastName=Smith\r\n"),
    ],
)
@pytest.mark.parametrize("headers", [{}, BROWSER], ids=["script", "no script"])
def test_what_cannot_be_read(
    server: Server, operator: Operator, tenant: Tenant, kind: str, body: bytes, headers: dict[str, str]
) -> None:
    before, began = operator.head(tenant), time.monotonic()

    answer = post(server, tenant, "/api/contact", kind, body, headers)

    assert answer.status == 422, answer
    if not headers:
        assert answer.detail[0]["loc"][0] == "body" and answer.detail[0]["msg"]
    assert operator.head(tenant) == before
    assert time.monotonic() - began < 5


def test_files_may_be_large_and_texts_may_not(server: Server, tenant: Tenant) -> None:
    photo = part("photo", b"x" * 9_000_000, more='; filename="a.jpg"')
    assert post(server, tenant, "/api/contact", MULTIPART, multipart(FORM, photo)).status == 200

    two = multipart(FORM, photo, photo)
    long = multipart(FORM, part("more", b"x" * 1_000_001))
    for body in (two, long):
        answer = post(server, tenant, "/api/contact", MULTIPART, body)
        assert answer.status == 413
        assert answer.detail.startswith("The request body is too large. The limit is 10")
    assert post(server, tenant, "/api/contact", URLENCODED, b"a=" + b"x" * 1_000_000).status == 413
    assert len(server.leads(tenant)) == 1


@pytest.mark.parametrize(
    "kind", ["text/csv", "application/xml", "image/png", "application/octet-stream", "junk", "\xff"]
)
def test_another_kind_is_told(server: Server, tenant: Tenant, kind: str) -> None:
    answer = post(server, tenant, "/api/contact", kind, b"x")

    assert (answer.status, answer.detail) == (
        415,
        "A form must be sent as JSON, application/x-www-form-urlencoded or multipart/form-data.",
    )


@pytest.mark.parametrize("kind", [URLENCODED, MULTIPART, "text/plain"])
def test_other_endpoints_take_json_alone(server: Server, tenant: Tenant, kind: str) -> None:
    paths: list[tuple[str, Any]] = [("/api/leads", tenant.bearer), ("/api/v1/auth/login", {})]
    for path, headers in paths:
        answer = server.ask("POST", path, b"{}", {"Content-Type": kind} | headers, host=tenant.domain)
        assert answer.status == 415
