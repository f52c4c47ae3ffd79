"""kill -9, of each process in turn: what is left goes on, or ends, and nothing that was answered is lost."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.e2e.system import Running, System, descendants, eventually, kill, lives, system
from tests.e2e.test_story import FORM


@pytest.fixture(scope="module")
def home() -> Iterator[System]:
    with system(AUREUM_FORM_RATE_LIMIT="0") as made:
        temporary = made.directory / "tmp"
        temporary.mkdir()
        made.settings["TMPDIR"] = str(temporary)
        yield made


@pytest.fixture(scope="module")
def running(home: System) -> Running:
    """On an empty data directory, with a brokerage in it."""
    started = home.serve()
    home.json("brokerage", "create", "--name", "B", "--slug", "b", "--domain", "b.example.com", "--plan", "starter")
    return started


def total(running: Running) -> int | None:
    """How many leads there are; None if that cannot be told now."""
    answer = running.ask("GET", "/api/leads/count", host="b.example.com")
    return int(answer.json["total"]) if answer.status == 200 else None


def capture_status(running: Running) -> int:
    """Of a form that is like no other: one that is sent again is the same."""
    return running.ask("POST", "/api/contact", FORM | {"message": uuid4().hex}, host="b.example.com").status


def answered(running: Running) -> bool:
    """Whether a request gets its answer, and not a broken connection or a 503."""
    try:
        return running.ask("GET", "/readyz").status == 200
    except OSError:
        return False


def postmaster(home: System) -> int | None:
    """The embedded server's first process; None while there is none."""
    try:
        text = (Path(home.settings["AUREUM_DATA_DIR"]) / "postgres" / "postmaster.pid").read_text()
    except FileNotFoundError:
        return None
    return int(text.split()[0]) if text else None


def test_a_killed_http_process_or_worker_is_started_again(home: System, running: Running) -> None:
    assert capture_status(running) == 200
    mine = set(running.children()) - {postmaster(home)}
    assert len(mine) == 2
    for pid in mine:
        kill(pid)
    eventually(lambda: len(set(running.children()) - mine) == 3 and answered(running), 30)
    assert total(running) == 1
    assert capture_status(running) == 200


def test_a_killed_database_is_started_again(home: System, running: Running) -> None:
    before = total(running)
    assert before is not None
    killed = postmaster(home)
    assert killed is not None
    kill(killed)
    statuses: set[int] = set()
    deadline = time.monotonic() + 40
    answer = running.ask("GET", "/api/leads/count", host="b.example.com")
    while postmaster(home) in (None, killed) or answer.status != 200:
        assert time.monotonic() < deadline
        assert running.ask("GET", "/healthz").status == 200
        answer = running.ask("GET", "/api/leads/count", host="b.example.com")
        statuses.add(answer.status)
        assert answer.status == 200 or "retry-after" in answer.headers, answer
    assert statuses <= {200, 503}
    # A process that held a connection learns of it once, by a 503.
    eventually(lambda: capture_status(running) == 200, 30)
    eventually(lambda: total(running) == before + 1, 30)


def test_a_killed_supervisor_leaves_no_process_and_the_next_start_works(home: System, running: Running) -> None:
    before = total(running)
    assert before is not None
    database = postmaster(home)
    assert database is not None
    family = descendants(running.process.pid) | descendants(database)
    assert len(family) > 4
    kill(running.process.pid)
    running.process.wait(10)
    eventually(lambda: not any(lives(pid) for pid in family), 30)
    assert list((home.directory / "tmp").iterdir()) == [], "measurements are left behind"
    again = home.serve("--no-worker")
    assert total(again) == before
    assert again.stop() == 0
    assert home.json("audit", "verify") == {"ok": True, "events": before + 1}


def test_it_ends_soon_though_its_database_stands_still(home: System) -> None:
    running = home.serve()
    first = postmaster(home)
    assert first is not None
    family = descendants(first)
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - began < 20
    finally:
        for pid in family:
            os.kill(pid, signal.SIGCONT)
    # It was told, and stops as soon as it goes on.
    eventually(lambda: not any(lives(pid) for pid in family), 30)
