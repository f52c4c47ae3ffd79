"""Several processes use one server: they start it, join it, and the last to leave stops it."""

import os
from pathlib import Path

import psycopg
import pytest

from aureum.store.postgres.embedded import start, throwaway
from tests.store.postgres.embedded.process import Process, query, runs, server_pid, started_at


def test_a_fresh_start(new_dir: Path) -> None:
    expected = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "max_connections": "100",
        "shared_buffers": "128MB",
        "TimeZone": "UTC",
        "server_encoding": "UTF8",
        "listen_addresses": "",
    }
    with start(new_dir) as server:
        assert {name: query(server.url, f"SELECT current_setting('{name}')") for name in expected} == expected
        assert query(server.url, "SELECT current_database() || ' of ' || current_user") == "aureum of aureum"
        assert query(server.url, "SELECT lower('ÉGÜ')") == "égü"
        assert not query(server.url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        # Migrations make a role, tests make databases; neither needs more.
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE ROLE service NOLOGIN")
            connection.execute("CREATE DATABASE another")
    assert not runs(new_dir)


def test_a_throwaway_server_leaves_nothing() -> None:
    with throwaway() as server:
        assert query(server.url, "SELECT 1") == 1
        directory = Path(psycopg.conninfo.conninfo_to_dict(server.url)["host"] or "")  # type: ignore[arg-type]
        assert (directory / "PG_VERSION").exists()
    assert not directory.parent.exists()


def test_ctrl_c_in_a_terminal_does_not_reach_the_server(data_dir: Path) -> None:
    with start(data_dir):
        assert os.getsid(server_pid(data_dir)) != os.getsid(0)


def test_the_log_holds_no_personal_data(data_dir: Path) -> None:
    with start(data_dir) as server, psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE people (email text PRIMARY KEY)")
        connection.execute("INSERT INTO people VALUES ('jane@example.com')")
        with pytest.raises(psycopg.errors.UniqueViolation, match=r"jane@example\.com"):
            connection.execute("INSERT INTO people VALUES ('jane@example.com')")
    log = (data_dir / "postgres.log").read_text()
    assert "ready to accept connections" in log
    assert "jane" not in log


def test_a_second_process_joins_and_outlives_the_first(data_dir: Path) -> None:
    with Process(data_dir) as first, Process(data_dir) as second:
        assert first.url == second.url
        since = started_at(first.url)
        first.leave()
        assert started_at(second.url) == since
        with psycopg.connect(second.url) as connection:  # merely connected: not counted, and told
            second.leave()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
    assert not runs(data_dir)


def test_users_within_one_process_count_too(data_dir: Path) -> None:
    first = start(data_dir)
    with start(data_dir) as second:
        first.close()
        first.close()
        assert query(second.url, "SELECT 1") == 1
    assert not runs(data_dir)


def test_processes_that_come_at_once_share_one_server(new_dir: Path) -> None:
    processes = [Process(new_dir, wait=False) for _ in range(4)]
    for process in processes:
        process.listen()
    assert len({started_at(process.url) for process in processes}) == 1
    # They also leave at once: none is stopped by another's leaving, and nothing stays behind.
    for process in processes:
        assert process.popen.stdin is not None
        process.popen.stdin.close()
    for process in processes:
        process.popen.stdin = None
        process.leave()
    assert not runs(new_dir)


def test_comings_and_goings_never_take_the_server_from_anybody(data_dir: Path) -> None:
    processes = [Process(data_dir)]
    for _ in range(5):
        processes.append(Process(data_dir, wait=False))
        processes.pop(0).leave()  # while the next one comes
        processes[0].listen()
        assert query(processes[0].url, "SELECT 1") == 1
    processes.pop().leave()
    assert not runs(data_dir)
