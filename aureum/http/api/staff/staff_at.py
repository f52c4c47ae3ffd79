"""The staff of a brokerage as it was at a moment: a few dozen streams, each replayed."""

from contextlib import aclosing
from datetime import datetime
from uuid import UUID

import orjson

from aureum.domain.aggregate import replay
from aureum.domain.user import User
from aureum.http.contract.endpoint import Context
from aureum.http.contract.past import check_bounds, last_id, reading
from aureum.store.lists_as_of import streams_as_of

IN_ORDER = """
SELECT u.id FROM json_to_recordset(%(users)s::json) AS u (id uuid, name text, number bigint) ORDER BY u.name, u.number
"""
"""By name, as the database orders names."""


async def staff_at(context: Context, tenant_id: UUID, moment: datetime) -> list[User]:
    """The users of the tenant at *moment*, by name, disabled ones included. Raises HttpError 400 if there are too
    many, Unavailable."""
    database = context.app.database
    key = await context.app.store.tenant_key(tenant_id)
    users: dict[UUID, User] = {}
    streams = streams_as_of(reading(database, tenant_id), key, User, moment, last_id(moment))
    async with aclosing(streams) as parts:
        async for part in parts:
            user = replay(one.event for one in part.events)
            users[user.id] = user
            check_bounds(len(users), part.read, 0)
    named = [{"id": user.id, "name": user.name, "number": user.number} for user in users.values()]
    rows = await database.tenant_rows(tenant_id, IN_ORDER, {"users": orjson.dumps(named).decode()})
    return [users[user_id] for (user_id,) in rows]
