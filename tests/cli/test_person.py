"""``aureum person``: a person is exported and erased, once and for all."""

import json
from pathlib import Path

import pytest

from aureum.domain import ids
from tests.cli.conftest import Terminal


def test_a_person_is_exported_and_then_erased(terminal: Terminal, tmp_path: Path) -> None:
    slug = terminal.brokerage()
    lead = terminal.capture(slug, email="Zora@example.com", message="Keep it <quiet>", notes="Prefers Tuesdays")
    terminal.capture(slug, email="other@example.com")
    named = ("--brokerage", slug, "--email", " zora@EXAMPLE.com")

    file = tmp_path / "zora.json"
    assert terminal.json("person", "export", *named, "--file", str(file)) == {"file": str(file), "records": 1}
    assert file.stat().st_mode & 0o777 == 0o600
    document = json.loads(file.read_text())
    (record,) = document["records"]
    assert (record["type"], record["data"]["message"]) == ("lead", "Keep it <quiet>")
    assert record["history"][0]["changes"]["notes"] == {"from": None, "to": "Prefers Tuesdays"}
    again = terminal.run("person", "export", *named, "--file", str(file))
    assert (again.code, "exists already" in again.err) == (1, True)
    page = tmp_path / "zora.html"
    terminal.json("person", "export", *named, "--file", str(page))
    assert "Keep it &lt;quiet&gt;" in page.read_text() and page.stat().st_mode & 0o777 == 0o600

    unconfirmed = terminal.run("person", "erase", *named)
    assert (unconfirmed.code, "1 lead would be erased" in unconfirmed.err) == (2, True), unconfirmed
    erased = terminal.json("person", "erase", *named, "--yes")
    assert (erased["erased"], [one["what"] for one in erased["kept"]]) == (1, ["history", "backups"])
    assert terminal.json("person", "erase", *named, "--yes") == {"erased": 0, "kept": []}
    # By the lead the answer is the same again.
    for name in (ids.to_wire(lead.id), str(lead.number)):
        assert terminal.json("person", "erase", "--brokerage", slug, "--lead", name, "--yes") == erased
    shown = terminal.json("audit", "lead", ids.to_wire(lead.id))
    assert (shown["state"]["erased"], shown["state"]["firstName"]) == (True, "[erased]")
    assert shown["events"][-1]["type"] == "lead.erased"
    assert terminal.json("audit", "verify", "--brokerage", slug)["ok"]
    compared = terminal.json("projections", "rebuild", "--verify", "--brokerage", slug)
    assert {one["differences"] for one in compared} == {0}
    assert terminal.json("person", "export", *named)["records"] == []


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ((), "exactly one of --email, --lead and --contact"),
        (("--email", "a@example.com", "--lead", "1"), "exactly one of --email, --lead and --contact"),
        (("--lead", "999999999"), "There is no such lead or contact."),
        (("--lead", "no-id"), "There is no lead 'no-id'"),
        (("--contact", "c" + "0" * 25), "There is no such lead or contact."),
    ],
)
def test_what_names_no_person_is_refused(terminal: Terminal, options: tuple[str, ...], refusal: str) -> None:
    slug = terminal.brokerage()
    ended = terminal.run("person", "erase", "--brokerage", slug, *options, "--yes")
    assert (ended.code, refusal in ended.err) == (1, True), ended
