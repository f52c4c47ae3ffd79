"""Runs a job (``jobs``) in a process of its own: a hostile PDF may hang, crash or fill its process, never its caller.

The process has limits of processor time and memory, none of our settings, which are secrets, and no messages: they may
quote the file. It is killed when its time is over, or when its caller is cancelled.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from weakref import WeakKeyDictionary

import orjson
import structlog

from aureum.domain.errors import Busy
from aureum.pdf.anchors import Anchor
from aureum.pdf.changes import Change
from aureum.pdf.inspecting import Inspected
from aureum.pdf.refusing import MOST_SEALED, Refused
from aureum.pdf.rendering import ShownPage
from aureum.pdf.verifying import Trusted, Verdict

SECONDS = 20.0
"""Longer than the processor time that the job may take: the machine may be busy."""

AT_ONCE = 2
WAIT_SECONDS = 15.0
"""How long to wait for others' jobs."""

MOST_ANSWER = 16 * 2**20

OURS = "AUREUM_"
"""How settings begin."""

EXHAUSTED = (-signal.SIGKILL, -signal.SIGXCPU)

Source = Path | bytes | BinaryIO
"""Where a PDF is: a file by its name, its bytes, or an open file, which is read from where it stands."""

log = structlog.get_logger()

_places: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


async def inspected(file: Source) -> Inspected:
    """What the PDF *file* is. Raises Refused, or Busy if too many are looked at already."""
    found = await run("inspect", file)
    return Inspected(
        found["pages"],
        tuple((width, height) for width, height in found["sizes"]),
        tuple(Anchor(*one) for one in found["anchors"]),
    )


async def shown_pages(file: Source, numbers: Sequence[int]) -> list[ShownPage]:
    """The pages of *file* by their *numbers*. Raises Refused, or Busy if too many files are looked at already."""
    found = await run("pages", file, list(numbers))
    return [ShownPage(**one | {"picture": b64decode(one["picture"])}) for one in found]


async def verified(file: Path | bytes, trusted: Sequence[Trusted]) -> Verdict:
    """What a sealed *file* proves. Raises Refused if it takes too much, or Busy if too many are looked at already."""
    certificates = [
        (b64encode(one.certificate).decode(), [b64encode(above).decode() for above in one.chain]) for one in trusted
    ]
    found = await run("verify", file, certificates)
    at = found["at"] and datetime.fromisoformat(found["at"])
    changes = tuple(Change(code, values) for code, values in found["changes"])
    return Verdict(**found | {"at": at, "problems": tuple(found["problems"]), "changes": changes})


async def run(job: str, file: Source, arguments: object = None, *, seconds: float = SECONDS) -> Any:
    """The answer of *job* about *file*. Raises Refused, Busy, and OSError if there is no such file."""
    if isinstance(file, bytes) and len(file) > MOST_SEALED:
        raise Refused("pdf_too_large")
    async with place():
        code, output = await run_process([job, orjson.dumps(arguments).decode()], file, seconds)
    if code != 0:
        log.warning("pdf_job_ended", job=job, code=code)
        raise Refused("pdf_too_complex" if code in EXHAUSTED else "pdf_damaged")
    said = orjson.loads(output)
    if "refused" in said:
        raise Refused(said["refused"])
    if "failed" in said:
        log.warning("pdf_job_failed", job=job, error=said["failed"])
        raise Refused("pdf_damaged")
    return said["answer"]


@asynccontextmanager
async def place() -> AsyncIterator[None]:
    """One of few places. Raises Busy."""
    places = _places.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))
    try:
        await asyncio.wait_for(places.acquire(), WAIT_SECONDS)
    except TimeoutError:
        raise Busy(retry_after=5) from None
    try:
        yield
    finally:
        places.release()


async def run_process(arguments: list[str], file: Source, seconds: float) -> tuple[int, bytes]:
    """The exit code, negative for a signal, and what was written. Raises Busy."""
    source: Any = None if isinstance(file, bytes) else file
    if isinstance(file, Path):
        source = await asyncio.to_thread(file.open, "rb")
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "aureum.pdf.jobs",
            *arguments,
            stdin=PIPE if source is None else source,
            stdout=PIPE,
            stderr=DEVNULL,
            env={name: value for name, value in os.environ.items() if not name.startswith(OURS)},
            # Ctrl-C is for its starter, who decides.
            start_new_session=True,
        )
    except OSError as error:
        log.warning("pdf_job_not_started", error=type(error).__name__)
        raise Busy(retry_after=5) from error
    finally:
        if isinstance(file, Path):
            source.close()
    try:
        async with asyncio.timeout(seconds):
            output = await talk(process, file if isinstance(file, bytes) else None)
            return await process.wait(), output
    except TimeoutError:
        return -signal.SIGKILL, b""
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def talk(process: Process, data: bytes | None) -> bytes:
    """Give the process the file, and read what it writes at the same time."""
    assert process.stdout is not None

    async def feed() -> None:
        if data is not None and process.stdin is not None:
            # A process that has ended early reads no more; its exit code says why.
            with suppress(BrokenPipeError, ConnectionResetError):
                process.stdin.write(data)
                await process.stdin.drain()
            process.stdin.close()

    feeding = asyncio.create_task(feed())
    try:
        output = bytearray()
        while part := await process.stdout.read(2**16):
            output += part
            if len(output) > MOST_ANSWER:
                process.kill()
                break
        await feeding
    finally:
        feeding.cancel()
    return bytes(output)
