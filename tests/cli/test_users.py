"""``aureum user``: the staff is listed, shut out and given passwords by the operator of the machine."""

from typing import Any
from uuid import uuid4

import pytest

from aureum.commands.passwords import matches
from aureum.store.event_store import EventStore
from tests.cli.conftest import Terminal

PASSWORD = "apples fall in autumn"
HASH = "SELECT password_hash FROM users WHERE number = %(number)s"


def created(terminal: Terminal, slug: str | None, role: str, *more: str, stdin: str = "") -> tuple[str, dict[str, Any]]:
    """The address of a new user, and what the command said."""
    email = f"u{uuid4().hex}@example.com"
    of = () if slug is None else ("--brokerage", slug)
    arguments = ("user", "create", *of, "--email", email, "--name", "Ann Agent", "--role", role, *more)
    return email, terminal.json(*arguments, stdin=stdin)


def fits(terminal: Terminal, number: int, password: str) -> bool:
    async def work(store: EventStore) -> Any:
        ((found,),) = await store.database.rows(HASH, {"number": number})
        return found

    from pydantic import SecretStr

    found = terminal.in_store(work)
    return found is not None and matches(found, SecretStr(password))


def test_the_staff_is_listed(terminal: Terminal) -> None:
    slug, other = terminal.brokerage(), terminal.brokerage()
    owner, first = created(terminal, slug, "brokerage_owner", "--password-stdin", stdin=f"{PASSWORD}\n")
    agent, second = created(terminal, slug, "agent")
    admin, third = created(terminal, None, "platform_admin")

    listed = terminal.json("user", "list", "--brokerage", slug)

    def row(made: dict[str, Any], email: str, role: str, brokerage: str | None, has_password: bool) -> dict[str, Any]:
        about = {"email": email, "name": "Ann Agent", "role": role, "brokerage": brokerage}
        return about | {"number": made["number"], "id": made["id"], "hasPassword": has_password, "disabled": False}

    expected = [row(first, owner, "brokerage_owner", slug, True), row(second, agent, "agent", slug, False)]
    assert sorted(listed, key=lambda one: one["number"]) == expected
    assert terminal.json("user", "list", "--brokerage", other) == []
    assert row(third, admin, "platform_admin", None, False) in terminal.json("user", "list")
    assert owner in terminal.run("user", "list", "--brokerage", slug).out
    assert "PASSWORD" not in terminal.run("user", "list").out and "argon2" not in terminal.run("user", "list").out


def test_a_password_is_set(terminal: Terminal) -> None:
    slug = terminal.brokerage()
    email, made = created(terminal, slug, "agent")
    for more in ((), ("--brokerage", slug)):
        spelled = f" {email.upper()} "
        said = terminal.json("user", "set-password", "--email", spelled, *more, "--password-stdin", stdin=PASSWORD)
        assert said == {"id": made["id"], "number": made["number"]}
    assert fits(terminal, made["number"], PASSWORD)


@pytest.mark.parametrize("password", ["short", "password1234", "aaaaaaaaaaaa", "Ann Agent 12", "aureumaureum"])
def test_one_that_is_guessed_soon_is_refused(terminal: Terminal, password: str) -> None:
    slug = terminal.brokerage()
    email, made = created(terminal, slug, "agent")
    ended = terminal.run("user", "set-password", "--email", email, "--password-stdin", stdin=password)
    assert ended.code == 1 and "password" in ended.err and password not in ended.err
    assert not fits(terminal, made["number"], password)
    arguments = ("user", "create", "--email", f"x{email}", "--name", "Ann Agent", "--role", "agent", "--password-stdin")
    assert terminal.run(*arguments, stdin=password).code == 1


def test_a_user_is_disabled_but_not_the_only_owner(terminal: Terminal) -> None:
    slug = terminal.brokerage()
    owner, _ = created(terminal, slug, "brokerage_owner", "--password-stdin", stdin=PASSWORD)
    without, _ = created(terminal, slug, "brokerage_owner")
    agent, made = created(terminal, slug, "agent")

    for _ in range(2):
        said = terminal.json("user", "disable", "--email", agent, "--brokerage", slug)
        assert said == {"id": made["id"], "number": made["number"], "disabled": True}
    # The other owner cannot log in.
    ended = terminal.run("user", "disable", "--email", owner)
    assert (ended.code, ended.err) == (1, "A brokerage needs an owner. Make another user an owner first.\n")
    assert terminal.json("user", "disable", "--email", without)["disabled"] is True
    assert [one["disabled"] for one in terminal.json("user", "list", "--brokerage", slug) if one["email"] == owner] == [
        False
    ]


def test_who_is_not_there(terminal: Terminal) -> None:
    slug, other = terminal.brokerage(), terminal.brokerage()
    email, _ = created(terminal, slug, "agent")
    for arguments in (("--email", "nobody@example.com"), ("--email", email, "--brokerage", other), ("--email", "x")):
        ended = terminal.run("user", "disable", *arguments)
        assert ended.code == 1 and "There is no user with this email address" in ended.err
    ended = terminal.run("user", "set-password", "--email", email, stdin=PASSWORD)
    assert ended.code == 1 and "--password-stdin" in ended.err


def test_a_profile_is_shown_and_changed(terminal: Terminal) -> None:
    slug = terminal.brokerage()
    email, made = created(terminal, slug, "agent", "--specialty", "condos")
    other, _ = created(terminal, slug, "agent")

    def profile(*more: str, of: str = email) -> dict[str, Any]:
        found: dict[str, Any] = terminal.json("user", "profile", "--email", of, "--brokerage", slug, *more)
        return found

    empty = profile()
    assert empty == {
        "number": made["number"],
        "name": "Ann Agent",
        "bio": None,
        "specialties": ["condos"],
        "areas": [],
        "languages": [],
        "price_min": None,
        "price_max": None,
        "takes_leads": True,
        "daily_cap": None,
        "hours": None,
        "away_from": None,
        "away_to": None,
        "primary": False,
    }
    changed = profile(
        *("--bio", "Ann sells condos.", "--area", "Boise", "--area", "Kuna", "--language", "EN"),
        *("--price-min", "250000.50", "--price-max", "900000.00", "--daily-cap", "7", "--no-takes-leads", "--primary"),
        *("--hours", "tue 09:00-12:00", "--hours", "mon 08:30-17:00", "--away-from", "2026-12-24"),
    )
    assert changed == empty | {
        "bio": "Ann sells condos.",
        "areas": ["Boise", "Kuna"],
        "languages": ["en"],
        "price_min": "250000.5",
        "price_max": "900000",
        "daily_cap": 7,
        "takes_leads": False,
        "primary": True,
        "hours": {"mon": ["08:30", "17:00"], "tue": ["09:00", "12:00"]},
        "away_from": "2026-12-24T07:00:00.000Z",
    }
    assert profile() == changed
    assert "mon 08:30-17:00" in terminal.run("user", "profile", "--email", email).out
    assert profile("--primary", of=other)["primary"] and not profile()["primary"]
    cleared = ("--bio", "", "--area", "", "--language", "", "--price-min", "", "--price-max", "", "--daily-cap", "")
    back = profile(*cleared, "--hours", "none", "--away-from", "", "--takes-leads")
    assert back == empty
    for wrong in (
        ("--language", "Spanish"),
        ("--price-min", "cheap"),
        ("--daily-cap", "many"),
        ("--hours", "monday"),
        ("--away-to", "soon"),
        ("--price-min", "5", "--price-max", "4"),
    ):
        refused = terminal.run("user", "profile", "--email", email, *wrong, "--json")
        assert refused.code == 1 and "error" in refused.out, wrong
    assert profile() == empty
