"""Notes what matters for security, for the security log (``aureum.store.security_log``).

A request that is refused must not cost more than one that is not, nor tell by its time what was found. So it costs a
look into a dictionary. Whose key or account it was is found afterwards, and what is alike is written once, with a
count. The dictionary is bounded: beyond it only a number is kept. What a process noted in its last seconds is lost if
it is killed.
"""

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg
import structlog
from starlette.requests import Request

from aureum.domain.errors import DomainError, Unavailable
from aureum.http.access.gate import Caller
from aureum.http.access.hosts import client_address
from aureum.store import security_log
from aureum.store.event_store import EventStore
from aureum.store.security_log import Kind, Noted, Times

if TYPE_CHECKING:
    from aureum.app import Aureum

REMEMBERED = 1_000
"""Different things that wait to be written; more are counted together."""

PAUSE_SECONDS = 1.0
AGAIN_SECONDS = 5.0
CLOSE_SECONDS = 2.0

MORE = Noted("others")

log = structlog.get_logger("aureum.http")


class SecurityNotes:
    """One a process. Open it with ``async with``."""

    def __init__(self, store: EventStore) -> None:
        self.store = store
        self.unwritten: dict[Noted, Times] = {}
        self.wake = asyncio.Event()

    async def __aenter__(self) -> "SecurityNotes":
        self.task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._write()
        except (TimeoutError, DomainError, psycopg.Error) as error:
            log.warning("security_log_not_written", entries=len(self.unwritten), error=type(error).__name__)

    def note(self, noted: Noted) -> None:
        """Keep it. Returns at once."""
        known = self.unwritten.get(noted)
        if known is None and len(self.unwritten) >= REMEMBERED:
            noted, known = MORE, self.unwritten.get(MORE)
        now = Times()
        if known is None:
            self.unwritten[noted] = now
        else:
            known.number, known.last_at = known.number + 1, now.last_at
        self.wake.set()

    async def _run(self) -> None:
        while True:
            await self.wake.wait()
            self.wake.clear()
            try:
                await self._write()
            except (Unavailable, psycopg.Error) as error:
                log.warning("security_log_not_written", entries=len(self.unwritten), error=type(error).__name__)
                self.wake.set()
                await asyncio.sleep(AGAIN_SECONDS)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _write(self) -> None:
        """Write what was noted; what could not be written is noted still."""
        writing, self.unwritten = self.unwritten, {}
        if not writing:
            return
        try:
            await security_log.write(self.store, writing)
        except BaseException:
            for noted, times in writing.items():
                since = self.unwritten.setdefault(noted, times)
                if since is not times:
                    since.number, since.first_at = since.number + times.number, times.first_at
            raise


def note(request: Request, noted: Noted) -> None:
    """Note it, with the address of the client."""
    app: Aureum = request.app.state.aureum
    address = client_address(request.scope, app.settings.trusted_proxies)
    app.security.note(security_log.replaced(noted, address=address, key_hash=noted.key_hash))


def note_of(
    request: Request, caller: Caller, kind: Kind, about: str | None = None, tenant_id: UUID | None = None
) -> None:
    """Note what *caller* did, in the brokerage *tenant_id* or the caller's. A platform admin is no user of the
    brokerage, and is named as such."""
    tenant_id = tenant_id or caller.tenant_id
    own = caller.caller_tenant in (None, tenant_id)
    said = about if own else f"{about or ''} (by a platform admin)".strip()
    who = caller.caller_id if own else None
    key_id, user_id = (who, None) if caller.role == "key" else (None, who)
    note(request, Noted(kind, tenant_id=tenant_id, key_id=key_id, user_id=user_id, about=said))
