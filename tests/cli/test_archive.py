"""``aureum archive``: what it says, refuses and leaves alone."""

import psycopg
import pytest

from aureum.domain import ids
from tests.cli.conftest import Terminal

NEWEST = "SELECT max(recorded_at) + interval '1 millisecond' FROM events"


def moment(terminal: Terminal) -> str:
    """One by which everything was recorded, and which has passed."""
    with psycopg.connect(terminal.url) as connection:
        row = connection.execute(NEWEST).fetchone()
    assert row is not None
    while ids.now() <= row[0]:
        pass
    return ids.aureum_time(row[0])


def test_old_events_are_archived_and_read_as_before(terminal: Terminal) -> None:
    slug, other = terminal.brokerage(), terminal.brokerage()
    lead, *_ = (terminal.capture(slug, email=f"{n}@example.com") for n in range(3))
    before = terminal.json("audit", "lead", str(lead.number))
    old = terminal.json("archive", "--brokerage", slug, "--until", "2020-01-01")
    assert (old["events"], old["brokerages"]) == (0, [{"brokerage": slug, "events": 0, "position": 0}])
    until = moment(terminal)
    later = terminal.capture(slug, email="later@example.com")

    would = terminal.json("archive", "--brokerage", slug, "--until", until, "--dry-run")
    expected = {"until": until, "dryRun": True, "events": 3}
    assert would == expected | {"brokerages": [{"brokerage": slug, "events": 3, "position": 3}]}
    done = terminal.json("archive", "--brokerage", slug, "--until", until)
    assert done == would | {"dryRun": False}
    assert terminal.json("archive", "--brokerage", slug, "--until", until)["events"] == 0

    assert terminal.json("audit", "lead", str(lead.number)) == before
    assert terminal.json("audit", "lead", str(later.number))["state"]["email"] == "later@example.com"
    assert terminal.json("audit", "verify", "--brokerage", slug) == {"ok": True, "events": 4}
    state = terminal.run("doctor", "--json").json["state"]["archive"]
    assert state["events"] == 3 and state["logs"] == 1
    found = terminal.json("archive", "--all", "--until", moment(terminal))
    archived = {one["brokerage"]: one["events"] for one in found["brokerages"]}
    assert archived[slug] == 1 and archived[other] == 0 and archived["platform"] >= 2
    people = terminal.run("archive", "--all", "--until", until)
    assert people.out == "0 events were archived.\n"
    assert terminal.json("audit", "verify")["ok"]

    with psycopg.connect(terminal.url) as connection:
        flip = "UPDATE archived_events SET data = set_byte(data, 5, get_byte(data, 5) # 1) WHERE stream_id = %s"
        connection.execute(flip, [lead.id])
    broken = terminal.run("audit", "verify", "--brokerage", slug)
    assert broken.code == 1 and "(in the archive of positions 1 to 3)" in broken.out


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (("--until", "2020-01-01"), 2, "Choose one of --brokerage and --all."),
        (("--until", "2020-01-01", "--all", "--brokerage", "b"), 2, "Choose one of --brokerage and --all."),
        (("--all",), 2, "Missing option '--until'"),
        (("--all", "--until", "yesterday"), 1, "until must be a time such as"),
        (("--all", "--until", "2999-01-01"), 1, "--until must be in the past."),
        (("--until", "2020-01-01", "--brokerage", "nobody"), 1, "There is no brokerage with the slug 'nobody'."),
    ],
)
def test_what_it_refuses(terminal: Terminal, arguments: tuple[str, ...], code: int, why: str) -> None:
    ended = terminal.run("archive", *arguments)
    assert ended.code == code and why in ended.err
