"""The server, its starter, or both are killed: the next start has the data."""

import os
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from aureum.store.postgres import embedded_cluster
from aureum.store.postgres.embedded import StillStarting, start
from tests.store.postgres.embedded.process import (
    AS_ROOT,
    Process,
    await_true,
    kill_server,
    note,
    query,
    runs,
    server_pid,
    started_at,
    write_note,
)


def test_after_kill_9_of_the_server_the_next_start_has_the_data(data_dir: Path) -> None:
    with start(data_dir) as server:
        write_note(server.url)
        with psycopg.connect(server.url) as connection:
            kill_server(data_dir)
            with Process(data_dir) as process:  # at once, while the killed server's other processes still end
                assert note(process.url) == "kept"
                process.leave()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        assert note(server.url) == "kept"  # the one who was there from the beginning was not forgotten
    assert not runs(data_dir)


def test_after_kill_9_of_the_server_its_user_may_leave_or_start_again(data_dir: Path) -> None:
    for _ in range(10):  # leaving meets the killed server's other processes more often than not
        with start(data_dir) as server, ExitStack() as connections:
            for _ in range(8):
                connections.enter_context(psycopg.connect(server.url, autocommit=True))
            kill_server(data_dir)
            server.close()
    with start(data_dir):
        kill_server(data_dir)
        with start(data_dir) as server:
            assert query(server.url, "SELECT 1") == 1
    assert not runs(data_dir)


def test_after_kill_9_of_the_starter_the_server_is_joined_and_then_stopped(data_dir: Path) -> None:
    with Process(data_dir) as starter:
        since = started_at(starter.url)
        starter.kill()
    with start(data_dir) as server:
        assert started_at(server.url) == since
    assert not runs(data_dir)


def test_after_kill_9_while_the_cluster_is_being_made(new_dir: Path) -> None:
    with Process(new_dir, wait=False) as process:
        await_true((new_dir / "postgres.new" / "global").exists)
        process.kill()
    assert runs(
        new_dir
    )  # initdb does not know yet; the next start has to wait for it, or they get into each other's way
    assert not (new_dir / "postgres").exists()
    with start(new_dir) as server:
        assert query(server.url, "SELECT 1") == 1
    assert not (new_dir / "postgres.new").exists()


def test_pid_files_of_a_container_that_is_gone_do_not_matter(data_dir: Path) -> None:
    """There, process ids begin again: a killed server's may now belong to anything, also to the server's own user."""
    with start(data_dir) as server:
        write_note(server.url)
        socket_lock = (data_dir / "postgres" / ".s.PGSQL.5432.lock").read_text()
        pid_file = (data_dir / "postgres" / "postmaster.pid").read_text()
        kill_server(data_dir)
    owner = (data_dir / "postgres").stat().st_uid
    with subprocess.Popen(["sleep", "60"], user=owner if AS_ROOT else None) as innocent:
        try:
            for name, content in (("postmaster.pid", pid_file), (".s.PGSQL.5432.lock", socket_lock)):
                lines = content.splitlines()
                (data_dir / "postgres" / name).write_text("\n".join([str(innocent.pid), *lines[1:]]) + "\n")
                os.chown(data_dir / "postgres" / name, owner, -1)
            with start(data_dir) as server:
                assert note(server.url) == "kept"
            assert innocent.poll() is None
        finally:
            innocent.kill()


def test_a_server_that_needs_time_is_left_at_its_work(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Process(data_dir) as starter:
        since = started_at(starter.url)
        starter.kill()
    pid = server_pid(data_dir)
    os.kill(pid, signal.SIGSTOP)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(embedded_cluster, "PATIENCE", 0.1)
            patch.setattr(embedded_cluster, "ANSWER_TIME", 2)
            with pytest.raises(StillStarting, match=r"(?s)has not answered for 0 s.*start again later") as caught:
                start(data_dir)
            assert str(data_dir) in str(caught.value)
    finally:
        os.kill(pid, signal.SIGCONT)
    with start(data_dir) as server:
        assert started_at(server.url) == since
