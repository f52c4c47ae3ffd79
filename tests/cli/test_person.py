"""``aureum person``: a person is exported and erased, once and for all."""

import json
from pathlib import Path
from shutil import rmtree
from uuid import UUID

import pytest

from aureum.cli.installation import tenant_of
from aureum.domain import ids
from aureum.store.event_store import EventStore
from tests.cli.conftest import Terminal
from tests.mail.queued import queue_mails

MAILS = "SELECT mail_id FROM mails WHERE tenant_id = %(tenant)s"


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
    assert (again.code, "is there already. Name a new file." in again.err) == (1, True)
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


def test_a_mail_that_cannot_be_removed_is_named_and_removed_the_next_time(terminal: Terminal, tmp_path: Path) -> None:
    slug = terminal.brokerage()
    lead = terminal.capture(slug, email="zora@example.com")
    named = ("person", "erase", "--brokerage", slug, "--email", "zora@example.com", "--yes")

    async def queued(store: EventStore) -> list[UUID]:
        tenant_id = await tenant_of(store.database, slug)
        await queue_mails(store, tenant_id, ["zora@example.com"], subject_id=lead.id)
        return [mail_id for (mail_id,) in await store.database.rows(MAILS, {"tenant": tenant_id})]

    (mail_id,) = terminal.in_store(queued)
    blocked = tmp_path / "unused" / "mail" / f"{ids.to_wire(mail_id)}.eml"
    blocked.mkdir(parents=True)
    refused = terminal.run(*named)
    assert (refused.code, f"{blocked} is a mail about the person" in refused.err) == (1, True), refused
    blocked.rmdir()
    again = terminal.json(*named)
    assert (again["erased"], [one["what"] for one in again["kept"]]) == (1, ["history", "backups"])
    assert terminal.json(*named) == {"erased": 0, "kept": []}
    rmtree(tmp_path / "unused")


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
