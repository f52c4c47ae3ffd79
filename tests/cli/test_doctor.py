"""``aureum doctor``: what needs a decision."""

from tests.cli.conftest import Terminal


def test_nothing_to_decide(terminal: Terminal) -> None:
    slug = terminal.brokerage()
    terminal.json("user", "create", "--brokerage", slug, "--email", "a@example.com", "--name", "A", "--role", "agent")
    assert terminal.json("doctor") == {"ok": True, "findings": []}
    said = terminal.run("doctor")
    assert (said.code, said.out, said.err) == (0, "Nothing was found.\n", "")
