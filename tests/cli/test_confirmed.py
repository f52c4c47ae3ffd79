"""What cannot be undone is asked before, or confirmed with ``--yes``; otherwise nothing changes."""

from collections.abc import Callable

import pytest

from tests.cli.conftest import Terminal
from tests.cli.test_people import in_a_terminal

Case = tuple[tuple[str, ...], Callable[[], object]]


@pytest.fixture(params=["api-key revoke", "webhook remove", "webhook rotate-secret"])
def case(request: pytest.FixtureRequest, terminal: Terminal) -> Case:
    """A command that cannot be undone, and what it would change."""
    slug = terminal.brokerage()
    of = ("--brokerage", slug)
    if request.param == "api-key revoke":
        made = terminal.json("api-key", "create", *of, "--name", "K")
        return ("api-key", "revoke", made["id"], *of), lambda: terminal.json("api-key", "list", *of)
    made = terminal.json("webhook", "create", *of, "--url", "https://example.com", "--event", "lead.created")
    if request.param == "webhook remove":
        return ("webhook", "remove", made["id"], *of), lambda: terminal.json("webhook", "list", *of)
    command = ("webhook", "rotate-secret", made["id"], *of, "--overlap-hours", "0")
    return command, lambda: terminal.json("webhook", "list", *of)[0]["updatedAt"]


def test_a_script_has_to_say_yes(terminal: Terminal, case: Case) -> None:
    command, state = case
    before = state()
    for stdin in ("", "y\n"):
        plain, as_json = terminal.run(*command, stdin=stdin), terminal.run(*command, "--json", stdin=stdin)
        assert (plain.code, plain.out) == (2, "")
        assert plain.err.endswith(" This cannot be undone. Confirm with --yes.\n") and plain.err.count("\n") == 1
        assert (as_json.code, as_json.json) == (2, {"error": plain.err.rstrip("\n")})
    assert state() == before
    assert terminal.run(*command, "--yes").code == 0
    assert state() != before


def test_a_person_is_asked(terminal: Terminal, case: Case) -> None:
    command, state = case
    before = state()
    for answer in ("\n", "\x04") if command[0] == "api-key" else ("n\n",):
        said = in_a_terminal(80, *command, answer=answer, code=1)
        assert "This cannot be undone." in said and "[y/N]" in said and "Nothing was changed." in said
    assert state() == before
    assert "[y/N]" in in_a_terminal(80, *command, answer="y\n")
    assert state() != before


def test_what_can_be_undone_is_not_asked(terminal: Terminal) -> None:
    slug = terminal.brokerage()
    made = terminal.json("webhook", "create", "--brokerage", slug, "--url", "https://example.com", "--event", "lead.*")
    for command in ("disable", "enable", "rotate-secret"):
        assert terminal.run("webhook", command, made["id"], "--brokerage", slug).code == 0
    for command in ("disable", "enable"):
        assert terminal.run("brokerage", command, slug).code == 0
