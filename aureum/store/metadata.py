"""What is recorded about every event: who caused it, by which command, in which request, and what led to that."""

from dataclasses import dataclass, field
from typing import Any

import orjson
from uuid_utils.compat import uuid4


@dataclass(frozen=True, slots=True)
class Actor:
    """Who caused it: ``kind`` is visitor, key, user, client or system; ``id`` a wire id, or a name for the system.
    A client is named by the recipient of an envelope."""

    kind: str
    id: str | None = None

    def as_dict(self) -> dict[str, str | None]:
        return {"type": self.kind, "id": self.id}


VISITOR = Actor("visitor")
COMMAND_LINE = Actor("system", "command line")
WORKER = Actor("system", "webhook worker")
UPGRADE = Actor("system", "upgrade")
TIMERS = Actor("system", "timers")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a command comes from. ``correlation_id`` ties together all that one request led to."""

    actor: Actor
    request_id: str = field(default_factory=lambda: uuid4().hex)
    correlation_id: str | None = None
    causation_id: str | None = None
    undoes: int | None = None
    """The version of the stream that is undone, if that is what the command does."""
    address: str | None = None
    """The client's address, of staff and programs. Visitors' addresses are not recorded."""
    sealed_address: str | None = None
    """The same as it is stored (``aureum.store.addresses``)."""


def encode(origin: Origin, command: str, place: int, of: int) -> bytes:
    """The stored metadata of one event, the *place*-th of the *of* that its append has.

    A consumer that must see a save as a whole (one save sends one webhook) reads ``append``.
    """
    said: dict[str, object] = {
        "actor": origin.actor.as_dict(),
        "command": command,
        "request": origin.request_id,
        "correlation": origin.correlation_id or origin.request_id,
        "causation": origin.causation_id or origin.request_id,
        "append": [place, of],
    }
    if origin.undoes is not None:
        said["undoes"] = origin.undoes
    if origin.sealed_address is not None:
        said["address"] = origin.sealed_address
    return orjson.dumps(said)


def decode(stored: bytes) -> dict[str, Any]:
    """The inverse of ``encode``."""
    metadata: dict[str, Any] = orjson.loads(stored)
    return metadata
