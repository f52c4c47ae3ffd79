"""The second step of a login: set up, needed, never taken twice, lost and removed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from pyotp import TOTP

from aureum.domain.totp import SECONDS, new_secret, step_of
from tests.http.api.staff.logins import PASSWORD, joined, token
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, led_to, page
from tests.http.serving import Answer, Server

SETUP = "/api/me/totp"
LOGIN = "/api/v1/auth/login"


@pytest.fixture(autouse=True)
def forgiven(operator: Operator) -> None:
    operator.rows("DELETE FROM login_failures")


def log_in(server: Server, email: str, code: str | None = None, password: str = PASSWORD) -> Answer:
    return server.ask("POST", LOGIN, {"email": email, "password": password} | ({} if code is None else {"totp": code}))


def later(secret: str, steps: int = 1) -> str:
    """The code of a later half minute, which is taken already: clocks differ."""
    return TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=SECONDS * steps))


def test_which_codes_are_taken() -> None:
    secret, at = new_secret(), datetime(2026, 11, 30, 9, 0, 10, tzinfo=UTC)
    present = int(at.timestamp()) // SECONDS
    for away, found in ((-2, None), (-1, present - 1), (0, present), (1, present + 1), (2, None)):
        code = TOTP(secret).at(at + timedelta(seconds=SECONDS * away))
        assert step_of(secret, code, at) == found
    assert step_of(secret, "", at) is None and step_of(secret, "12345a", at) is None


def test_set_up_needed_and_taken_once(server: Server, proxied: Server, operator: Operator, tenant: Tenant) -> None:
    user = joined(operator, tenant.id)
    bearer, secret = token(server, user), new_secret()
    code = TOTP(secret).now()
    for body, why in (
        ({"secret": secret, "code": "000000" if code != "000000" else "000001", "current": PASSWORD}, "code"),
        ({"secret": "short", "code": code, "current": PASSWORD}, "secret"),
        ({"secret": secret, "code": code, "current": "wrong horse battery"}, "current"),
    ):
        refused = server.ask("POST", SETUP, body, bearer)
        assert refused.status == 400 and why in refused.json["fields"], refused.body
    operator.rows("DELETE FROM login_failures")

    codes = server.ask("POST", SETUP, {"secret": secret, "code": code, "current": PASSWORD}, bearer).json[
        "recoveryCodes"
    ]

    assert len(set(codes)) == 10 and server.ask("GET", "/api/me", headers=bearer).json["totp"] is True
    needed = log_in(server, user.email)
    assert (needed.status, needed.code) == (401, "totp_required")
    assert log_in(server, user.email, password="wrong horse").code == "login_failed", "the password comes first"
    operator.rows("DELETE FROM login_failures")
    one = later(secret)
    with ThreadPoolExecutor(4) as clients:
        tried = list(clients.map(lambda n: log_in((server, proxied)[n % 2], user.email, one).status, range(4)))
    assert sorted(tried) == [200, 401, 401, 401], "of two logins with one code, one gets in"
    operator.rows("DELETE FROM login_failures")
    assert log_in(server, user.email, TOTP(secret).now()).status == 401, "nor one from before it"
    operator.rows("DELETE FROM login_failures")
    first = codes[0].replace("-", " ").upper()
    with ThreadPoolExecutor(4) as clients:
        tried = list(clients.map(lambda n: log_in((server, proxied)[n % 2], user.email, first).status, range(4)))
    assert sorted(tried) == [200, 401, 401, 401], "a recovery code works once"
    assert secret not in server.logged() and codes[1] not in server.logged()
    ((data,),) = operator.rows(
        "SELECT string_agg(encode(data, 'escape'), '') FROM events WHERE type = 'user.totp_enabled'"
    )
    assert secret not in data, "it is sealed"
    # Guesses are few.
    operator.rows("DELETE FROM login_failures")
    guesses = [log_in(server, user.email, f"00000{number}").status for number in range(7)]
    assert guesses[:5] == [401] * 5 and guesses[5:] == [429] * 2


def test_turned_off_by_the_user_and_by_the_owner(server: Server, operator: Operator, tenant: Tenant) -> None:
    user, owner = joined(operator, tenant.id), operator.staff(tenant.id, "brokerage_owner")
    bearer = token(server, user)
    for turn_off in (True, False):
        secret = new_secret()
        setup = {"secret": secret, "code": TOTP(secret).now(), "current": PASSWORD}
        assert server.ask("POST", SETUP, setup, bearer).status == 200
        assert log_in(server, user.email).code == "totp_required"
        if turn_off:
            assert server.ask("POST", SETUP + "/disable", {"current": "wrong horse"}, bearer).status == 400
            assert server.ask("POST", SETUP + "/disable", {"current": PASSWORD}, bearer).status == 200
        else:
            path = f"/api/v1/admin/users/{user.number}/reset-totp"
            assert server.ask("POST", path, None, owner.bearer).json["totp"] is False
        operator.rows("DELETE FROM login_failures")
        assert log_in(server, user.email).status == 200


def test_the_pages(server: Server, operator: Operator, tenant: Tenant) -> None:
    user, reader = joined(operator, tenant.id), Reader(server)
    assert led_to(reader.send("/admin/login", {"email": user.email, "password": PASSWORD})) == "/admin"
    here = "/admin/account/two-step"
    form = reader.read(here).form(here)
    wrong = reader.send(here, form.filled(code="12", current=PASSWORD))
    assert page(wrong, 400).problem.startswith("The code is not the one")
    assert page(wrong, 400).form(here)["secret"] == form["secret"], "the app may have it by now"
    code = TOTP(form["secret"]).now()
    shown = page(reader.send(here, form.filled(code=code, current=PASSWORD)), 201)
    (codes,) = shown.said("pre", class_="secret")
    assert len(codes.split()) == 10
    assert "Two-step login is on" in reader.read(here).said("h2")

    other = Reader(server)
    asked = other.send("/admin/login", {"email": user.email, "password": PASSWORD, "next": "/admin/leads"})
    step = page(asked, 200).form("/admin/login/code")
    assert PASSWORD.encode() not in asked.body and other.cookies == {}
    again = other.send(step.action, step.filled(code="000000"))
    step = page(again, 401).form("/admin/login/code")
    assert "The code is wrong" in page(again, 401).problem
    assert "within five minutes" in page(other.send(step.action, step.filled(step="x", code="1")), 400).problem
    assert led_to(other.send(step.action, step.filled(code=codes.split()[0]))) == "/admin/leads"

    owner = as_staff(server, operator.staff(tenant.id, "brokerage_owner"))
    path = f"/admin/users/{user.number}"
    assert f"{path}/reset-totp" in {form.action for form in owner.read(path).forms}
    off = reader.read(here).form(f"{here}/off")
    done = reader.follow(reader.send(off.action, off.filled(current=PASSWORD)))
    assert done.said("p", role="status") == ["Two-step login is off. You log in with your password alone."]
