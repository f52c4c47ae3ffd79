"""``/api/newsletter/unsubscribe``: GET shows, only POST acts, and the token stays between the reader and the server."""

import base64
import hashlib
import re
from collections.abc import Mapping

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aureum.commands.newsletter import Subscribe
from aureum.commands.newsletter import subscribe as subscribe_command
from aureum.store.event_store import EventStore
from tests.examples import examples
from tests.http.api.newsletter.newsletters import UNSUBSCRIBE, docs, link, links, subscribe, types
from tests.http.operator import ORIGIN, Operator, Tenant
from tests.http.serving import Server

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
DONE = b'{"success":true,"message":"Successfully unsubscribed from newsletter"}'

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'


def without_what_differs(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in ("x-request-id", "date")}


def test_a_get_shows_a_button_and_changes_nothing(server: Server, operator: Operator, tenant: Tenant) -> None:
    address = link(server, operator, tenant)
    before = operator.head(tenant)

    page = server.ask("GET", address, headers=BROWSER, host=tenant.domain)
    head = server.ask("HEAD", address, headers=BROWSER, host=tenant.domain)
    told = server.ask("GET", address, host=tenant.domain)

    assert (page.status, head.status, told.status) == (200, 200, 200)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert b'<form method="post"><button>Unsubscribe</button></form>' in page.body
    assert b"Snake River Realty" in page.body
    assert head.body == b"" and without_what_differs(head.headers) == without_what_differs(page.headers)
    assert told.json == {"success": True, "message": "Send a POST request to this address to unsubscribe"}
    assert operator.head(tenant) == before and docs(operator, tenant)[0]["subscribed"]


def test_the_page_is_shut_off(server: Server, operator: Operator) -> None:
    tenant = operator.brokerage(name="<b>Snake</b> & Söhne")
    address = link(server, operator, tenant)
    token = address.partition("=")[2]
    page = server.ask("GET", address, headers=BROWSER, host=tenant.domain)

    html = page.body.decode()
    (style,) = re.findall("<style>(.*)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert page.headers["content-security-policy"].split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "&lt;b&gt;Snake&lt;/b&gt; &amp; Söhne" in html and "<b>" not in html
    assert not re.search(r"(src|href|action)=|url\(|@import|<script|https?:", html)
    assert token not in html


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FORM, b"List-Unsubscribe=One-Click"),
        (MULTIPART, PART),
        (FORM, b""),
        (None, None),
        ("application/json", b"{"),
        ("image/png", b"\0\xff"),
    ],
)
def test_one_click_in_any_encoding(
    server: Server, operator: Operator, tenant: Tenant, kind: str | None, body: bytes | None
) -> None:
    address = link(server, operator, tenant)

    for _ in range(2):  # twice is the same success
        answer = server.ask("POST", address, body, {"Content-Type": kind} if kind else {}, host=tenant.domain)
        assert (answer.status, answer.body) == (200, DONE)
        assert answer.headers["cache-control"] == "no-store"

    assert types(operator, tenant) == ["subscribed", "unsubscribed"]
    assert [doc["subscribed"] for doc in docs(operator, tenant)] == [False]


def test_the_button_ends_on_a_page(server: Server, operator: Operator, tenant: Tenant) -> None:
    address = link(server, operator, tenant)
    page = server.ask("POST", address, b"", BROWSER | {"Content-Type": FORM}, host=tenant.domain)

    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"You are unsubscribed" in page.body and b"<form" not in page.body
    assert types(operator, tenant) == ["subscribed", "unsubscribed"]


def test_every_link_of_a_subscriber_goes_on_working(server: Server, operator: Operator, tenant: Tenant) -> None:
    first = link(server, operator, tenant)
    second = link(server, operator, tenant)
    assert first != second

    for address, happened in ((first, "unsubscribed"), (second, "unsubscribed")):
        assert server.ask("POST", address, host=tenant.domain).status == 200
        assert types(operator, tenant)[-1] == happened
        assert subscribe(server, tenant).status == 200

    assert types(operator, tenant)[1:] == ["consented", "unsubscribed", "resubscribed", "unsubscribed", "resubscribed"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_token_of_another_brokerage_is_unknown(
    server: Server, operator: Operator, tenant: Tenant, method: str
) -> None:
    other = operator.brokerage()
    address = link(server, operator, other)
    before = operator.head(other), operator.head(tenant)

    foreign = server.ask(method, address, host=tenant.domain)
    never = server.ask(method, f"{UNSUBSCRIBE}?token=AAAAAAAAAAAAAAAAAAAAAA", host=tenant.domain)
    page = server.ask(method, address, headers=BROWSER, host=tenant.domain)

    assert foreign.status == never.status == page.status == 404
    assert foreign.body == never.body
    assert foreign.detail == "This link is not valid. Open the complete link from the newsletter."
    assert foreign.headers["cache-control"] == page.headers["cache-control"] == "no-store"
    assert b"This link does not work" in page.body and b"<form" not in page.body
    assert (operator.head(other), operator.head(tenant)) == before
    assert server.ask(method, address, host="nobody.example.com").detail == "Brokerage not found"


@given(token=st.text(max_size=30) | st.none(), method=st.sampled_from(["GET", "POST"]), number=st.integers(0, 0xFFFF))
@example(token="\0", method="POST", number=1)
@settings(max_examples=examples(40), deadline=None)
def test_no_other_token_is_any_link(
    proxied: Server, operator: Operator, token: str | None, method: str, number: int
) -> None:
    query = (
        ""
        if token is None
        else "?token=" + "".join(f"%{byte:02x}" for byte in (token or "").encode("utf-8", "replace"))
    )
    from_elsewhere = {"X-Forwarded-For": f"2001:db8:7:{number:x}::1"}
    answer = proxied.ask(method, UNSUBSCRIBE + query, headers=from_elsewhere, host=operator.shared.domain)

    assert (answer.status, list(answer.json)) == (404, ["detail"])


def test_a_link_takes_an_idempotency_key_and_two_links_are_two_requests(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    mine, yours = link(server, operator, tenant), link(server, operator, tenant, "other@example.com")
    key = {"Idempotency-Key": "k"}

    answers = [server.ask("POST", address, headers=key, host=tenant.domain) for address in (mine, mine, yours)]

    assert [answer.body for answer in answers] == [DONE] * 3
    assert [answer.headers.get("idempotent-replayed") for answer in answers] == [None, "true", None]
    assert links(operator, tenant) == {}


def test_a_token_is_neither_stored_nor_logged_nor_measured(server: Server, operator: Operator, tenant: Tenant) -> None:
    address = link(server, operator, tenant)
    token = address.partition("=")[2]
    for method in ("GET", "POST"):
        assert server.ask(method, address, headers=BROWSER, host=tenant.domain).status == 200
        assert server.ask(method, f"{address}0", host=tenant.domain).status == 404

    measured = server.ask("GET", "/metrics").body.decode()
    assert UNSUBSCRIBE in server.logged() and token not in server.logged()
    assert UNSUBSCRIBE in measured and token not in measured
    ((kept,),) = operator.rows("SELECT token_hash FROM unsubscribe_tokens WHERE tenant_id = %(t)s", t=tenant.id)
    assert kept == hashlib.sha256(token.encode()).digest()


def test_one_address_may_end_as_many_subscriptions_as_it_has_links(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    operator.run(lambda store: many_subscribers(store, tenant, 45))
    made = list(links(operator, tenant).values())
    assert len(made) == 45
    # Guesses are limited, apart from forms, reads and right links.
    guesses = [server.ask("POST", f"{UNSUBSCRIBE}?token={n}", host=tenant.domain) for n in range(31)]
    assert [answer.status for answer in guesses] == [404] * 30 + [429]
    page = server.ask("GET", f"{UNSUBSCRIBE}?token=x", headers=BROWSER, host=tenant.domain)
    assert (page.status, b"Too many requests" in page.body) == (429, True)
    assert 1 <= int(page.headers["retry-after"]) <= 60

    for address in made:
        one_click = {"Content-Type": "application/x-www-form-urlencoded"}
        assert server.ask("GET", address, host=tenant.domain).status == 200
        assert server.ask("POST", address, b"List-Unsubscribe=One-Click", one_click, host=tenant.domain).status == 200

    assert not any(doc["subscribed"] for doc in docs(operator, tenant))
    assert server.form(tenant).status == 200
    assert server.ask("GET", "/api/leads/count", host=tenant.domain).status == 200


async def many_subscribers(store: EventStore, tenant: Tenant, count: int) -> None:
    for number in range(count):
        await subscribe_command(store, Subscribe(tenant_id=tenant.id, email=f"reader{number}@example.com"), ORIGIN)
