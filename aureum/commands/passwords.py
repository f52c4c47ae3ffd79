"""Passwords: hashed with Argon2id, a few at a time, so that logging in never takes the machine from others."""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import BoundedSemaphore
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from pydantic import SecretStr

from aureum.domain.errors import Busy, Invalid

Result = TypeVar("Result")

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1024

HASHER = PasswordHasher()
"""Argon2id with the library's parameters, RFC 9106's second recommendation: 64 MiB, 3 passes."""

THREADS = 2
WAITING = 30
"""About two seconds of work; more would only wait until their clients give up."""


def nobodys_hash() -> str:
    """A hash of HASHER's cost that no password has: an account that is not there takes as long to refuse."""
    salt, digest = (b64encode(bytes(size)).rstrip(b"=").decode() for size in (HASHER.salt_len, HASHER.hash_len))
    cost = f"m={HASHER.memory_cost},t={HASHER.time_cost},p={HASHER.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${digest}"


NOBODYS_HASH = nobodys_hash()


class Hashing:
    """Threads for slow hashes, and places before them. One a process."""

    def __init__(self, threads: int = THREADS, waiting: int = WAITING) -> None:
        self.executor = ThreadPoolExecutor(threads, "aureum-passwords")
        self.places = BoundedSemaphore(threads + waiting)

    async def run(
        self, work: Callable[..., Result], *arguments: Any, first: Callable[[], Awaitable[None]] | None = None
    ) -> Result:
        """*work* in a thread, after *first* if that refuses nothing. Raises Busy, and what both raise."""
        if not self.places.acquire(blocking=False):
            raise Busy(retry_after=2)
        try:
            if first is not None:
                await first()
            future = self.executor.submit(work, *arguments)
        except BaseException:
            self.places.release()
            raise
        # Also of a caller who has gone: a hash that was begun cannot be stopped.
        future.add_done_callback(lambda _: self.places.release())
        return await asyncio.wrap_future(future)


HASHING = Hashing()


async def hash_password(password: SecretStr) -> str:
    """Raises Invalid for one that is too short or too long, Busy."""
    secret = password.get_secret_value()
    if not SHORTEST_PASSWORD <= len(secret) <= LONGEST_PASSWORD:
        raise Invalid("password", f"password must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.")
    return await HASHING.run(HASHER.hash, secret)


def matches(password_hash: str, password: SecretStr) -> bool:
    """Whether it is that password. Takes a twentieth of a second."""
    with suppress(VerifyMismatchError):
        return HASHER.verify(password_hash, password.get_secret_value())
    return False
