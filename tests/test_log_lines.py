"""Lines of one turn of the event loop go in one write, in order, and none gets lost."""

import asyncio
import io
import os
import select
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import BinaryIO, cast

import pytest

from aureum.log_lines import Lines


class Written(io.BytesIO):
    """Remembers each write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, data: object, /) -> int:
        self.writes.append(bytes(cast(bytes, data)))
        return len(self.writes[-1])


@pytest.fixture
def written() -> Written:
    return Written()


@pytest.fixture
def lines(written: Written) -> Lines:
    return Lines(cast(BinaryIO, written))


def test_a_turn_makes_one_write(lines: Lines, written: Written) -> None:
    async def two_turns() -> None:
        lines.info(b"a")
        lines.info(b"b")
        assert written.writes == []
        await asyncio.sleep(0)
        assert written.writes == [b"a\nb\n"]
        lines.info(b"c")

    asyncio.run(two_turns())
    assert written.writes == [b"a\nb\n", b"c\n"]


def test_an_error_goes_at_once_behind_what_came_before(lines: Lines, written: Written) -> None:
    async def fail() -> None:
        lines.info(b"a")
        lines.error(b"b")
        assert written.writes == [b"a\nb\n"]
        lines.info(b"c")

    asyncio.run(fail())
    assert written.writes == [b"a\nb\n", b"c\n"]


def test_without_a_loop_nothing_waits(lines: Lines, written: Written) -> None:
    lines.info(b"a")
    lines.info(b"b")
    assert written.writes == [b"a\n", b"b\n"]


def test_a_loop_that_ended_keeps_no_line_back(lines: Lines, written: Written) -> None:
    loop = asyncio.new_event_loop()

    async def end() -> None:
        loop.stop()
        lines.info(b"a")

    task = loop.create_task(end())
    loop.run_forever()
    assert task.done()
    loop.close()

    asyncio.run(asyncio.to_thread(lines.info, b"b"))
    assert b"".join(written.writes) == b"a\nb\n"


def test_no_write_is_longer_than_a_pipe_takes_at_once(lines: Lines, written: Written) -> None:
    made = [b"%d " % number + b"x" * (number % 700) for number in range(200)]

    async def many() -> None:
        for line in made:
            lines.info(line)

    asyncio.run(many())
    assert b"".join(written.writes).splitlines() == made
    assert len(written.writes) < len(made) / 4
    assert max(map(len, written.writes)) <= select.PIPE_BUF


ENDING = """
import asyncio, os, signal, sys
from aureum.log_lines import Lines
lines = Lines(sys.stderr.buffer)

async def end():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    print(flush=True)
    await stop.wait()
    lines.info(b"first")
    {}

asyncio.run(end())
"""


@pytest.mark.parametrize("how", ["pass", "raise SystemExit(0)", "asyncio.get_running_loop().stop()"])
def test_the_last_lines_of_a_process_are_written(how: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", ENDING.format(how)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None and process.stdout.readline() == b"\n"
        os.kill(process.pid, signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    assert said.splitlines()[0] == b"first"


@pytest.mark.parametrize("where", ["a pipe that is not read", "a full disk"])
def test_a_log_that_cannot_be_written_stops_nothing(where: str) -> None:
    if where == "a full disk":
        file: BinaryIO = open("/dev/full", "wb")  # noqa: SIM115  closing it fails, too
    else:
        reading, writing = os.pipe()
        os.close(reading)
        file = os.fdopen(writing, "wb")
    lines, heard = Lines(file), []

    async def turns() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
        for _ in range(3):
            lines.info(b"a" * 3_000)
            await asyncio.sleep(0)
        lines.error(b"b")

    asyncio.run(turns())

    assert heard == []
    with suppress(OSError):
        file.close()


class Interrupted(Written):
    """Something is logged while the first line is being written, as a finalizer may do."""

    lines: Lines

    def write(self, data: object, /) -> int:
        if not self.writes:
            self.writes.append(b"")
            self.lines.error(b"within")
        return super().write(data)


def test_a_line_may_be_written_while_another_one_is() -> None:
    written = Interrupted()
    written.lines = Lines(cast(BinaryIO, written))
    thread = threading.Thread(target=written.lines.error, args=(b"outer",), daemon=True)
    thread.start()
    thread.join(5)

    assert not thread.is_alive() and written.writes == [b"", b"within\n", b"outer\n"]
