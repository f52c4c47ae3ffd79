"""Who hears of what as it happens: each endpoint from its registration on, but for the time that it was disabled.

What happened in that time is kept: enabling the endpoint begins a replay of it (``cause`` is ``enabled``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aureum.registry import expand
from aureum.webhooks.queue.message import Message
from aureum.webhooks.queue.queueing import Delivery, row_of

ENDPOINTS = """
SELECT w.endpoint_id, w.events, w.mode, r.position, d.position, u.position
  FROM webhook_endpoints w
  JOIN events r ON r.tenant_id = w.tenant_id AND r.stream_id = w.endpoint_id AND r.version = 1
  LEFT JOIN events d
         ON d.tenant_id = w.tenant_id AND d.stream_id = w.endpoint_id AND d.version = w.disabled_version
  LEFT JOIN events u
         ON u.tenant_id = w.tenant_id AND u.stream_id = w.endpoint_id AND u.version = w.enabled_version
 WHERE w.tenant_id = %(tenant)s AND NOT w.removed
"""


@dataclass(frozen=True, slots=True)
class Listener:
    """An endpoint that is not removed. Registered, disabled last and enabled after that at these positions.

    It may have been disabled before that, too; a projector that is as late as that tells it of what happened then, and
    the replay of that time finds it told.
    """

    endpoint_id: UUID
    events: frozenset[str]
    mode: str
    registered: int
    disabled: int | None = None
    enabled: int | None = None

    @property
    def open(self) -> bool:
        """Whether it is not disabled."""
        return self.disabled is None or self.enabled is not None

    def hears(self, event: str, position: int) -> bool:
        """Whether it is told of this *event* as it happens."""
        if event not in self.events or position <= self.registered:
            return False
        if self.disabled is None or position <= self.disabled:
            return True
        return self.enabled is not None and position > self.enabled


def listener(row: Any) -> Listener:
    """A row of ``ENDPOINTS``."""
    endpoint_id, events, mode, *positions = row
    return Listener(endpoint_id, expand(events), mode, *positions)


def live(messages: Iterable[Message], listeners: Iterable[Listener]) -> list[Delivery]:
    """Each of *messages* for each endpoint that hears of it."""
    known = list(listeners)
    return [
        Delivery(one.endpoint_id, message.position, row_of(one.mode, message.stream_id))
        for message in messages
        for one in known
        if one.hears(message.event, message.position)
    ]
