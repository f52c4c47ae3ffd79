"""The process that forks for jobs: what it knows, what it survives, and that nothing outlives its caller."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import BinaryIO

import pytest

from aureum.domain.errors import Busy
from aureum.pdf import forking, process
from aureum.pdf.forking import Forker
from aureum.pdf.process import inspected
from tests.pdf.making import document

ORDINARY = document(2)

DEADLINE = 60.0


@pytest.fixture
def forker() -> Forker:
    """A process of the test's own, which has done a job."""
    forking.end()
    assert asyncio.run(inspected(ORDINARY)).pages == 2
    return forking.forker()


def of_session(number: int) -> list[int]:
    """The processes of a session that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(session) == number and state != "Z":
            found.append(int(stat.parent.name))
    return found


def parent_of(process_id: int) -> int:
    """Of which process it is the child."""
    return int(Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[1])


def wait_for_session(number: int, size: int) -> list[int]:
    until = time.monotonic() + DEADLINE
    while len(found := of_session(number)) != size:
        assert time.monotonic() < until, found
        time.sleep(0.01)
    return found


def test_it_knows_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUREUM_MASTER_KEY", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "s3same")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    forking.end()
    assert asyncio.run(inspected(ORDINARY)).pages == 2
    known = Path(f"/proc/{forking.forker().process.pid}/environ").read_bytes()
    assert b"LC_ALL=C.UTF-8" in known and b"PATH=" in known and b"s3same" not in known
    assert all("socket" not in os.readlink(f"/proc/{forking.forker().process.pid}/fd/{fd}") for fd in (0, 1, 2))


def test_jobs_share_it_until_it_is_killed(forker: Forker) -> None:
    assert asyncio.run(inspected(ORDINARY)).pages == 2
    assert forking.forker() is forker
    forker.process.kill()
    wait_for_session(forker.process.pid, 0)
    assert asyncio.run(inspected(ORDINARY)).pages == 2
    assert forking.forker() is not forker


def test_it_is_killed_while_a_job_waits_to_be_forked(forker: Forker) -> None:
    async def both() -> int:
        forker.process.send_signal(signal.SIGSTOP)
        waiting = asyncio.create_task(inspected(ORDINARY))
        await asyncio.sleep(0.05)
        forker.process.kill()
        return (await waiting).pages

    assert asyncio.run(both()) == 2


def test_a_job_ends_with_its_caller(forker: Forker) -> None:
    session = forker.process.pid
    reading, writing = os.pipe()

    async def given_up(source: BinaryIO) -> None:
        waiting = asyncio.create_task(process.run("inspect", source))
        await asyncio.to_thread(wait_for_session, session, 3)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    # Nothing comes: the job waits for its file.
    with open(reading, "rb") as source, open(writing, "wb"):
        asyncio.run(given_up(source))
        assert wait_for_session(session, 1) == [session]


def test_a_job_ends_with_its_guard_and_says_nothing_of_its_file(forker: Forker) -> None:
    session = forker.process.pid
    reading, writing = os.pipe()

    async def bereft(source: BinaryIO) -> None:
        waiting = asyncio.create_task(process.run("inspect", source))
        started = await asyncio.to_thread(wait_for_session, session, 3)
        (guard,) = (one for one in started if parent_of(one) == session)
        os.kill(guard, signal.SIGKILL)
        with pytest.raises(Busy):
            await waiting

    with open(reading, "rb") as source, open(writing, "wb"):
        asyncio.run(bereft(source))
        assert wait_for_session(session, 1) == [session]
    assert forking.forker() is forker


KILLED = """
import asyncio, os, signal
from aureum.domain.errors import Busy
from aureum.pdf import forking, process
from tests.pdf.making import document
asyncio.run(process.inspected(document(2)))
print(forking.forker().process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_ends_when_its_starter_is_killed() -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True, timeout=DEADLINE)
    assert ended.returncode == -signal.SIGKILL
    wait_for_session(int(ended.stdout), 0)
