"""A message as the queue keeps it: bytes that are made once, and sent as they are in every attempt."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from aureum.domain.ids import to_wire


@dataclass(frozen=True, slots=True)
class Message:
    """One save as it is told. ``position`` is that of the append's last event, ``recorded_at`` when it was stored."""

    position: int
    message_id: str
    event: str
    stream_id: UUID
    body: bytes
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Parked:
    """A save of which no message can be made, since the event at position ``cause`` cannot be read.

    ``reason`` is the class of the error; its text might quote what a person wrote.
    """

    position: int
    stream_id: UUID
    cause: int
    reason: str


def message_id(tenant_id: UUID, position: int, kind: str = "msg") -> str:
    """The id of the message at *position*: ``msg_``, the tenant's id in base 36, the position. It has no dots.

    That of a test begins with ``test_``: it is attempted only once.
    """
    return f"{kind}_{to_wire(tenant_id)[1:]}_{position}"
