"""Signing in by a mail: what opens the portal, what does not, and that nothing tells a stranger which is which."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aureum.commands.brokerages import ChangeBrokerage, change_brokerage
from aureum.store.sweep import sweep
from tests.examples import examples
from tests.http.operator import ORIGIN, Operator, Tenant
from tests.http.panel.reader import MEDIA, page
from tests.http.portal.client import KNOWN, PENDING, SESSION, Client, client_at, code_of, letters, path_of
from tests.http.serving import Answer, Server

STRANGER = "stranger@example.net"


def other_code(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def another(client: Client, server: Server | None = None) -> Client:
    """Another browser of the same person."""
    return replace(client, cookies={}, server=server or client.server)


def comparable(answer: Answer) -> tuple[int, dict[str, str], list[str], bytes]:
    """All of an answer that could tell one address from another."""
    own = ("date", "x-request-id", "set-cookie")
    headers = {name: value for name, value in answer.headers.items() if name not in own}
    cookies = [re.sub(r"=[A-Za-z0-9_-]{43};", "=…;", cookie) for cookie in answer.cookies]
    return answer.status, headers, [re.sub("expires=[^;]*", "", cookie) for cookie in cookies], answer.body


def sessions(operator: Operator, tenant: Tenant) -> int:
    ((found,),) = operator.rows("SELECT count(*) FROM portal_sessions WHERE tenant_id = %(t)s", t=tenant.id)
    return int(found)


def test_a_client_signs_in_by_the_code_and_out(client: Client, operator: Operator, tenant: Tenant) -> None:
    assert client.read("/portal").said("h1") == ["Welcome"]
    link = client.get("/portal/sign-in/" + "x" * 43)
    assert "script-src 'none'" in link.headers["content-security-policy"] and b"Sign out" not in link.body
    assert set(client.cookies) == {SESSION, KNOWN}, "the nonce has done its work"
    stolen = dict(client.cookies)
    assert client.send("/portal/sign-out").headers["location"] == "/portal"
    assert set(client.cookies) == {KNOWN} and not replace(client, cookies=stolen).is_in
    assert sessions(operator, tenant) == 0


def test_the_page_that_was_asked_for_follows(visitor: Client) -> None:
    led = visitor.get("/portal/enquiries")
    assert (led.status, led.headers["location"]) == (303, "/portal?next=/portal/enquiries")
    form = next(one for one in visitor.read(led.headers["location"]).forms if one.action == "/portal/sign-in")
    assert visitor.send(form.action, form.filled(email=visitor.email)).status == 202
    entered = visitor.send("/portal/code", {"code": code_of(visitor.reads())})
    assert entered.headers["location"] == "/portal/enquiries"
    for elsewhere in (
        "//evil.example",
        "https://evil.example",
        "/portal/../admin",
        "/admin",
        "/portal/\\evil",
        "x" * 999,
    ):
        assert visitor.asks(elsewhere).status == 202 if elsewhere == "//evil.example" else True
        assert visitor.get(f"/portal?next={elsewhere}").body.count(b"evil") == 0


def test_a_link_works_once_and_only_in_the_browser_that_asked(visitor: Client, operator: Operator) -> None:
    visitor.asks()
    letter = visitor.reads()
    link, code = path_of(letter), code_of(letter)
    elsewhere = another(visitor)

    shown = elsewhere.get(link)
    assert (shown.status, shown.headers["referrer-policy"], shown.headers["cache-control"]) == (
        200,
        "no-referrer",
        "no-store",
    )
    assert b"<script" not in shown.body and "script-src 'none'" in shown.headers["content-security-policy"]
    assert elsewhere.get("/portal/sign-in/" + "x" * 43).body == shown.body
    form = page(elsewhere.send(link), 200)
    assert form.said("h1") == ["Enter your code"] and elsewhere.cookies == {}

    # A page without referrer: the browser hides where the form was.
    assert visitor.send(link, headers={"Origin": "null"}).headers["location"] == "/portal"
    assert visitor.is_in
    assert page(another(visitor).send(link), 200) and not another(visitor).is_in
    late = elsewhere.send("/portal/code", {"code": code, "email": visitor.email})
    assert late.status == 422 and elsewhere.cookies == {}, "the link has used the code up"


def test_the_code_works_in_another_browser_with_the_address(visitor: Client) -> None:
    visitor.asks()
    letter = visitor.reads()
    elsewhere = another(visitor)
    sent = {"code": f" {code_of(letter)[:3]} {code_of(letter)[3:]}", "email": visitor.email.upper()}
    assert elsewhere.send("/portal/code", sent).status == 303
    assert elsewhere.is_in
    assert visitor.send(path_of(letter)).status == 200 and not visitor.is_in, "the code has used the link up"


def test_two_uses_at_once_are_one(visitor: Client, proxied: Server, operator: Operator, tenant: Tenant) -> None:
    for number in range(4):
        operator.rows("DELETE FROM login_failures")
        visitor.cookies = {}
        visitor.asks()
        letter = visitor.reads()
        by_code = ("/portal/code", {"code": code_of(letter)})
        browsers = [another(visitor, server) for server in (visitor.server, proxied) for _ in range(3)]
        for browser in browsers:
            browser.cookies = dict(visitor.cookies)

        ways = [(path_of(letter), ()) if turn % 3 == number % 3 else by_code for turn in range(len(browsers))]
        with ThreadPoolExecutor(len(browsers)) as threads:
            statuses = list(threads.map(lambda one, way: one.send(*way).status, browsers, ways))
        assert statuses.count(303) == 1, statuses
        assert sessions(operator, tenant) == number + 1


def test_five_wrong_codes_end_the_sign_in(visitor: Client) -> None:
    visitor.asks()
    code = code_of(visitor.reads())
    for _ in range(5):
        assert visitor.send("/portal/code", {"code": other_code(code)}).status == 422
    assert visitor.send("/portal/code", {"code": code}).status == 422
    elsewhere = another(visitor)
    assert elsewhere.send("/portal/code", {"code": code, "email": visitor.email}).status == 422
    assert visitor.cookies.keys() == {PENDING}


def test_five_wrong_codes_from_elsewhere_leave_the_browser_that_asked_alone(visitor: Client, tenant: Tenant) -> None:
    visitor.asks()
    letter = visitor.reads()
    elsewhere = another(visitor)
    for _ in range(5):
        sent = {"code": other_code(code_of(letter)), "email": visitor.email}
        assert elsewhere.send("/portal/code", sent).status == 422
    assert elsewhere.send("/portal/code", {"code": code_of(letter), "email": visitor.email}).status == 422
    assert visitor.send("/portal/code", {"code": code_of(letter)}).status == 303


def test_fewer_wrong_codes_do_not(visitor: Client) -> None:
    visitor.asks()
    code = code_of(visitor.reads())
    for wrong in (other_code(code), "", "abcdef", code[:5]):
        assert visitor.send("/portal/code", {"code": wrong}).status == 422
    assert visitor.send("/portal/code", {"code": code}).status == 303


def test_a_sign_in_lasts_a_quarter_of_an_hour_and_a_session_half_a_day(
    visitor: Client, operator: Operator, tenant: Tenant
) -> None:
    visitor.asks()
    letter = visitor.reads()
    lasts = "SELECT expires_at - asked_at = interval '15 minutes' FROM portal_sign_ins WHERE tenant_id = %(t)s"
    assert operator.rows(lasts, t=tenant.id) == [(True,)]
    operator.rows("UPDATE portal_sign_ins SET expires_at = now() WHERE tenant_id = %(t)s", t=tenant.id)
    assert visitor.send("/portal/code", {"code": code_of(letter)}).status == 422
    assert visitor.send(path_of(letter)).status == 200 and not visitor.is_in

    visitor.signs_in()
    lasts = "SELECT expires_at - signed_in_at = interval '12 hours' FROM portal_sessions WHERE tenant_id = %(t)s"
    assert operator.rows(lasts, t=tenant.id) == [(True,)]
    operator.rows("UPDATE portal_sessions SET expires_at = now() WHERE tenant_id = %(t)s", t=tenant.id)
    assert not visitor.is_in


def test_signing_in_again_ends_the_session_before(client: Client, operator: Operator, tenant: Tenant) -> None:
    before = dict(client.cookies)
    client.signs_in()
    assert client.is_in and client.cookies != before
    assert not replace(client, cookies=before).is_in and sessions(operator, tenant) == 1


def test_every_address_gets_the_same_answer(
    visitor: Client, server: Server, operator: Operator, tenant: Tenant
) -> None:
    asked = [another(replace(visitor, email=email)) for email in (visitor.email, STRANGER)]
    known, unknown = (one.asks() for one in asked)
    assert comparable(known) == comparable(unknown) and known.status == 202
    written = "SELECT count(*), count(*) FILTER (WHERE waits) FROM portal_sign_ins WHERE tenant_id = %(t)s"
    assert operator.rows(written, t=tenant.id) == [(2, 2)], "one row each, and the worker looks both up"
    wrong = [one.send("/portal/code", {"code": "000000"}) for one in asked]
    assert comparable(wrong[0]) == comparable(wrong[1])
    elsewhere = [one.send("/portal/code", {"code": "1", "email": "x@example.net"}) for one in map(another, asked)]
    assert comparable(elsewhere[0]) == comparable(elsewhere[1])
    (letter,) = letters(operator, tenant.id)
    assert letter.recipient.address == visitor.email
    assert operator.rows(written, t=tenant.id) == [(2, 0)]
    logged = server.logged()
    assert visitor.email not in logged and STRANGER not in logged and code_of(letter) not in logged


def test_an_address_gets_three_mails_and_the_fourth_request_the_same_answer(
    visitor: Client, operator: Operator, tenant: Tenant
) -> None:
    answers = [another(visitor).asks() for _ in range(4)]
    assert len({repr(comparable(one)) for one in answers}) == 1 and answers[0].status == 202
    assert len(letters(operator, tenant.id)) == 3
    operator.rows("UPDATE login_failures SET since = now() - interval '16 minutes'")
    assert another(visitor).asks().status == 202
    assert len(letters(operator, tenant.id)) == 1


def test_a_browser_that_asks_once_too_often_signs_in_by_the_newest_mail(
    visitor: Client, operator: Operator, tenant: Tenant
) -> None:
    assert [visitor.asks().status for _ in range(5)] == [202] * 5
    sent = letters(operator, tenant.id)
    assert len(sent) == 3
    assert visitor.send("/portal/code", {"code": code_of(sent[-1])}).status == 303 and visitor.is_in
    # Another address gets a nonce of its own, which opens nothing of this one.
    other = replace(visitor, cookies={}, email="other@example.net")
    for _ in range(5):
        other.asks()
    assert other.send("/portal/code", {"code": code_of(sent[0])}).status == 422
    assert other.send("/portal/sign-in", {"email": visitor.email}).status == 202
    assert other.send("/portal/code", {"code": code_of(sent[0])}).status == 303, "the person reads the mails"


def test_strangers_do_not_keep_a_client_out(
    visitor: Client, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    at_home = another(visitor, proxied)
    at_home.signs_in()
    at_home.send("/portal/sign-out")
    operator.rows("DELETE FROM login_failures")

    def mails() -> int:
        return len(letters(operator, tenant.id))

    stranger = [f"198.51.{number}" for number in range(100, 106)]
    assert [another(visitor, proxied).asks(network=stranger[0]).status for _ in range(12)] == [202] * 12
    assert mails() == 3, "of one network"
    elsewhere = another(visitor, proxied)
    assert elsewhere.asks(network="203.0.113").status == 202
    assert elsewhere.send("/portal/code", {"code": code_of(visitor.reads())}).status == 303, "the client's own network"
    for network in stranger * 2:
        another(visitor, proxied).asks(network=network)
    last = letters(operator, tenant.id)
    assert len(last) == 2, "of all networks together"

    # In a browser that was signed in before, a mail comes. In a new one, the code of any mail that has come will do.
    new = another(visitor, proxied)
    assert new.asks(network="203.0.113").status == 202 and mails() == 0
    assert new.send("/portal/code", {"code": other_code(code_of(last[-1]))}).status == 422
    assert new.send("/portal/code", {"code": code_of(last[-1])}).status == 303 and new.is_in
    assert [at_home.asks(network="203.0.113").status for _ in range(4)] == [202] * 4
    assert mails() == 3, "a reserve that has an end, too"
    assert set(at_home.cookies) == {KNOWN, PENDING}
    forged = replace(visitor, server=proxied, cookies={KNOWN: "x" * 40 + "." + at_home.cookies[KNOWN][:-2] + "AA"})
    assert forged.asks(network="203.0.113").status == 202 and mails() == 0


def test_a_code_by_the_address_is_tried_five_times(
    visitor: Client, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    at_home = another(visitor, proxied).signs_in()
    for network in ("198.51.100", "198.51.101"):
        for _ in range(3):
            another(visitor, proxied).asks(network=network)
    code = code_of(letters(operator, tenant.id)[-1])
    strangers = [another(visitor, proxied) for _ in range(2)]
    for one in strangers:
        one.asks(network="198.51.102")
    wrong = [one.send("/portal/code", {"code": other_code(code)}).status for one in strangers * 3]
    assert wrong == [422] * 6
    assert strangers[0].send("/portal/code", {"code": code}).status == 422, "whatever they ask for"
    del at_home.cookies[SESSION]
    assert at_home.send("/portal/code", {"code": code, "email": visitor.email}).status == 303, "a known browser"


def test_codes_of_an_address_are_tried_twenty_times_a_day_and_the_client_is_not_kept_out(
    visitor: Client, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    at_home = another(visitor, proxied).signs_in()
    at_home.send("/portal/sign-out")
    operator.rows("DELETE FROM login_failures")

    def later() -> None:
        operator.rows("UPDATE login_failures SET since = now() - interval '16 minutes'")
        operator.run(lambda store: sweep(store.database))

    for _ in range(4):
        stranger = another(visitor, proxied)
        wrong = [stranger.send("/portal/code", {"code": "000000x", "email": visitor.email}) for _ in range(5)]
        assert {(one.status, b"Too many codes" in one.body) for one in wrong} == {(422, False)}
        later()
    new = another(visitor, proxied)
    new.asks()
    letter = visitor.reads()
    refused = new.send("/portal/code", {"code": code_of(letter)})
    assert refused.status == 422 and b"Too many codes were tried for this address today" in refused.body
    elsewhere = another(replace(visitor, email="nobody@example.net"), proxied)
    for _ in range(4):
        for _ in range(5):
            last = elsewhere.send("/portal/code", {"code": "000000x", "email": elsewhere.email})
        later()
    answers = [one.send("/portal/code", {"code": "1", "email": one.email}) for one in (another(visitor), elsewhere)]
    assert answers[0].status == answers[1].status == 422 == last.status
    assert [b"Too many codes" in one.body for one in answers] == [True, True], "it says nothing about the address"

    # The link opens the browser that asked, and a browser that is known takes codes.
    assert new.send(path_of(letter), headers={"Origin": "null"}).status == 303 and new.is_in
    at_home.asks()
    assert at_home.send("/portal/code", {"code": code_of(visitor.reads())}).status == 303 and at_home.is_in
    operator.rows("UPDATE login_failures SET next_at = now() WHERE next_at IS NOT NULL")
    other = another(visitor, proxied)
    other.asks()
    assert other.send("/portal/code", {"code": code_of(visitor.reads())}).status == 303, "the next day"


def test_a_client_address_may_ask_twenty_times(visitor: Client, proxied: Server, tenant: Tenant) -> None:
    def ask(number: int, address: str) -> Answer:
        one = another(replace(visitor, email=f"{number}@example.net"), proxied)
        return one.send("/portal/sign-in", {"email": one.email}, {"X-Forwarded-For": address})

    assert [ask(number, "198.51.100.7").status for number in range(20)] == [202] * 20
    refused = ask(20, "198.51.100.7")
    assert (refused.status, refused.code) == (429, "rate_limited")
    assert 0 < int(refused.headers["retry-after"]) <= 900
    assert page(refused, 429).said("h1") == ["Please wait a moment"]
    assert ask(21, "198.51.100.8").status == 202


def test_what_a_public_form_claims_opens_nothing(
    visitor: Client, server: Server, operator: Operator, tenant: Tenant
) -> None:
    server.form(tenant, email=STRANGER, firstName="Sam", lastName="Stranger")
    stranger = client_at(server, operator, tenant, STRANGER)
    assert stranger.asks().status == 202 and letters(operator, tenant.id) == []
    operator.rows("DELETE FROM login_failures")

    entered = server.lead(tenant, name="Lena Lead", email="Lena@Example.net", source="referral")
    lena = client_at(server, operator, tenant, "lena@example.net").signs_in()
    assert lena.is_in
    assert server.by_key(tenant, "PATCH", f"/api/leads/{entered['id']}", {"email": "other@example.net"}).status == 200
    assert not lena.is_in

    owner = operator.staff(tenant.id, "brokerage_owner")
    new = {"first_name": "Mia", "last_name": "Manual", "email": "mia@example.net"}
    new |= {"phone": "208-555-0188", "subject": "Selling", "message": "She called."}
    assert server.ask("POST", "/api/v1/admin/leads", new, owner.bearer).status == 201
    assert client_at(server, operator, tenant, "mia@example.net").signs_in().is_in


def test_the_link_leads_to_no_domain_that_a_stranger_may_have(
    visitor: Client, operator: Operator, tenant: Tenant
) -> None:
    """Neither to one at which nothing arrives, nor to one that the brokerage has given up after the client asked
    there."""
    deadline = time.monotonic() + 60
    while operator.rows("SELECT domain FROM domains_seen WHERE tenant_id = %(t)s", t=tenant.id) != [(tenant.domain,)]:
        visitor.get("/portal")
        assert time.monotonic() < deadline, "requests have arrived there"
    dangling = f"dangling.{tenant.domain}"

    def has(*domains: str) -> None:
        command = ChangeBrokerage(tenant_id=tenant.id, domains=domains)
        operator.run(lambda store: change_brokerage(store, command, ORIGIN))

    has(dangling, tenant.domain)
    assert visitor.asks().status == 202
    assert str(visitor.reads().fields["link"]).startswith(f"https://{tenant.domain}/portal/sign-in/")
    assert visitor.asks().status == 202
    has(dangling)
    assert str(visitor.reads().fields["link"]).startswith(f"https://{tenant.slug}.crm.example.org/portal/sign-in/")


def test_two_brokerages_do_not_know_of_each_others_clients(
    server: Server, operator: Operator, tenant: Tenant, visitor: Client
) -> None:
    other = operator.brokerage()
    new = {"firstName": "Nora", "lastName": "Other", "email": visitor.email, "type": "SELLER"}
    assert server.by_key(other, "POST", "/api/contacts", new).status == 201
    there = client_at(server, operator, other, visitor.email)
    visitor.asks()
    there.asks()
    here_code = code_of(visitor.reads())
    assert there.send("/portal/code", {"code": here_code}).status == 422
    assert another(there).send("/portal/code", {"code": here_code, "email": there.email}).status == 422
    assert visitor.send("/portal/code", {"code": here_code}).status == 303
    assert there.send("/portal/code", {"code": code_of(there.reads())}).status == 303
    assert visitor.is_in and there.is_in
    assert not replace(there, cookies=visitor.cookies).is_in
    keys = operator.rows(
        "SELECT DISTINCT address_key FROM portal_sessions WHERE tenant_id = ANY (%(t)s)", t=[tenant.id, other.id]
    )
    assert len(keys) == 2, "the tables do not tell that it is one address"


def test_over_https_the_cookies_belong_to_the_host_alone(visitor: Client) -> None:
    secure = {"Origin": f"https://{visitor.host}", "Sec-Fetch-Site": "same-origin"}
    asked = visitor.send("/portal/sign-in", {"email": visitor.email}, secure)
    (cookie,) = asked.cookies
    assert cookie.startswith(f"__Host-{PENDING}=") and cookie.endswith("Path=/; SameSite=lax; Secure")
    assert "HttpOnly" in cookie
    # The page of the link hides its origin; the browser's header says that this is https.
    hidden = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    entered = visitor.send(path_of(visitor.reads()), headers=hidden)
    kept = next(one for one in entered.cookies if one.startswith(f"__Host-{SESSION}="))
    assert "Max-Age=43200" in kept and "Secure" in kept and "HttpOnly" in kept
    assert visitor.ask("GET", "/portal/enquiries", headers={"Sec-Fetch-Site": "none"}).status == 200
    visitor.cookies = {SESSION: visitor.cookies[f"__Host-{SESSION}"]}
    assert visitor.ask("GET", "/portal/enquiries", headers={"Sec-Fetch-Site": "none"}).status == 303


@pytest.mark.parametrize("email", ["", "nora", "nora@", "@example.net", "nora@localhost", "a b@example.net", "\0@x.yz"])
def test_what_is_no_address_is_said_to_be_none(visitor: Client, email: str) -> None:
    form = page(visitor.send("/portal/sign-in", {"email": email}), 422)
    assert form.said("p", role="alert") == ["Enter your full email address, such as name@example.com."]
    assert visitor.cookies == {}


TEXTS = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [b"email=%00", b"email=%ff@x", b"code=%ud800", b"code=1&code=2", b"code=" + b"1" * 9_000, b"&" * 300]
    ),
    st.text(max_size=40).map(lambda text: b"email=" + text.encode("utf-8", "surrogatepass")),
)


@settings(
    deadline=None, max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # fmt: skip
@given(
    body=TEXTS,
    path=st.sampled_from(["/portal/sign-in", "/portal/code", "/portal/language", "/portal/sign-in/a%00b", "/portal/x"]),
    cookie=st.sampled_from(["", f"{PENDING}=\xff\xfe; {SESSION}=autp_x", f"{SESSION}={'y' * 5_000}", f"{PENDING}=x"]),
    media=st.sampled_from([MEDIA, "multipart/form-data; boundary=x", "text/plain", ""]),
)
def test_bad_input_of_any_kind_is_refused(visitor: Client, body: bytes, path: str, cookie: str, media: str) -> None:
    assert visitor.operator is not None
    visitor.operator.rows("DELETE FROM login_failures")
    answer = visitor.ask("POST", path, body, {"Content-Type": media, "Cookie": cookie})
    assert answer.status in (200, 202, 303, 400, 404, 415, 422, 429), answer.status
    assert not any(SESSION in one and "autp_" in one for one in answer.cookies)


def test_a_form_of_ten_megabytes_is_too_large(visitor: Client) -> None:
    assert visitor.send("/portal/sign-in", b"email=" + b"x" * 10_000_000).status == 413


def test_the_rows_are_swept(visitor: Client, operator: Operator, tenant: Tenant) -> None:
    from aureum.store.sweep import sweep

    visitor.signs_in()
    visitor.asks()
    operator.rows("UPDATE portal_sign_ins SET expires_at = now() - interval '1 s' WHERE tenant_id = %(t)s", t=tenant.id)
    operator.rows("UPDATE portal_sessions SET expires_at = now() - interval '1 s' WHERE tenant_id = %(t)s", t=tenant.id)
    operator.run(lambda store: sweep(store.database))
    for table in ("portal_sign_ins", "portal_sessions"):
        left: list[Any] = operator.rows(f"SELECT FROM {table} WHERE tenant_id = %(t)s", t=tenant.id)
        assert left == [], table
