"""``audit verify`` finds what was changed behind the store's back, in any brokerage, and says where."""

from collections.abc import Callable

import psycopg
import pytest

from aureum.domain.lead import Lead
from tests.cli.conftest import Terminal

FLIP = "UPDATE events SET data = set_byte(data, 5, get_byte(data, 5) # 1) WHERE stream_id = %s"
DELETE = "DELETE FROM events WHERE stream_id = %s"


@pytest.mark.parametrize(
    ("tampering", "what"),
    [
        (FLIP, lambda lead: f"the stored bytes at position 2 (stream {lead.id}, version 1) are not those"),
        (DELETE, lambda lead: "position 2 is missing"),
    ],
    ids=["flipped bit", "deleted row"],
)
def test_where_a_log_is_broken(terminal: Terminal, tampering: str, what: Callable[[Lead], str]) -> None:
    slug, other = terminal.brokerage(), terminal.brokerage()
    _, lead, _ = (terminal.capture(slug, email=f"{n}@example.com") for n in range(3))
    with psycopg.connect(terminal.url) as connection:
        connection.execute(tampering, [lead.id])
    ended = terminal.run("audit", "verify", "--brokerage", slug, "--json")
    (broken,) = ended.json["broken"]
    assert (ended.code, ended.json["ok"], ended.err) == (1, False, "")
    assert (broken["brokerage"], broken["position"]) == (slug, 2)
    assert broken["what"].startswith(what(lead))

    everywhere = terminal.run("audit", "verify")
    assert everywhere.code == 1 and f"{slug}: broken at position 2: {what(lead)}" in everywhere.out
    assert f"{other}:" not in everywhere.out
    assert terminal.json("audit", "verify", "--brokerage", other) == {"ok": True, "events": 0}


def test_a_removed_brokerage_is_found_by_its_events(terminal: Terminal) -> None:
    slug = terminal.brokerage()
    lead = terminal.capture(slug)
    with psycopg.connect(terminal.url) as connection:
        row = connection.execute("SELECT tenant_id FROM events WHERE stream_id = %s", [lead.id]).fetchone()
        assert row is not None
        connection.execute("DELETE FROM heads WHERE tenant_id = %s", row)
        connection.execute("DELETE FROM brokerages WHERE tenant_id = %s", row)
    ended = terminal.run("audit", "verify", "--json")
    found = {one["brokerage"]: one["what"] for one in ended.json["broken"]}
    assert ended.code == 1 and found[str(row[0])] == "the tenant has no head"
