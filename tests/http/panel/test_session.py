"""What ends a session, and what was none: each leads to the login page, on every kind of request."""

import secrets
from http.cookies import SimpleCookie

import pytest
from pydantic import SecretStr

from aureum.commands.brokerages import disable_brokerage
from aureum.commands.sessions import TOKEN_PREFIX
from aureum.http.panel.login import page_after
from tests.http.api.staff.logins import changed, joined, opens, token
from tests.http.operator import ORIGIN, Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, led_to, refused
from tests.http.serving import Server

BEFORE = "UPDATE user_tokens SET expires_at = now() WHERE user_id = %(user)s"


def is_out(reader: Reader) -> bool:
    """Whether the panel asks to log in, and has the browser forget what it sent."""
    cookies = dict(reader.cookies)
    read = reader.get("/admin/webhooks?a=b")
    reader.cookies = dict(cookies)
    sent = reader.send("/admin/webhooks", {"url": "https://example.com/", "events": "lead.*"})
    if read.status == sent.status == 303:
        assert led_to(read) == "/admin/login?next=/admin/webhooks%3Fa%3Db"
        assert led_to(sent) == "/admin/login?next=/admin", "what was typed is lost: the page, not its form's address"
        assert SimpleCookie(read.headers["set-cookie"])["aureum"]["max-age"] == "0"
        assert b"" == read.body == sent.body and "aureum" not in reader.cookies
        return True
    assert read.status in (200, 403)
    return False


def test_what_ends_one(server: Server, operator: Operator, tenant: Tenant) -> None:
    def logged_in() -> tuple[Reader, dict[str, str]]:
        headers = token(server, user)
        return Reader(server, {"aureum": headers["Authorization"].removeprefix("Bearer ")}), headers

    user = joined(operator, tenant.id, "brokerage_owner")
    expired, _ = logged_in()
    assert not is_out(expired)
    operator.rows(BEFORE, user=user.id)
    assert is_out(expired)

    revoked, headers = logged_in()
    assert server.ask("POST", "/api/v1/auth/logout", headers=headers).status == 200
    assert is_out(revoked)

    outdated, _ = logged_in()
    changed(operator, tenant.id, user, password=SecretStr("a quite different one"))
    assert is_out(outdated)


def test_a_disabled_user_or_brokerage(server: Server, operator: Operator) -> None:
    tenant = operator.brokerage()
    user = joined(operator, tenant.id, "brokerage_owner")
    one = Reader(server, {"aureum": token(server, user)["Authorization"].removeprefix("Bearer ")})
    other = as_staff(server, operator.staff(tenant.id, "brokerage_owner"))
    # The only owner with a password could not be disabled.
    joined(operator, tenant.id, "brokerage_owner")
    changed(operator, tenant.id, user, disabled=True)
    assert is_out(one) and not is_out(other)
    operator.run(lambda store: disable_brokerage(store, tenant.id, ORIGIN))
    assert is_out(other)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x",
        TOKEN_PREFIX,
        TOKEN_PREFIX + secrets.token_urlsafe(32),
        TOKEN_PREFIX + "x" * 5000,
        TOKEN_PREFIX + "\xe4\xff",
        TOKEN_PREFIX + '"; aureum="aut_',
        "null",
        "a,b=c=d",
    ],
)
def test_garbage_is_no_session(server: Server, value: str) -> None:
    for name in ("aureum", "__Host-aureum", "other"):
        assert is_out(Reader(server, {name: value}))
    assert not opens(server, {"Cookie": f"aureum={value}"})


def test_a_key_is_no_session(server: Server, tenant: Tenant) -> None:
    assert is_out(Reader(server, {"aureum": tenant.key}))
    assert not opens(server, {"Cookie": f"aureum={tenant.key}"})
    # Nor is Authorization: a page is for a browser.
    answer = server.ask("GET", "/admin", headers=tenant.bearer)
    assert led_to(answer) == "/admin/login?next=/admin"


def test_at_the_address_of_another_brokerage_nothing_of_that_is_seen(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    other = operator.brokerage(name="Teton Homes")
    webhook = {"url": "https://teton.example.com/hooks", "events": ["lead.*"]}
    assert server.by_key(other, "POST", "/api/webhooks", webhook).status == 201
    server.lead(other)
    broker = as_staff(server, operator.staff(tenant.id, "broker"), other.domain)
    owner = as_staff(server, operator.staff(tenant.id, "brokerage_owner"), other.domain)
    before = operator.head(other), operator.head(tenant)

    overview = broker.read("/admin")

    assert "Snake River Realty" in overview.said("strong") and overview.said("span", class_="count")[0] == "0"
    for path in ("/admin", "/admin/webhooks"):
        answer = owner.get(path)
        assert b"teton" not in answer.body.lower()
        assert "of another brokerage" in refused(answer, 401)
    assert "of another brokerage" in refused(owner.send("/admin/webhooks", webhook_form()), 401)
    assert (operator.head(other), operator.head(tenant)) == before


def webhook_form() -> dict[str, str]:
    return {"url": "https://example.com/hooks", "events": "lead.*"}


def test_over_https_the_name_counts_that_no_other_host_can_set(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    who = operator.staff(tenant.id, "broker")
    https = {"Sec-Fetch-Site": "none"}  # A browser sends it over https, and to its own machine.
    for name, host, status in (
        ("aureum", tenant.domain, 303),
        ("__Host-aureum", tenant.domain, 200),
        ("aureum", "localhost", 200),
        ("aureum", "LocalHost.:8000", 200),
        ("aureum", "office.localhost:8000", 200),
        ("aureum", "127.0.0.1", 200),
        ("aureum", "127.8.9.10:8000", 200),
        ("aureum", "[::1]:8000", 200),
        ("aureum", "localhost-realty.base.test", 303),
        ("aureum", "localhost.base.test", 303),
        ("aureum", "localhostx", 303),
        ("aureum", "notlocalhost", 303),
        ("aureum", "127.base.test", 303),
        ("aureum", "127.0.0.1.base.test", 303),
        ("aureum", "[::2]", 303),
        ("aureum", "localhost:80:80", 303),
    ):
        answer = server.ask("GET", "/admin", headers={"Cookie": f"{name}={who.token}"} | https, host=host)
        assert answer.status == status, (name, host)
    plain = server.ask("GET", "/admin", headers={"Cookie": f"aureum={who.token}"}, host=tenant.domain)
    assert plain.status == 200


def test_behind_a_proxy_the_host_counts_that_the_browser_asked_for(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    """Proxies often ask with a Host of their own, such as localhost:8000."""
    cookie = {"Cookie": f"aureum={operator.staff(tenant.id, 'broker').token}", "Sec-Fetch-Site": "none"}
    behind = cookie | {"X-Forwarded-Host": tenant.domain}
    assert proxied.ask("GET", "/admin", headers=behind, host="localhost:8000").status == 303
    assert proxied.ask("GET", "/admin", headers=cookie, host="localhost:8000").status == 200
    # A peer that is no proxy of ours says what it likes.
    assert server.ask("GET", "/admin", headers=behind, host="localhost:8000").status == 200


def test_a_private_count_is_shown_to_staff(server: Server, operator: Operator) -> None:
    private = operator.brokerage(public_lead_count=False)
    cookie = {"Cookie": f"aureum={operator.staff(private.id, 'broker').token}"}
    assert server.ask("GET", "/api/leads/count", host=private.domain).status == 401
    assert server.ask("GET", "/api/leads/count", headers=cookie, host=private.domain).json["total"] == 0


def test_the_page_after_logging_in_keeps_what_was_searched() -> None:
    for path in ("/admin/contacts?search=a+b~c&type=BUYER", "/admin/leads?source=x%20y"):
        assert page_after(path) == path
