"""Invitations and forgotten passwords: links that set one password, once, for the user they were mailed to."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from aureum.domain.ids import PLATFORM
from aureum.mail.letter import Letter
from tests.http.api.staff.links import letters, token_of
from tests.http.api.staff.logins import PASSWORD, changed, joined, log_in, opens, token
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, led_to, page
from tests.http.serving import Answer, Server

USERS = "/api/v1/admin/users"
NEW = "apples fall in autumn"
NEVER = "x" * 43


@pytest.fixture(autouse=True)
def forgiven(operator: Operator) -> None:
    operator.rows("DELETE FROM login_failures")
    operator.rows("DELETE FROM reset_requests")


def forgotten(server: Server, email: str, **headers: str) -> Answer:
    return server.ask("POST", "/api/v1/auth/forgotten", {"email": email}, headers)


def choose(server: Server, link: str, password: str = NEW) -> Answer:
    return server.ask("POST", "/api/v1/auth/reset", {"token": link, "password": password})


def mailed(operator: Operator, tenant: Tenant, kind: str) -> Letter:
    (letter,) = [one for one in letters(operator, tenant.id) if one.kind == kind]
    return letter


def test_an_invited_user_chooses_a_password_once(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    owner = operator.staff(tenant.id, "brokerage_owner", "Olga Owner")
    new: dict[str, Any] = {
        "email": "Ivy.Invited@example.com",
        "name": "Ivy Invited",
        "role": "agent",
        "language": "es",
        "invite": True,
    }

    made = server.ask("POST", USERS, new, owner.bearer).json

    assert (made["has_password"], made["invited_until"] > made["created_at"]) == (False, True)
    letter = mailed(operator, tenant, "invitation")
    assert (letter.recipient.address, letter.language, letter.fields["by"]) == (new["email"], "es", "Olga Owner")
    link = token_of(letter)
    ((stored,),) = operator.rows("SELECT token_hash FROM password_links WHERE tenant_id = %(t)s", t=tenant.id)
    assert len(link) == 43 and link.encode() not in stored
    assert choose(server, link, "short").status == 422 and choose(server, link, "password1234").status == 422
    assert choose(server, NEVER).code == "link_not_found"

    # Whoever sends it more than once: one password is set, whichever process gets it.
    head = operator.head(tenant)
    with ThreadPoolExecutor(6) as clients:
        sent = [(server, proxied)[number % 2] for number in range(6)]
        answers = list(clients.map(lambda at: choose(at[1], link, f"{NEW} {at[0]}"), enumerate(sent)))
    assert sorted(answer.status for answer in answers) == [200, 404, 404, 404, 404, 404]
    winner = next(number for number, answer in enumerate(answers) if answer.status == 200)
    assert operator.head(tenant) == head + 1
    assert log_in(server, new["email"], f"{NEW} {winner}").status == 200
    after = server.ask("GET", f"{USERS}/{made['id']}", headers=owner.bearer).json
    assert (after["has_password"], after["invited_until"]) == (True, None)
    assert letters(operator, tenant.id) == [], "a first password is no news"
    again = server.ask("POST", f"{USERS}/{made['id']}/invite", {}, owner.bearer)
    assert again.code == "wrong_state"
    assert link not in server.logged() + proxied.logged()


def test_an_invitation_is_replaced_cancelled_and_expires(server: Server, operator: Operator, tenant: Tenant) -> None:
    owner = operator.staff(tenant.id, "brokerage_owner")
    new: dict[str, Any] = {
        "email": f"i.{tenant.slug}@example.com",
        "name": "Ivy Invited",
        "role": "agent",
        "invite": True,
    }
    number = server.ask("POST", USERS, new, owner.bearer).json["id"]
    first = token_of(mailed(operator, tenant, "invitation"))

    assert server.ask("POST", f"{USERS}/{number}/invite", None, owner.bearer).status == 200
    second = token_of(mailed(operator, tenant, "invitation"))
    assert choose(server, first).status == 404

    assert server.ask("POST", f"{USERS}/{number}/cancel-invitation", None, owner.bearer).json["invited_until"] is None
    assert choose(server, second).status == 404
    assert server.ask("POST", f"{USERS}/{number}/cancel-invitation", None, owner.bearer).status == 200, "once more"
    forgotten(server, new["email"])
    assert letters(operator, tenant.id) == [], "a user who may not log in gets no link"

    server.ask("POST", f"{USERS}/{number}/invite", {"language": "en"}, owner.bearer)
    third = token_of(mailed(operator, tenant, "invitation"))
    operator.rows("UPDATE password_links SET expires_at = now() WHERE tenant_id = %(t)s", t=tenant.id)
    assert choose(server, third).status == 404

    # Two in a row, of which the worker sees the second first: only that one is mailed.
    for _ in range(2):
        server.ask("POST", f"{USERS}/{number}/invite", None, owner.bearer)
    fourth = token_of(mailed(operator, tenant, "invitation"))
    server.ask("PATCH", f"{USERS}/{number}", {"disabled": True}, owner.bearer)
    assert choose(server, fourth).status == 404
    refused = server.ask("POST", f"{USERS}/{number}/invite", None, owner.bearer)
    assert refused.code == "wrong_state"
    both = new | {"email": "both@example.com", "password": NEW, "invite": True}
    assert server.ask("POST", USERS, both, owner.bearer).status == 422
    neither = server.ask("POST", USERS, new | {"email": "neither@example.com", "invite": False}, owner.bearer).json
    assert (neither["has_password"], neither["invited_until"]) == (False, None)


def test_a_forgotten_password(server: Server, operator: Operator, tenant: Tenant) -> None:
    user = joined(operator, tenant.id)
    before = token(server, user)
    letters(operator, tenant.id)
    for _ in range(5):
        log_in(server, user.email, "wrong horse")

    known, unknown = forgotten(server, f" {user.email.upper()} "), forgotten(server, "nobody@example.com")

    assert (known.status, known.body) == (unknown.status, unknown.body) == (200, b'{"success":true}')
    same = {name for name in known.headers if name not in ("date", "x-request-id")}
    assert {name: known.headers[name] for name in same} == {name: unknown.headers[name] for name in same}
    ((rows, users),) = operator.rows("SELECT count(*), count(user_id) FROM reset_requests")
    assert (rows, users) == (2, 1), "one row is written for either"
    letter = mailed(operator, tenant, "password_reset")
    assert letter.recipient.address == user.email
    assert operator.rows("SELECT FROM reset_requests") == []

    assert choose(server, token_of(letter)).json == {"success": True, "email": user.email}

    assert not opens(server, before) and log_in(server, user.email).status == 401
    assert log_in(server, user.email, NEW).status == 200, "what failed before from here is forgiven"
    assert choose(server, token_of(letter)).status == 404
    told = mailed(operator, tenant, "password_changed")
    assert told.recipient.address == user.email and str(told.fields["link"]).endswith("/admin/forgotten")


def test_one_link_ends_the_others_and_there_are_three(server: Server, operator: Operator, tenant: Tenant) -> None:
    user = joined(operator, tenant.id)
    for _ in range(5):
        assert forgotten(server, user.email).status == 200
    links = [token_of(letter) for letter in letters(operator, tenant.id)]
    assert len(set(links)) == 3
    assert choose(server, links[1]).status == 200
    assert [choose(server, link).status for link in links] == [404, 404, 404]
    for _ in range(2):
        changed(operator, tenant.id, user, disabled=True)
        forgotten(server, user.email)
    assert [one.kind for one in letters(operator, tenant.id)] == ["password_changed"] * 0


def test_who_asks_too_often_waits(proxied: Server, operator: Operator, tenant: Tenant) -> None:
    user = joined(operator, tenant.id)
    here = {"X-Forwarded-For": "203.0.113.77"}
    for _ in range(20):
        assert forgotten(proxied, "nobody@example.com", **here).status == 200
    for email in (user.email, "nobody@example.com"):
        refused = forgotten(proxied, email, **here)
        assert refused.code == "login_rate_limited" and 0 < int(refused.headers["retry-after"]) <= 901
    assert forgotten(proxied, user.email, **{"X-Forwarded-For": "203.0.113.78"}).status == 200, "others do not"


def test_of_a_platform_admin(server: Server, operator: Operator) -> None:
    admin = joined(operator, PLATFORM, "platform_admin")
    forgotten(server, admin.email)
    (letter,) = [one for one in letters(operator, PLATFORM) if one.recipient.address == admin.email]
    assert str(letter.fields["link"]).startswith("https://crm.example.com/admin/choose-password?token=")
    assert choose(server, token_of(letter)).status == 200 and log_in(server, admin.email, NEW).status == 200


def test_the_pages(server: Server, operator: Operator, tenant: Tenant) -> None:
    owner = as_staff(server, operator.staff(tenant.id, "brokerage_owner", "Olga Owner"))
    form = owner.read("/admin/users/new").form("/admin/users/new")
    email = f"p.{tenant.slug}@example.com"
    made = owner.follow(owner.send(form.action, form.filled(name="Pia <b>", email=email, role="broker", language="es")))
    assert made.said("p", role="status") == ["The invitation was sent. Its link works once, for seven days."]
    assert "invited" in owner.read("/admin/users").said("span", class_="badge")
    letter = mailed(operator, tenant, "invitation")
    path = f"/admin/choose-password?token={token_of(letter)}"

    # A program that scans mails follows every link, more than once, in every way.
    before = operator.head(tenant)
    scanner = Reader(server)
    for method in ("HEAD", "GET", "GET", "HEAD"):
        assert scanner.ask(method, path).status == 200
    assert (operator.head(tenant), scanner.cookies) == (before, {})

    pia = Reader(server)
    choice = pia.read(path).form("/admin/choose-password")
    assert choice["username"] == email
    for new, again, said in ((NEW, NEW + "s", "do not match"), ("password1234", "password1234", "too easy to guess")):
        refused = page(pia.send(choice.action, choice.filled(new=new, again=again)), 400)
        assert said in refused.problem and refused.form(choice.action)["token"] == choice["token"]
    assert led_to(pia.send(choice.action, choice.filled(new=NEW, again=NEW))) == "/admin"
    assert "Pia <b>" in pia.read("/admin").said("span")
    assert page(Reader(server).get(path), 404).said("h1") == ["This link does not work"]
    assert "active" in owner.read("/admin/users").said("span", class_="badge")

    lost = Reader(server)
    assert "/admin/forgotten" in lost.read("/admin/login").links
    ask = lost.read("/admin/forgotten").form("/admin/forgotten")
    for one in (email, "a@b.example"):
        (said,) = page(lost.send(ask.action, ask.filled(email=one)), 200).said("p", role="status")
        assert said == f"If {one} belongs to a user, a mail is on its way. Its link works once, for one hour."
    assert "email" in page(lost.send(ask.action, ask.filled(email="nobody")), 400).problem
    reset = token_of(mailed(operator, tenant, "password_reset"))
    anew = lost.read(f"/admin/choose-password?token={reset}").form("/admin/choose-password")
    assert led_to(lost.send(anew.action, anew.filled(new=PASSWORD, again=PASSWORD))) == "/admin"
    assert pia.get("/admin").status == 303, "the other session has ended"
    assert reset not in server.logged()
