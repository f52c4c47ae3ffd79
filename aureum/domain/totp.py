"""Codes of an authenticator app (TOTP, RFC 6238), and the recovery codes for a user who has lost it. Pure."""

import hashlib
import re
import secrets
from datetime import datetime

import pyotp

from aureum.domain.errors import Invalid

SECONDS = 30
AROUND = (0, -1, 1)
"""Steps before and after the present one whose code is taken: clocks differ."""

SECRET = re.compile(r"[A-Z2-7]{32}")
"""160 bits, as the standard recommends."""

CODE = re.compile(r"[0-9]{6}")
RECOVERY_CODES = 10
LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
"""Without those that look like others: 80 bits are sixteen of them."""

NOT_A_SECRET = "secret must be 32 characters of A-Z and 2-7."  # noqa: S105  it is a sentence


def new_secret() -> str:
    """A new one."""
    return pyotp.random_base32(32)


def address(secret: str, user: str, issuer: str) -> str:
    """What an authenticator app reads, as a link or a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=user, issuer_name=issuer)


def typed(code: str) -> str:
    """A code as it is compared: without blanks and hyphens."""
    return re.sub(r"[\s-]", "", code).lower()


def step_of(secret: str, code: str, at: datetime) -> int | None:
    """The half minute that *code* (``typed``) is of, if it may be used *at* that moment."""
    present = int(at.timestamp()) // SECONDS
    app = pyotp.TOTP(secret)
    for step in (present + away for away in AROUND):
        if CODE.fullmatch(code) and secrets.compare_digest(app.generate_otp(step), code):
            return step
    return None


def check_secret(secret: str) -> None:
    """Raises Invalid."""
    if not SECRET.fullmatch(secret):
        raise Invalid("secret", NOT_A_SECRET)


def new_recovery_codes() -> list[str]:
    """``abcd-efgh-jkmn-pqrs``; each works once."""
    codes = ("".join(secrets.choice(LETTERS) for _ in range(16)) for _ in range(RECOVERY_CODES))
    return ["-".join(code[place : place + 4] for place in range(0, 16, 4)) for code in codes]


def digest(code: str) -> str:
    """What is kept of a recovery code."""
    return hashlib.sha256(typed(code).encode("utf-8", "replace")).hexdigest()
