"""Loses the connection of somebody who is at work, before any statement of it."""

from collections.abc import Coroutine
from typing import Any

from aureum.domain.errors import Unavailable
from aureum.store.event_store import EventStore
from tests.webhooks.test_projector import KillingCursor


def make_mortal(victim: EventStore) -> None:
    """From now on the connections that *victim* makes can be killed."""
    assert isinstance(victim.database.pool.kwargs, dict)
    victim.database.pool.kwargs["cursor_factory"] = KillingCursor


async def killed(victim: EventStore, statement: int, work: Coroutine[Any, Any, Any]) -> bool:
    """Do *work* of *victim* and kill its connection before the so manieth statement; whether it came to that."""
    KillingCursor.kill_at = 0
    async with victim.database.pool.connection() as connection:
        # The pool makes another connection, now of the cursors that kill.
        await connection.close()
    KillingCursor.statements, KillingCursor.kill_at = 0, statement
    try:
        await work
    except Unavailable:
        return True
    finally:
        KillingCursor.kill_at = 0
    return False
