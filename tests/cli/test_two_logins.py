"""Two logins: the one that answers requests owns nothing, and the owner's is for the worker and the command line."""

import json
from collections.abc import Iterator

import psycopg
import pytest

from aureum.cli.installation import OWNER_ALONE
from aureum.cli.logins import BOTH_OWN, NOT_OWNER, ONE_LOGIN, OWNS_NOTHING
from aureum.cli.serve import served
from tests.cli.conftest import Terminal
from tests.conftest import fresh_database
from tests.e2e.system import Running, eventually, system
from tests.e2e.test_story import FORM, inbox
from tests.logins import LOGIN, login_that_owns_nothing, login_without_rights

HOST = "www.example.com"

OPEN = ("brokerage", "create", "--name", "B", "--slug", "b", "--domain", HOST, "--plan", "elite")

SESSIONS = "SELECT DISTINCT usename::text FROM pg_stat_activity WHERE datname = current_database()"


@pytest.fixture
def owner_url(server_url: str, template: str) -> Iterator[str]:
    """A database in which the login has no rights yet."""
    with fresh_database(server_url, template) as url:
        yield url


def use(terminal: Terminal, url: str | None, owner: str | None = None) -> None:
    """Type the next commands with these URLs in the environment."""
    for name, value in (("AUREUM_DATABASE_URL", url), ("AUREUM_OWNER_DATABASE_URL", owner)):
        if value is None:
            terminal.monkeypatch.delenv(name, raising=False)
        else:
            terminal.monkeypatch.setenv(name, value)


def warnings_of_serving(terminal: Terminal, *, sweeps: bool) -> list[dict[str, str]]:
    """What the server says about its logins when it starts."""
    terminal.capsys.readouterr()
    with served(sweeps=sweeps):
        lines = [json.loads(line) for line in terminal.capsys.readouterr().err.splitlines()]
    return [line for line in lines if line["event"] == "login_owns_tables"]


def lead_came(running: Running) -> None:
    answer = running.ask("POST", "/api/contact", FORM, host=HOST)
    assert answer.status == 200, answer.body


def test_requests_are_answered_by_the_login_that_owns_nothing(terminal: Terminal, owner_url: str) -> None:
    login = login_without_rights(owner_url)
    use(terminal, login)
    early = terminal.run("serve", "--no-worker", "--port", "0")
    assert early.code == 1 and "rights must run first. Run: aureum migrate" in early.err, early
    use(terminal, login, owner_url)
    for command in ("worker", "demo"):
        early = terminal.run(command)
        assert early.code == 1 and "rights must run first. Run: aureum migrate" in early.err, early
    assert (terminal.json("migrate"), terminal.json("migrate")) == ({"ran": ["rights"]}, {"ran": []})

    use(terminal, login)
    for arguments in (("serve", "--port", "0"), ("worker",), ("demo",), ("doctor",)):
        refused = terminal.run(*arguments)
        assert refused.code == 1 and OWNS_NOTHING in refused.out + refused.err, refused
    assert warnings_of_serving(terminal, sweeps=False) == []

    use(terminal, login, owner_url)
    terminal.json(*OPEN)
    with (
        inbox() as consumer,
        psycopg.connect(owner_url, autocommit=True) as connection,
        system(login, AUREUM_OWNER_DATABASE_URL=owner_url, AUREUM_WEBHOOK_ALLOW_NETWORKS="127.0.0.0/8") as home,
    ):
        terminal.monkeypatch.setenv("AUREUM_WEBHOOK_ALLOW_NETWORKS", "127.0.0.0/8")
        terminal.json("webhook", "create", "--brokerage", "b", "--url", consumer.url, "--event", "lead.created")
        running = home.serve()
        lead_came(running)
        eventually(lambda: consumer.received)
        owner = connection.info.user
        assert {name for (name,) in connection.execute(SESSIONS)} == {LOGIN, owner}
        assert running.stop() == 0
        wrong = [line for line in running.logged() if line["level"] == "error" or line["event"] == "login_owns_tables"]
        assert wrong == []

    assert terminal.json("audit", "verify")["ok"] is True
    state = terminal.run("doctor", "--json").json["state"]["login"]
    assert (state["name"], state["requests"]) == (owner, {"name": LOGIN, "owns": False})


def test_one_login_does_everything_with_a_warning(terminal: Terminal) -> None:
    (warning,) = warnings_of_serving(terminal, sweeps=True)
    assert (warning["level"], warning["reason"]) == ("warning", ONE_LOGIN)
    use(terminal, terminal.url, terminal.url)
    (found,) = [one for one in terminal.run("doctor", "--json").json["findings"] if one["check"] == "login"]
    assert (found["wrong"], found["text"]) == (True, BOTH_OWN)


def test_the_owners_login_must_own_the_tables(terminal: Terminal) -> None:
    login = login_that_owns_nothing(terminal.url)
    for url, owner, sentence in ((login, login, NOT_OWNER), (None, terminal.url, OWNER_ALONE)):
        use(terminal, url, owner)
        refused = terminal.run("worker")
        assert refused.code == 1 and sentence in refused.err, refused
