"""How an attempt ended: what it says of the mail, of its address and of the server."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Failure(StrEnum):
    """Why a mail was not accepted. Those of the server, or of our settings, say nothing of the mail."""

    CONNECT = "connect"
    TLS = "tls"
    STARTTLS_MISSING = "starttls_missing"
    LOGIN_REFUSED = "login_refused"
    LOGIN_MISSING = "login_missing"
    SERVER_REFUSED = "server_refused"
    SENDER_REFUSED = "sender_refused"
    FILE = "file"
    TIMEOUT = "timeout"
    DISCONNECTED = "disconnected"
    DEFERRED = "deferred"
    REFUSED = "refused"
    RECIPIENT_DEFERRED = "recipient_deferred"
    RECIPIENT_REFUSED = "recipient_refused"
    ADDRESS = "address"


OF_SERVER = frozenset(
    (
        Failure.CONNECT,
        Failure.TLS,
        Failure.STARTTLS_MISSING,
        Failure.LOGIN_REFUSED,
        Failure.LOGIN_MISSING,
        Failure.SERVER_REFUSED,
        Failure.SENDER_REFUSED,
        Failure.FILE,
    )
)
"""No attempt of a mail is used up: any other would have met the same."""

FINAL = frozenset((Failure.REFUSED, Failure.RECIPIENT_REFUSED, Failure.ADDRESS))
"""The server says that another attempt would end alike, or it was never one that a mail can go to."""

UNHEALTHY = OF_SERVER | {Failure.TIMEOUT, Failure.DISCONNECTED}
"""What a breaker counts."""

EXPLAINED: Mapping[str, str] = {
    Failure.CONNECT: "The mail server cannot be reached. Check the host and port of AUREUM_SMTP_URL.",
    Failure.TLS: "The connection to the mail server could not be encrypted. Check its certificate.",
    Failure.STARTTLS_MISSING: "The mail server offers no STARTTLS, which AUREUM_SMTP_URL requires. "
    "Add ?starttls=optional only if the network in between is yours.",
    Failure.LOGIN_REFUSED: "The mail server refuses the login. Check the user and password of AUREUM_SMTP_URL.",
    Failure.LOGIN_MISSING: "The mail server offers no login. Remove the user and password from AUREUM_SMTP_URL.",
    Failure.SERVER_REFUSED: "The mail server takes no mail at the moment.",
    Failure.SENDER_REFUSED: "The mail server refuses the sender. Check AUREUM_MAIL_FROM.",
    Failure.FILE: "The mail could not be written as a file. Check AUREUM_DATA_DIR.",
    Failure.TIMEOUT: "The mail server did not answer in time.",
    Failure.DISCONNECTED: "The mail server ended the connection.",
    Failure.DEFERRED: "The mail server asks to try again later.",
    Failure.REFUSED: "The mail server refuses this mail for good.",
    Failure.RECIPIENT_DEFERRED: "The mail server asks to try this address again later.",
    Failure.RECIPIENT_REFUSED: "The mail server refuses this address for good.",
    Failure.ADDRESS: "No mail can be sent to an address like this.",
}
"""What a person is told."""

OF_QUEUE: Mapping[str, str] = {
    "expired": "The mail server took no mail for five days, so it was given up.",
    "bounced_before": "Mail servers have refused this address before, so it was not written to again.",
    "not_made": "Aureum could not make this mail. The log has mail_not_made with the reason; please report it.",
}
"""Errors of mails that no server has seen."""


def explained(error: str) -> str:
    """What a person is told of an error."""
    return EXPLAINED.get(error) or OF_QUEUE.get(error, "It failed for a reason that this version does not know.")


POLICY = re.compile(r"\s*5\.7\.\d+")
"""An enhanced status code (RFC 3463) that tells of a rule, not of the mailbox."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``failure`` is None for a mail that was accepted. ``answer`` is what the server said, which may quote the
    address."""

    failure: Failure | None
    code: int | None = None
    answer: str = ""

    @property
    def bounced(self) -> bool:
        """Whether the mailbox is gone, as far as the server knows."""
        return self.failure is Failure.RECIPIENT_REFUSED and POLICY.match(self.answer) is None
