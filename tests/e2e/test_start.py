"""A start of ``aureum serve`` takes as long with ten million events as with ten: it reads none of them."""

import psycopg

from aureum.registry import VERSIONED
from tests.e2e.system import eventually, system

# What an index serves is found by it also in small tables then, so that a scan is one at any size.
NO_SCANS = "ALTER DATABASE {name} SET enable_seqscan = off"
SESSIONS = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
READ = "SELECT relname, seq_scan, idx_scan FROM pg_stat_user_tables WHERE relname IN ('events', 'heads')"


def reads(url: str) -> dict[str, tuple[int, int]]:
    """How often each table was read as a whole, and by an index, once all sessions have ended and have told."""
    with psycopg.connect(url, autocommit=True) as connection:
        eventually(lambda: connection.execute(SESSIONS).fetchone() == (0,))
        return {name: (whole, by_index) for name, whole, by_index in connection.execute(READ).fetchall()}


def test_no_event_is_looked_for(database_url: str) -> None:
    with system(database_url) as home:
        home.json("brokerage", "create", "--name", "B", "--slug", "b", "--plan", "elite")
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(NO_SCANS.format(name=connection.info.dbname).encode())
        before = reads(database_url)
        assert home.serve("--no-worker").stop() == 0
        alone = reads(database_url)
        assert home.serve().stop() == 0
        with_worker = reads(database_url)
    assert alone["events"] == before["events"], "a start asks for no event"
    # Rows of an older step are looked for by read model, those of newer ones together.
    assert alone["heads"][0] - before["heads"][0] <= len(VERSIONED) + 2
    assert with_worker["events"][0] == before["events"][0], "the worker read the table of events as a whole"
