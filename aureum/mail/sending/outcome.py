"""How an attempt ended, and what that says about the mail, its address and the server."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Failure(StrEnum):
    """Why a mail was not accepted. Failures of the server, or of our settings, say nothing about the mail."""

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
"""Failures that any other mail would have met, too. They use up no attempt."""

FINAL = frozenset((Failure.REFUSED, Failure.RECIPIENT_REFUSED, Failure.ADDRESS))
"""Failures after which no attempt follows: the server refuses for good, or no mail can go to the address."""

UNHEALTHY = OF_SERVER | {Failure.TIMEOUT, Failure.DISCONNECTED}
"""The failures that a breaker counts."""

EXPLAINED: Mapping[str, str] = {
    Failure.CONNECT: "The mail server cannot be reached. Check the host and port of AUREUM_SMTP_URL.",
    Failure.TLS: "The connection to the mail server could not be encrypted. Check its certificate.",
    Failure.STARTTLS_MISSING: "The mail server offers no STARTTLS, which AUREUM_SMTP_URL requires. "
    "Add ?starttls=optional only if the network in between is yours.",
    Failure.LOGIN_REFUSED: "The mail server refuses the login. Check the user and password of AUREUM_SMTP_URL.",
    Failure.LOGIN_MISSING: "The mail server offers no login. Remove the user and password from AUREUM_SMTP_URL.",
    Failure.SERVER_REFUSED: "The mail server accepts no mail at the moment.",
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
"""Each failure in words, with what to do."""

OF_QUEUE: Mapping[str, str] = {
    "expired": "The mail server accepted no mail for five days, so this mail was given up.",
    "bounced_before": "A mail server has refused this address before, so the mail was not sent.",
    "no_link": "The mail needs a link, and it is not known where this panel can be reached. Set AUREUM_PUBLIC_URL or "
    "AUREUM_BASE_DOMAIN, or open the panel at a domain of the brokerage, and ask for the mail again.",
    "not_made": "Aureum could not make this mail. The log has mail_not_made with the reason; please report it.",
}
"""Errors of mails that were not handed to a server."""


def explained(error: str) -> str:
    """An error in words, with what to do."""
    return EXPLAINED.get(error) or OF_QUEUE.get(error, "It failed for a reason that this version does not know.")


POLICY = re.compile(r"\s*5\.7\.\d+")
"""An enhanced status code (RFC 3463) about a rule, not about the mailbox."""


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
