"""The results of an attempt, apart from the sender, so that code that only records them does not load it."""

from enum import StrEnum
from typing import NamedTuple


class Failure(StrEnum):
    """Why an attempt failed."""

    DNS = "dns"
    REFUSED = "refused"  # no connection: refused, or no route
    RESET = "reset"  # the connection broke before an answer
    CONNECT_TIMEOUT = "connect_timeout"  # nothing said the host is there
    TIMEOUT = "timeout"
    TLS = "tls"
    BLOCKED_ADDRESS = "blocked_address"
    TOO_LARGE = "too_large"  # the head of the answer; a long body is only cut off
    PROTOCOL = "protocol"  # the answer is not HTTP
    HTTP_3XX = "http_3xx"
    HTTP_4XX = "http_4xx"
    HTTP_5XX = "http_5xx"


UNREACHED = frozenset((Failure.DNS, Failure.REFUSED, Failure.CONNECT_TIMEOUT, Failure.TLS))
"""Failures of the host: there was no connection to send anything over."""


class SendResult(NamedTuple):
    """What became of one attempt. *error* is None for success, which is a whole 2xx head, no matter what follows it."""

    status: int | None
    error: Failure | None
    duration_ms: int
    response_excerpt: bytes
    retry_after: str | None
