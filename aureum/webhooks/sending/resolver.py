"""Host names to addresses, for webhooks: the second of three gates, after ``addresses.check_url``, before the socket.

A name is refused whole when any of its addresses is not allowed: a mixed answer is the mark of DNS rebinding. Lookups
run in threads of their own, so that a name server that hangs holds up neither the event loop nor its other threads.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

from aureum.webhooks.sending.addresses import Network, is_allowed

Lookup = Callable[[str], Sequence[str]]
"""A host name to all its addresses; blocks; raises OSError. Runs in a thread."""

THREADS = 16
MAX_LOOKUPS = 256  # running and waiting for a thread
MAX_CACHED = 10_000
FAILURE_TTL = 2.0  # seconds; less than the first pause between two attempts
MAX_ADDRESSES = 4  # to try to connect to; all of them are judged


class BlockedAddress(OSError):
    """The address is not one that webhooks may be sent to."""


def look_up(host: str) -> list[str]:
    """All IPv4 and IPv6 addresses of *host*, as the operating system finds them. Raises socket.gaierror."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError:  # what Python raises for a name that cannot be encoded, before any lookup
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class GuardedResolver(AbstractResolver):
    """A short cache in front of *lookup*. One lookup a name runs at a time, for all that wait for it.

    *ttl* and *limit* are seconds: how long an answer is kept, and how long a caller waits for one.
    """

    def __init__(
        self,
        allow_networks: Iterable[Network] = (),
        *,
        lookup: Lookup = look_up,
        ttl: float = 10.0,
        limit: float = 3.0,
    ) -> None:
        self._allow_networks = tuple(allow_networks)
        self._lookup = lookup
        self._ttl = ttl
        self._limit = limit
        self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="webhook-dns")
        self._running: dict[str, asyncio.Task[tuple[str, ...] | OSError]] = {}
        self._cache: dict[str, tuple[float, tuple[str, ...] | OSError]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """What aiohttp asks. Raises BlockedAddress, or socket.gaierror when there is no answer, or none in time."""
        found = await self._find(host)
        if isinstance(found, OSError):
            raise type(found)(*found.args)  # not the cached object: each raise would lengthen its traceback
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in found[:MAX_ADDRESSES]
        ]

    async def close(self) -> None:
        """Drops what waits. A lookup that hangs in its thread ends by itself, at the operating system's time limit."""
        for task in self._running.values():
            task.cancel()
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _find(self, host: str) -> tuple[str, ...] | OSError:
        expires, cached = self._cache.get(host, (0.0, ()))
        if time.monotonic() < expires:
            return cached
        task = self._running.get(host)
        if task is None:
            if len(self._running) >= MAX_LOOKUPS:
                return socket.gaierror(socket.EAI_AGAIN, "Too many names are being looked up at the moment")
            task = self._running[host] = asyncio.create_task(self._look_up(host))
        try:
            # The lookup outlives a caller that gives up: others wait for it too, and the next attempt finds its answer.
            async with asyncio.timeout(self._limit):
                return await asyncio.shield(task)
        except TimeoutError:
            return socket.gaierror(socket.EAI_AGAIN, f"No answer from the name server within {self._limit:g} s")

    async def _look_up(self, host: str) -> tuple[str, ...] | OSError:
        found: tuple[str, ...] | OSError
        try:
            found = tuple(await asyncio.get_running_loop().run_in_executor(self._executor, self._lookup, host))
            if not found:
                found = socket.gaierror(socket.EAI_NONAME, "The name has no address")
            elif not all(is_allowed(address, self._allow_networks) for address in found):
                found = BlockedAddress("The name leads to an address that webhooks are not sent to")
        except OSError as error:
            found = error.with_traceback(None)
        finally:
            del self._running[host]
        if len(self._cache) >= MAX_CACHED:
            del self._cache[next(iter(self._cache))]
        ttl = min(self._ttl, FAILURE_TTL) if isinstance(found, OSError) else self._ttl
        self._cache[host] = (time.monotonic() + ttl, found)
        return found
