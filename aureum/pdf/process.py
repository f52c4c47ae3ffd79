"""Runs a job (``jobs``) in a process of its own: a hostile PDF may hang, crash or fill its process, never its caller.

The process has limits of processor time and memory, none of our settings and credentials, and no messages: they may
quote the file. It is killed when its time is over, or when its caller is cancelled.
"""

import asyncio
import signal
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal
from weakref import WeakKeyDictionary

import orjson
import structlog

from aureum.domain.errors import Busy
from aureum.pdf.anchors import Anchor
from aureum.pdf.changes import Change
from aureum.pdf.forking import run_forked
from aureum.pdf.inspecting import Inspected
from aureum.pdf.refusing import MOST_SEALED, Refused
from aureum.pdf.rendering import ShownPage
from aureum.pdf.verifying import Trusted, Verdict

if TYPE_CHECKING:
    from aureum.pdf.certificates import KeyAndCertificate

SECONDS = 20.0
"""Longer than the processor time that the job may take: the machine may be busy."""

CERTIFICATE_SECONDS = SECONDS

Asking = Literal["known", "anyone", "owner"]
"""Who has a job done: signers, staff and the worker; anyone on the internet; an owner with a certificate."""

AT_ONCE: Mapping[Asking, int] = {"known": 2, "anyone": 1, "owner": 1}
"""Jobs of each: what strangers send never keeps signers and uploads waiting."""

WAIT_SECONDS = 15.0
"""How long to wait for others' jobs."""

EXHAUSTED = (-signal.SIGKILL, -signal.SIGXCPU)

Source = Path | bytes | BinaryIO
"""Where a PDF is: a file by its name, its bytes, or an open file, which is read from where it stands."""

log = structlog.get_logger()

_places: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Asking, asyncio.Semaphore]] = WeakKeyDictionary()


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


async def verified(file: Source, trusted: Sequence[Trusted], asking: Asking = "known") -> Verdict:
    """What a sealed *file* proves. Raises Refused if it takes too much, or Busy if too many are looked at already."""
    certificates = [
        (b64encode(one.certificate).decode(), [b64encode(above).decode() for above in one.chain]) for one in trusted
    ]
    found = await run("verify", file, certificates, asking=asking)
    at = found["at"] and datetime.fromisoformat(found["at"])
    changes = tuple(Change(code, values) for code, values in found["changes"])
    return Verdict(**found | {"at": at, "problems": tuple(found["problems"]), "changes": changes})


async def certificate_in(file: bytes, password: str, now: datetime) -> "KeyAndCertificate":
    """What an owner imports: see ``certificates.from_pkcs12``. The file itself says how often its password is hashed,
    which may take hours. Raises NotUsable, or Busy if others' files are looked at already."""
    from aureum.pdf.certificates import NOT_ONE, TAKES_TOO_LONG, KeyAndCertificate, NotUsable

    # All of it by standard input: others on this machine can read arguments.
    known = password.encode("utf-8", "replace").decode()
    sent = orjson.dumps({"file": b64encode(file).decode(), "password": known, "now": now.isoformat()})
    try:
        found = await run("certificate", sent, asking="owner", seconds=CERTIFICATE_SECONDS)
    except Refused as error:
        raise NotUsable(TAKES_TOO_LONG if error.code == "pdf_too_complex" else NOT_ONE) from None
    if isinstance(found, str):
        raise NotUsable(found)
    key, certificate, *chain = map(b64decode, found)
    return KeyAndCertificate(key, certificate, tuple(chain))


async def run(
    job: str, file: Source, arguments: object = None, *, seconds: float = SECONDS, asking: Asking = "known"
) -> Any:
    """The answer of *job* about *file*. Raises Refused, Busy, and OSError if there is no such file."""
    if isinstance(file, bytes) and len(file) > MOST_SEALED:
        raise Refused("pdf_too_large")
    async with place(asking):
        if isinstance(file, Path):
            with await asyncio.to_thread(file.open, "rb") as opened:
                code, output = await run_forked(job, arguments, opened, seconds)
        else:
            code, output = await run_forked(job, arguments, file, seconds)
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
async def place(asking: Asking = "known") -> AsyncIterator[None]:
    """One of the few places. Raises Busy."""
    of_loop = _places.setdefault(asyncio.get_running_loop(), {})
    places = of_loop.setdefault(asking, asyncio.Semaphore(AT_ONCE[asking]))
    try:
        # Not wait_for: in Python 3.11 it goes on after a cancellation that comes together with a free place.
        async with asyncio.timeout(WAIT_SECONDS):
            await places.acquire()
    except TimeoutError:
        raise Busy(retry_after=5) from None
    try:
        yield
    finally:
        places.release()
