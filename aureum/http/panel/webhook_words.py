"""Webhooks in words: what an event is called, in which order deliveries go out, and why one failed."""

from aureum.webhooks.sending.results import Failure

MODES = {
    "parallel": "As fast as possible",
    "keyed": "In order for each lead, contact, property, task or showing",
    "fifo": "All in order, one after the other",
}

ERRORS: dict[str, str] = {
    Failure.DNS: "the host's name was not found",
    Failure.REFUSED: "the host refused the connection",
    Failure.RESET: "the connection broke before a response",
    Failure.CONNECT_TIMEOUT: "the host could not be reached in time",
    Failure.TIMEOUT: "no response came in time",
    Failure.TLS: "the host's certificate was not accepted",
    Failure.BLOCKED_ADDRESS: "the host's address is not allowed",
    Failure.TOO_LARGE: "the response was too large",
    Failure.PROTOCOL: "the response was not HTTP",
    Failure.HTTP_3XX: "the endpoint sent a redirect, which Aureum does not follow",
    Failure.HTTP_4XX: "the endpoint refused the message",
    Failure.HTTP_5XX: "the endpoint had an error of its own",
}


def event_words(event: str | None) -> str:
    """``lead.created`` → ``Lead created``, ``lead.*`` → ``All lead events``."""
    if event is None:
        return "No longer stored"
    kind, _, happened = event.partition(".")
    if happened == "*":
        return f"All {kind} events"
    return f"{kind.capitalize()} {happened.replace('_', ' ').replace('.', ' ')}".strip()


def error_words(error: str | None) -> str:
    """Why an attempt failed."""
    return "" if error is None else ERRORS.get(error, error.replace("_", " "))
