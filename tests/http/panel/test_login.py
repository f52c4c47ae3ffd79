"""Logging in to the panel and out of it: the cookie, wrong passwords, and where it leads afterwards."""

from urllib.parse import quote, urlencode

import pytest

from tests.http.api.staff.logins import PASSWORD, WRONG, joined, opens
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import MEDIA, Reader, as_staff, led_to, page
from tests.http.serving import Answer, Server

LOGIN = "/admin/login"


def log_in(reader: Reader, email: str, password: str = PASSWORD, **headers: str) -> Answer:
    """The form of the login page."""
    form = reader.read(LOGIN).form(LOGIN)
    return reader.send(LOGIN, form.filled(email=email, password=password), headers)


def test_a_session_in_a_cookie_until_it_is_ended(server: Server, operator: Operator, tenant: Tenant) -> None:
    user, reader = joined(operator, tenant.id, "brokerage_owner"), Reader(server)
    before = operator.head(tenant)

    answer = log_in(reader, user.email.upper())

    assert led_to(answer) == "/admin"
    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert set(attributes) == {"HttpOnly", "Max-Age=43200", "Path=/", "SameSite=lax"}
    assert name == f"aureum={reader.cookies['aureum']}" and name.startswith("aureum=aut_")
    assert reader.read("/admin").said("span")[0] == "Sam Somebody"
    authorization = {"Authorization": f"Bearer {reader.cookies['aureum']}"}
    assert opens(server, authorization) and opens(server, {"Cookie": name})

    # A user who is logged in has nothing to do at the login page.
    assert led_to(reader.get(f"{LOGIN}?next=/admin/webhooks")) == "/admin/webhooks"
    out = reader.read("/admin").form("/admin/logout")
    assert led_to(reader.send(out.action, out.fields)) == LOGIN

    assert reader.cookies == {}
    assert not opens(server, authorization) and not opens(server, {"Cookie": name})
    assert led_to(reader.get("/admin")) == f"{LOGIN}?next=/admin"
    assert led_to(reader.send("/admin/logout")) == LOGIN, "once more is no error"
    assert operator.head(tenant) == before
    assert PASSWORD not in server.logged() and user.email.lower() not in server.logged().lower()


def test_over_https_the_cookie_is_secure_and_no_other_host_can_set_it(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    user, reader = joined(operator, tenant.id), Reader(server, host=tenant.domain)

    answer = log_in(reader, user.email, Origin=f"https://{tenant.domain}")

    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert name.startswith("__Host-aureum=aut_")
    assert set(attributes) == {"HttpOnly", "Max-Age=43200", "Path=/", "SameSite=lax", "Secure"}
    assert opens(server, {"Cookie": name})
    # A page below the same domain may set the other one; the browser sends both then.
    other = as_staff(server, operator.staff(operator.brokerage().id, "agent", "Mallory")).cookies
    assert Reader(server, other | reader.cookies).read("/admin").said("span")[0] == "Sam Somebody"


@pytest.mark.parametrize("name", ["aureum", "__Host-aureum"])
def test_logging_out_has_the_browser_forget_both(server: Server, operator: Operator, tenant: Tenant, name: str) -> None:
    token = operator.staff(tenant.id, "agent").token
    head = f"POST /admin/logout HTTP/1.1\r\nHost: localhost\r\nCookie: {name}={token}\r\nContent-Type: {MEDIA}\r\n"
    answer = server.raw(f"{head}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()).decode()

    cookies = {line for line in answer.splitlines() if line.startswith("set-cookie: ")}

    assert not opens(server, {"Authorization": f"Bearer {token}"})
    assert all('=""; ' in cookie and "Max-Age=0; Path=/" in cookie for cookie in cookies)
    assert {cookie.partition("=")[0]: "Secure" in cookie for cookie in cookies} == {
        "set-cookie: aureum": False,
        "set-cookie: __Host-aureum": True,
    }


def test_a_wrong_password_and_the_sixth_time(proxied: Server, operator: Operator, tenant: Tenant) -> None:
    user, reader = joined(operator, tenant.id), Reader(proxied)
    here = {"X-Forwarded-For": "203.0.113.40"}
    email = f'"a&b<c>"{user.email}'
    for _ in range(5):
        answer = log_in(reader, user.email, "wrong horse", **here)
        form = page(answer, 401).form(LOGIN)
        assert page(answer, 401).problem == WRONG
        assert (form["email"], form["password"]) == (user.email, "") and b"wrong horse" not in answer.body
        assert "set-cookie" not in answer.headers

    refused = log_in(reader, user.email, **here)

    assert page(refused, 429).problem == "Too many failed logins. Try again in 15 minutes."
    assert 890 < int(refused.headers["retry-after"]) <= 901
    assert reader.cookies == {}
    assert led_to(log_in(reader, user.email)) == "/admin", "another address has not failed"
    typed = page(Reader(proxied).send(LOGIN, {"email": email, "password": "x"}), 400)
    assert typed.form(LOGIN)["email"] == email and "email" in typed.problem


def test_a_password_with_blanks_around_it(server: Server, operator: Operator, tenant: Tenant) -> None:
    user = joined(operator, tenant.id, password="  twelve blanks  ")
    assert page(log_in(Reader(server), user.email, "twelve blanks"), 401)
    assert led_to(log_in(Reader(server), user.email, "  twelve blanks  ")) == "/admin"


def test_a_second_login_leaves_the_first_alone(server: Server, operator: Operator, tenant: Tenant) -> None:
    user, there = joined(operator, tenant.id), as_staff(server, operator.staff(tenant.id, "agent", "Annie"))
    before = dict(there.cookies)

    # In the same browser, from a login page that was open already.
    answer = there.send(LOGIN, {"email": user.email, "password": PASSWORD})

    assert led_to(answer) == "/admin" and there.cookies != before
    assert there.read("/admin").said("span")[0] == "Sam Somebody"
    assert Reader(server, before).read("/admin").said("span")[0] == "Annie"
    there.send("/admin/logout")
    assert Reader(server, before).get("/admin").status == 200


HERE = [
    "/admin",
    "/admin/webhooks",
    "/admin/webhooks/c0_3/deliveries?status=failed&cursor=3",
    "/admin/settings/api-keys?page=2",
]
ELSEWHERE = [
    "",
    "//evil.example.com",
    "/admin//evil.example.com",
    "/admin//evil",
    "//evil.example.com/admin",
    "https://evil.example.com",
    "https:/evil.example.com",
    "https:evil.example.com/admin",
    "http://127.0.0.1/admin",
    "javascript:alert(1)",
    "/\\evil.example.com",
    "\\\\evil.example.com",
    "/admin\\evil.example.com",
    "/admin/\\/evil.example.com",
    "/admin@evil.example.com",
    "/admin.evil.example.com",
    "/administrator",
    "/admin/../docs",
    "/admin/webhooks/../../docs",
    "/admin/..",
    "/admin/%2e%2e/docs",
    "/admin/./../docs",
    "/admin\r\nSet-Cookie: aureum=x",
    "/admin?a=b\r\nLocation: https://evil.example.com",
    "/admin\n",
    "/admin\t",
    "/admin?next=https://evil.example.com",
    "/admin#x",
    "/api/me",
    "admin",
    "/ädmin",
    "/admin/\ufffd",
    "/admin/\x00",
]


@pytest.fixture(scope="module")
def credentials(operator: Operator) -> dict[str, str]:
    return {"email": joined(operator, operator.shared.id).email, "password": PASSWORD}


@pytest.fixture(scope="module")
def known(server: Server, operator: Operator) -> Reader:
    """A user who is logged in."""
    return as_staff(server, operator.staff(operator.shared.id, "agent"))


@pytest.mark.parametrize("following", [*HERE, *ELSEWHERE])
def test_where_it_leads(server: Server, known: Reader, following: str) -> None:
    goal = following if following in HERE else "/admin"
    form = Reader(server).read(f"{LOGIN}?{urlencode({'next': following})}").form(LOGIN)
    assert form["next"] == goal
    assert led_to(known.get(f"{LOGIN}?{urlencode({'next': following})}")) == goal


@pytest.mark.parametrize("following", [HERE[2], *ELSEWHERE[1:3], ELSEWHERE[22]])
def test_where_the_form_leads(server: Server, credentials: dict[str, str], following: str) -> None:
    answer = Reader(server).send(LOGIN, credentials | {"next": following})
    assert led_to(answer) == (following if following in HERE else "/admin")
    assert answer.headers["set-cookie"].startswith("aureum=aut_")


def test_a_reader_who_was_asked_to_log_in_comes_back(server: Server, credentials: dict[str, str]) -> None:
    wanted = "/admin?status=failed&event=lead.created"
    reader = Reader(server)
    asked = led_to(reader.get(wanted))
    assert asked == f"{LOGIN}?next={quote(wanted)}"
    form = reader.read(asked).form(LOGIN)
    assert led_to(reader.send(LOGIN, form.filled(**credentials))) == wanted


def test_the_form_alone_is_not_enough(server: Server) -> None:
    for fields, name in (({}, "email"), ({"email": "a@example.com"}, "password"), ({"email": "nobody"}, "email")):
        reading = page(Reader(server).send(LOGIN, fields), 400 if name == "email" else 401)
        assert reading.problem
    long = page(Reader(server).send(LOGIN, {"email": "a@example.com", "password": "x" * 1025}), 400)
    assert "password" in long.problem and "xxx" not in long.problem
