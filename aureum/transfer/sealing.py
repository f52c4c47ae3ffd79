"""Personal fields of an exported file under a passphrase: scrypt makes the key, AES-256-GCM seals each line's fields.

The key is new in every file, since its salt is, so that the number of a line can serve as the nonce.
"""

import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

COST, BLOCK_SIZE, LANES = 1 << 16, 8, 1
"""64 MB of memory and a fifth of a second for each guess."""

MOST_MEMORY, MOST_LANES = 1 << 28, 16
"""What a file may ask for: bytes, four times what ours do."""

SALT_BYTES = 16
CHECK = b"aureum export"
LEAST_CHARACTERS = 12


class WrongPassphrase(ValueError):
    """The passphrase is not the one with which the file was made."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class LineSeal:
    """Seals and opens what is personal in the lines of one file."""

    def __init__(self, passphrase: bytes, salt: bytes, cost: int, block_size: int, lanes: int) -> None:
        self.about = {
            "kdf": "scrypt",
            "n": cost,
            "r": block_size,
            "p": lanes,
            "salt": b64encode(salt).decode(),
            "cipher": "AES-256-GCM",
        }
        self._key = AESGCM(Scrypt(salt=salt, length=32, n=cost, r=block_size, p=lanes).derive(passphrase))

    @classmethod
    def new(cls, passphrase: bytes) -> Self:
        """For a file that is to be written."""
        return cls(passphrase, os.urandom(SALT_BYTES), COST, BLOCK_SIZE, LANES)

    @classmethod
    def of(cls, about: Mapping[str, Any], passphrase: bytes) -> Self:
        """As a file's first line describes it. Raises WrongPassphrase, and ValueError for what is no such
        description."""
        cost, block_size, lanes = (about[name] for name in ("n", "r", "p"))
        whole = all(type(number) is int and number > 0 for number in (cost, block_size, lanes))
        if about["kdf"] != "scrypt" or about["cipher"] != "AES-256-GCM" or not whole:
            raise ValueError("unknown encryption")
        if 128 * cost * block_size > MOST_MEMORY or lanes > MOST_LANES:
            raise ValueError("the encryption asks for too much")
        seal = cls(passphrase, b64decode(about["salt"], validate=True), cost, block_size, lanes)
        if seal.open(0, CHECK, str(about["check"])) != CHECK:
            raise WrongPassphrase
        return seal

    def description(self) -> dict[str, Any]:
        """What the first line says of the encryption; with it a wrong passphrase is noticed at once."""
        return {**self.about, "check": self.seal(0, CHECK, CHECK)}

    def seal(self, line: int, place: bytes, plain: bytes) -> str:
        """*plain* in base64, sealed. Each *line* has one at most; *place* is authenticated with it."""
        return b64encode(self._key.encrypt(line.to_bytes(12, "big"), plain, place)).decode()

    def open(self, line: int, place: bytes, sealed: str) -> bytes:
        """The inverse of ``seal``. Raises WrongPassphrase if anything is another, ValueError for what is no base64."""
        try:
            return self._key.decrypt(line.to_bytes(12, "big"), b64decode(sealed, validate=True), place)
        except InvalidTag:
            raise WrongPassphrase from None
