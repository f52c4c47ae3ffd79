"""Passwords: which ones may be set, and their Argon2id hashes."""

from base64 import b64encode
from collections.abc import Iterable
from contextlib import suppress

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from pydantic import SecretStr

from aureum.commands.guessable import is_guessable
from aureum.commands.hashing import HASHING
from aureum.domain.errors import Invalid

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1024

GUESSABLE = (
    "{field} is too easy to guess: it is a common password, a sequence of characters, or made of your name, email "
    "address or brokerage. Use several unrelated words."
)

HASHER = PasswordHasher()
"""Argon2id with the library's parameters, RFC 9106's second recommendation: 64 MiB, 3 passes."""


def nobodys_hash() -> str:
    """A hash of HASHER's cost that no password has: an account that is not there takes as long to refuse."""
    salt, digest = (b64encode(bytes(size)).rstrip(b"=").decode() for size in (HASHER.salt_len, HASHER.hash_len))
    cost = f"m={HASHER.memory_cost},t={HASHER.time_cost},p={HASHER.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${digest}"


NOBODYS_HASH = nobodys_hash()


async def hash_password(password: SecretStr, known: Iterable[str], client: str, field: str = "password") -> str:
    """Its hash. *known* is what is known of the user, *client* whose turn it takes. Raises Invalid, of the *field*, for
    one that is too short, too long, or guessed soon; Busy."""
    secret = password.get_secret_value()
    if not SHORTEST_PASSWORD <= len(secret) <= LONGEST_PASSWORD:
        raise Invalid(field, f"{field} must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.")

    def checked() -> str:
        if is_guessable(secret, known):
            raise Invalid(field, GUESSABLE.format(field=field))
        return HASHER.hash(secret)

    return await HASHING.run(checked, client=client)


def matches(password_hash: str, password: SecretStr) -> bool:
    """Whether it is that password. Takes a twentieth of a second."""
    with suppress(VerifyMismatchError):
        return HASHER.verify(password_hash, password.get_secret_value())
    return False
