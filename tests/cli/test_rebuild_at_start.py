"""Rebuilds by the command line: several brokerages at a time, and what an older version has made before serving."""

import psycopg
import pytest

from aureum.cli.installation import installation
from aureum.cli.output import Refused
from tests.cli.conftest import Terminal

OLDER = "UPDATE heads h SET lead_list_step = 0 FROM brokerages b WHERE b.tenant_id = h.tenant_id AND b.slug = %s"
OLD_ONES = "SELECT count(*) FROM heads WHERE lead_list_step = 0"


def test_several_brokerages_at_a_time(terminal: Terminal) -> None:
    for slug in (terminal.brokerage(), terminal.brokerage(), terminal.brokerage()):
        terminal.capture(slug)
    made = terminal.json("projections", "rebuild", "lead_list", "lead_counts", "--parallel", "2")
    slugs = [one["slug"] for one in terminal.json("brokerage", "list")]
    assert sorted({one["brokerage"] for one in made}) == sorted(slugs) and len(made) == 2 * len(slugs)
    assert terminal.run("projections", "rebuild", "--parallel", "9").code == 2
    assert terminal.run("projections", "rebuild", "--parallel", "0").code == 2


def test_what_an_older_version_has_made_is_rebuilt_at_the_start_if_the_settings_say_so(terminal: Terminal) -> None:
    slug = terminal.brokerage()
    terminal.capture(slug)
    with psycopg.connect(terminal.url, autocommit=True) as connection:
        connection.execute(OLDER, [slug])
        with pytest.raises(Refused, match="the rebuild of lead_list must run first"), installation(rebuilding=True):
            pass
        terminal.monkeypatch.setenv("AUREUM_REBUILD_AT_START", "true")
        with pytest.raises(Refused, match="the rebuild of lead_list must run first"), installation():
            pass
        with installation(rebuilding=True):
            assert connection.execute(OLD_ONES).fetchall() == [(0,)]
    assert len(terminal.json("audit", "list", "leads", "--brokerage", slug)) == 1
