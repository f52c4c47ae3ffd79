"""A browser that posts a form without a script gets a page: thanks, or what is wrong with what was typed in it."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aureum.http.contract.form_page import path_in
from tests.http.contract.forms.corpus import URLENCODED
from tests.http.contract.forms.test_encodings import BROWSER, TOUR
from tests.http.operator import Operator, Tenant
from tests.http.serving import FORM, Answer, Server

HEADERS = BROWSER | {"Content-Type": URLENCODED}
NASTY = "<script>alert(1)</script> \"quoted\" 'too' & Zoë 🏡"


def send(server: Server, tenant: Tenant, path: str = "/api/contact", /, headers: Any = None, **fields: Any) -> Answer:
    form = FORM if path == "/api/contact" else TOUR if path == "/api/tours" else {"email": "nora@example.com"}
    body = urlencode(form | fields, doseq=True).encode()
    return server.ask("POST", path, body, HEADERS | (headers or {}), host=tenant.domain)


def text(answer: Answer) -> str:
    """The page, as it is read. It loads nothing, runs nothing, and is not cached."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-") and "script" not in policy
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    page = answer.body.decode()
    assert "<script" not in page and "http" not in page
    return unescape(page)


def typed(answer: Answer) -> dict[str, list[str]]:
    """What stands in the form of a page."""
    page = answer.body.decode()
    fields: dict[str, list[str]] = {}
    for tag in re.findall(r"<input [^>]*>", page):
        (name,), (value,) = re.findall(r' name="([^"]*)"', tag), re.findall(r' value="([^"]*)"', tag)
        fields.setdefault(name, []).append(unescape(value))
    for name, value in re.findall(r'<textarea [^>]*name="([^"]*)"[^>]*>\n(.*?)</textarea>', page, re.DOTALL):
        fields[name] = [unescape(value)]
    return fields


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/api/contact", "Thank you for your message! We'll get back to you within 24 hours."),
        ("/api/tours", "Thank you for your request! We'll confirm the time of your tour."),
        ("/api/newsletter/subscribe", "Successfully subscribed to newsletter"),
    ],
)
def test_thanks(server: Server, tenant: Tenant, operator: Operator, path: str, said: str) -> None:
    before = operator.head(tenant)

    answer = send(server, tenant, path)

    assert answer.status == 200
    assert said in text(answer) and "Snake River Realty" in text(answer)
    assert operator.head(tenant) == before + 1


def test_what_was_typed_is_kept_and_every_problem_named(server: Server, tenant: Tenant, operator: Operator) -> None:
    before = operator.head(tenant)

    answer = send(server, tenant, firstName=NASTY, email="john@", message="", lastName="x" * 201, _next="/thanks")

    assert (answer.status, operator.head(tenant)) == (422, before)
    for said in (
        "Email must be a valid email address.",
        "Message must not be blank.",
        "Last name must have at most 200 characters.",
        "Please check your form",
    ):
        assert said in text(answer)
    expected = FORM | {"firstName": NASTY, "email": "john@", "message": "", "lastName": "x" * 201, "_next": "/thanks"}
    assert typed(answer) == {name: [value] for name, value in expected.items()}
    # The form of the page, mended and sent.
    mended = {name: values[0] for name, values in typed(answer).items()}
    again = send(server, tenant, **mended | {"email": "john@example.com", "message": "Hello", "lastName": "Smith"})
    assert (again.status, again.headers["location"]) == (303, "/thanks")
    (lead,) = server.leads(tenant)
    assert (lead["firstName"], lead["sourcePage"]) == (NASTY, FORM["source_page"])


def test_a_page_of_other_forms_keeps_what_was_typed(server: Server, tenant: Tenant) -> None:
    tour = send(server, tenant, "/api/tours", preferred_date="tomorrow", message="Line\nline")
    assert tour.status == 422
    assert "Preferred date must be a date such as 2025-01-15." in text(tour)
    assert typed(tour)["listing_id"] == ["202412345"]
    assert typed(tour)["message"] == ["Line\nline"]
    assert 'name="preferred_date" type="text"' in text(tour), "an input for dates would not show it"

    missing = send(server, tenant, "/api/tours", listing_id="")
    assert (missing.status, 'type="hidden" name="listing_id"' in text(missing)) == (422, False)

    subscriber = send(server, tenant, "/api/newsletter/subscribe", email="nora", interests=["a", "b"])
    assert (subscriber.status, typed(subscriber)["interests"]) == (422, ["a", "b"])


def test_other_refusals_are_pages_too(server: Server, proxied: Server, tenant: Tenant) -> None:
    nobody = server.ask("POST", "/api/contact", urlencode(FORM).encode(), HEADERS, host="nobody.example.com")
    assert (nobody.status, "Brokerage not found" in text(nobody)) == (404, True)
    assert (
        server.ask("POST", "/api/contact", b"x", BROWSER | {"Content-Type": "text/csv"}, host=tenant.domain).status
        == 415
    )
    foreign = send(server, tenant, headers={"Origin": "https://evil.example.com"})
    assert (foreign.status, "another website" in text(foreign)) == (403, True)
    huge = server.ask("POST", "/api/contact", b"a=" + b"x" * 1_000_000, HEADERS, host=tenant.domain)
    assert (huge.status, "too large" in text(huge)) == (413, True)

    address = {"X-Forwarded-For": "203.0.113.77"}
    for number in range(30):
        assert send(proxied, tenant, headers=address, message=f"{number}").status == 200
    late = send(proxied, tenant, headers=address, message="the last")
    assert (late.status, typed(late)["message"]) == (429, ["the last"])
    assert 1 <= int(late.headers["retry-after"]) <= 60
    assert "Too many requests" in text(late)


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        ("text/html", True),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("TEXT/HTML;Q=0.9, */*;q=0.1", True),
        ("application/json;q=0.5, text/html", True),
        ("application/json, text/html;q=0.9", False),
        ("application/json, text/plain, */*", False),
        ("text/html, application/json", False),
        ("text/html;q=0", False),
        ("*/*", False),
        ("", False),
        ("text/*", False),
        ("nonsense;;q=;text/html", False),
    ],
)
def test_who_gets_a_page(server: Server, tenant: Tenant, accept: str, page: bool) -> None:
    answer = send(server, tenant, headers={"Accept": accept})

    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html" if page else "application/json")


def test_a_script_is_sent_nowhere(server: Server, tenant: Tenant) -> None:
    answer = server.form(tenant, _next="/thanks")

    assert (answer.status, "location" in answer.headers) == (200, False)


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/", "/"),
        ("/thanks?from=form&x=%20#top", "/thanks?from=form&x=%20#top"),
        ("/danke schön", "/danke%20sch%C3%B6n"),
        ("/a//b", "/a//b"),
        ("//evil.example", None),
        ("///evil.example", None),
        ("/\\evil.example", None),
        ("\\/evil.example", None),
        ("/\t/evil.example", None),
        ("/%09/evil.example", None),
        ("/%5Cevil.example", None),
        ("/%2Fevil.example", None),
        ("/%252Fevil.example", None),
        ("/a\r\nSet-Cookie: a=b", None),
        ("https://evil.example", None),
        ("javascript:alert(1)", None),
        ("evil", None),
        (" /thanks", None),
        ("/" + "x" * 2_000, None),
        ("", None),
    ],
)
def test_the_next_page(server: Server, tenant: Tenant, target: str, location: str | None) -> None:
    answer = send(server, tenant, _next=target)

    assert (answer.status, answer.headers.get("location")) == (200 if location is None else 303, location)


@given(st.text() | st.from_regex(r"[/\\%0-9a-fA-F\t\r\n .:@?#]{1,12}", fullmatch=True) | st.none() | st.integers())
@example("/\ud800")
def test_wherever_it_leads_it_is_a_path_of_this_host(target: Any) -> None:
    path = path_in(target)

    if path is not None:
        assert path.isascii() and path.isprintable() and " " not in path
        assert path[0] == "/" and path[1:2] not in ("/", "\\")


ORIGINS = [
    (None, True),
    ("null", True),
    ("https://{domain}", True),
    ("http://{domain}", True),
    ("http://{domain}:8080", True),
    ("https://{slug}.crm.example.org", True),
    ("https://evil.example.com", False),
    ("http://{domain}.evil.example.com", False),
    ("https://crm.example.org", False),
    ("https://user@{domain}@evil.example.com", False),
    ("file://", False),
    ("nonsense", False),
    ("\xff", False),
]


@pytest.mark.parametrize(("origin", "taken"), ORIGINS)
@pytest.mark.parametrize("path", ["/api/contact", "/api/tours", "/api/newsletter/subscribe"])
def test_where_a_form_may_come_from(
    server: Server, operator: Operator, tenant: Tenant, path: str, origin: str | None, taken: bool
) -> None:
    before = operator.head(tenant)
    named = {} if origin is None else {"Origin": origin.format(domain=tenant.domain, slug=tenant.slug)}

    page = send(server, tenant, path, headers=named)
    answer = send(server, tenant, path, headers=named | {"Accept": "*/*"}, first_name="Nora", message="another")

    assert [page.status, answer.status] == [200, 200] if taken else [403, 403]
    assert operator.head(tenant) == before + 2 * taken
    if not taken:
        assert answer.detail.startswith("This form was sent from another website.")


def test_the_host_itself_may_be_any_name_of_the_brokerage(server: Server, operator: Operator) -> None:
    tenant = operator.brokerage(domains=("www.where.example.com", "crm.where.example.com"))
    for origin in ("http://www.where.example.com", "https://crm.where.example.com"):
        for host in ("www.where.example.com:8443", "CRM.where.example.com."):
            form = FORM | {"message": origin + host}
            assert server.ask("POST", "/api/contact", form, {"Origin": origin}, host=host).status == 200
    assert len(server.leads(tenant)) == 4
