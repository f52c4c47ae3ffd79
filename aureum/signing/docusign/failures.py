"""What may go wrong with a call to DocuSign, as data: what to do about it, and whether trying again may help.

Of DocuSign's own answer only its code is kept: its message may quote names and addresses.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal

import orjson

Kind = Literal[
    "unreachable", "timeout", "unavailable", "limited", "unreadable", "consent", "credentials", "missing", "refused"
]

TEXTS: dict[Kind, str] = {
    "unreachable": "DocuSign cannot be reached. Check that this machine may connect to docusign.com and docusign.net.",
    "timeout": "DocuSign did not answer in time.",
    "unavailable": "DocuSign is out of service at the moment.",
    "limited": "DocuSign takes no more calls of this account for now.",
    "unreadable": "DocuSign's answer cannot be understood.",
    "consent": "The user has not yet allowed Aureum to act for them. Open this address once, and log in as that user "
    "or as an administrator of the account: {consent}",
    "credentials": "DocuSign does not accept the integration key, the user, the account or the private key. Compare "
    "them with the page 'Apps and Keys', also whether they are of the demo or of the production environment.",
    "missing": "DocuSign does not know this envelope.",
    "refused": "DocuSign refused the request.",
}

LASTING: frozenset[Kind] = frozenset(("missing", "refused"))
"""The same request would fail again. What is wrong with credentials, an administrator mends."""

LIMITS = frozenset(("HOURLY_APIINVOCATION_LIMIT_EXCEEDED", "BURST_APIINVOCATION_LIMIT_EXCEEDED"))
MISSING = frozenset(("ENVELOPE_DOES_NOT_EXIST", "ENVELOPE_NOT_IN_FOLDER"))
CREDENTIALS = frozenset(
    (
        "AUTHORIZATION_INVALID_TOKEN",
        "USER_AUTHENTICATION_FAILED",
        "USER_LACKS_MEMBERSHIP",
        "ACCOUNT_NOT_DEFINED_CORRECTLY",
        "PARTNER_AUTHENTICATION_FAILED",
        "USER_DOES_NOT_BELONG_TO_SPECIFIED_ACCOUNT",
    )
)
GRANT_CODES: dict[str, Kind] = {
    "consent_required": "consent",
    "invalid_grant": "credentials",
    "invalid_client": "credentials",
    "issuer_not_found": "credentials",
    "user_not_found": "credentials",
    "no_valid_keys_or_signatures": "credentials",
    "temporarily_unavailable": "unavailable",
    "server_error": "unavailable",
}

CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
MOST_SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class Failed:
    """A call that did not work. ``code`` is DocuSign's name for it, ``wait`` the seconds it asked to wait."""

    kind: Kind
    status: int | None = None
    code: str | None = None
    wait: float | None = None

    @property
    def lasting(self) -> bool:
        """Whether the same call would fail again."""
        return self.kind in LASTING

    def text(self, consent: str = "") -> str:
        """What happened and what to do, for a person; *consent* is the address of the consent."""
        why = f" ({self.code})" if self.code else f" (status {self.status})" if self.status else ""
        return TEXTS[self.kind].format(consent=consent) + why


class Broken(Exception):
    """A download ended before its end. It passes through what stores the bytes, and ends in ``calls.download``'s
    caller, who reads ``failed``."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.kind)
        self.failed = failed


def of_answer(status: int, body: bytes, retry_after: str | None) -> Failed:
    """What a refusing answer of the API means."""
    code = code_of(body, "errorCode")
    wait = seconds(retry_after)
    if status == 429 or code in LIMITS:
        return Failed("limited", status, code, wait)
    if status >= 500 or status == 408:
        return Failed("unavailable", status, code, wait)
    if code in MISSING or (status == 404 and code is None):
        return Failed("missing", status, code)
    if status == 401 or code in CREDENTIALS:
        return Failed("credentials", status, code)
    if status >= 400:
        return Failed("refused", status, code)
    return Failed("unreadable", status, code)


def of_grant(status: int, body: bytes, retry_after: str | None) -> Failed:
    """What a refusing answer of the token server means."""
    code = code_of(body, "error")
    if status == 429:
        return Failed("limited", status, code, seconds(retry_after))
    if status >= 500:
        return Failed("unavailable", status, code, seconds(retry_after))
    return Failed(GRANT_CODES.get(code or "", "credentials"), status, code)


def code_of(body: bytes, name: str) -> str | None:
    """The error's code in *body*, if it looks like one."""
    try:
        answer: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    code = answer.get(name) if isinstance(answer, dict) else None
    return code if isinstance(code, str) and CODE.fullmatch(code) else None


def seconds(retry_after: str | None) -> float | None:
    """What Retry-After asks for, an hour at most; a date in it is not understood."""
    if retry_after is None or not (retry_after.isascii() and retry_after.isdigit()):
        return None
    return min(int(retry_after[:9]), MOST_SECONDS)
