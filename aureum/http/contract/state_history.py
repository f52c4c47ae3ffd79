"""Histories of users, API keys, webhooks and brokerages: one entry an event, with who, what and when, and from what to
what. What changed is told by what the resource is shown as before and after. Of secrets only that they changed is said.

Names and addresses stand there as the events have them, which are sealed under the key of the user: of one who was
erased they read as erased.
"""

from collections.abc import Callable, Mapping
from typing import Any

from aureum.commands.undoing import saves_of
from aureum.domain.ids import aureum_time
from aureum.http.contract.history import entry
from aureum.projections.changes import changes
from aureum.store.event_store import Stream

Shown = Callable[[Any], dict[str, Any]]
"""What an aggregate is shown as."""

UNSEEN: Mapping[str, str] = {
    "user.password_set": "password",
    "user.invited": "invitation",
    "user.invitation_cancelled": "invitation",
    "user.view_saved": "saved_views",
    "user.view_removed": "saved_views",
    "user.notify_changed": "notify",
    "webhook_endpoint.secret_rotated": "secret",
}
"""What an event changed where the value itself is not shown, or is the same as before."""


def states(stream: Stream, shown: Shown, time: Callable[[Any], str] = aureum_time) -> list[dict[str, Any]]:
    """The entries of a stream, oldest first; *time* writes a moment in the dialect."""
    saves = saves_of(stream)
    made = []
    aggregate: Any = None
    before: dict[str, Any] = {}
    for recorded in stream.events:
        event = recorded.event
        aggregate = event.mutate(aggregate)
        after = shown(aggregate)
        told = changes(before, after) or unseen(event.TOPIC)
        made.append(
            entry(recorded, told) | {"at": time(event.timestamp), "savedWith": saves[event.originator_version][0]}
        )
        before = after
    return made


def unseen(topic: str) -> dict[str, Any]:
    """That something changed which is not shown."""
    return {UNSEEN[topic]: {"from": None, "to": "changed"}} if topic in UNSEEN else {}
