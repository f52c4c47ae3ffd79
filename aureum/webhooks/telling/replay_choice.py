"""Which of the messages of a stretch of the log a replay delivers again. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from aureum.registry import expand
from aureum.webhooks.queue.message import Message
from aureum.webhooks.queue.queueing import Delivery, row_of
from aureum.webhooks.telling.messages import SOURCES, TYPES_OF


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a message at one endpoint: the number of its last attempt, that one's outcome, any success."""

    attempts: int
    last: str | None
    delivered: bool


UNTRIED = Tried(0, None, False)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a replay goes: the endpoint and its mode, and what of its ``events`` the replay's own leave of them."""

    endpoint_id: UUID
    mode: str
    events: frozenset[str]
    which: str


def target(endpoint_id: UUID, mode: str, own: Iterable[str], narrowed: Collection[str], which: str) -> Target:
    """*narrowed* to nothing is all of the endpoint's *own* events."""
    events = expand(own)
    return Target(endpoint_id, mode, events & expand(narrowed) if narrowed else events, which)


def types_of(events: Collection[str]) -> list[str]:
    """The types of all stored events of those resources that *events* tell of."""
    return [
        name
        for aggregate, source in SOURCES.items()
        if not set(source.names.values()).isdisjoint(events)
        for name in TYPES_OF[aggregate]
    ]


def may_go(which: str, queued: bool, tried: Tried) -> bool:
    """Whether a message goes out again, of which no delivery is queued: any, if it was given up, or if it was never
    delivered."""
    if queued:
        return False
    match which:
        case "failed":
            return tried.last == "exhausted"
        case "missing":
            return not tried.delivered
    return True


def chosen(messages: Iterable[Message], goal: Target, tried: Mapping[int, Tried]) -> dict[Message, Delivery]:
    """Those of *messages*, all of which may go, that *goal* is told of; each with its delivery."""
    return {
        message: Delivery(
            goal.endpoint_id,
            message.position,
            row_of(goal.mode, message.stream_id),
            tried.get(message.position, UNTRIED).attempts,
        )
        for message in messages
        if message.event in goal.events
    }
