"""Hashes of passwords that are made and compared at once, for tests that are not about what they cost. Those of
``tests/http/api``, ``tests/cli`` and ``tests/e2e`` ask processes whose hashes cost what they cost."""

from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher

from aureum.commands import passwords

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def make_cheap() -> None:
    """All that this process makes from now on, and the one that no user has."""
    passwords.HASHER = CHEAP
    passwords.NOBODYS_HASH = passwords.nobodys_hash()


@contextmanager
def cheap_hashes() -> Iterator[None]:
    """Those that this process makes meanwhile: a server compares with one as it was made."""
    dear, passwords.HASHER = passwords.HASHER, CHEAP
    try:
        yield
    finally:
        passwords.HASHER = dear
