"""Brings what an earlier version kept by other rules to one form of an e-mail address: subscribers whose addresses are
spellings of one become one, logins get the form they are found by, and searches know every spelling.

Once an installation (aureum/cli/upgrade.py). It may be broken off and begun again at any point.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from aureum.commands.changes import change
from aureum.commands.conflicts import deciding_again
from aureum.commands.newsletter import lives, living, unsubscribe
from aureum.domain import ids
from aureum.domain.emails import one_form, trimmed
from aureum.domain.subscriber import Subscriber
from aureum.domain.user import User
from aureum.projections import subscriber_list
from aureum.store.event_store import EventStore
from aureum.store.metadata import UPGRADE, Origin
from aureum.store.rebuild.rebuild import rebuild

TENANTS = "SELECT tenant_id FROM heads ORDER BY tenant_id"

USERS = "SELECT tenant_id, user_id, number, email FROM users ORDER BY number"

APART = "UPDATE users SET email = user_id::text WHERE user_id = ANY (%(users)s)"
SET_USERS = """
UPDATE users u SET email = s.email, shown_email = s.shown, address = s.address
  FROM unnest(%(users)s::uuid[], %(emails)s::text[], %(shown)s::text[], %(addresses)s::text[])
       AS s (user_id, email, shown, address)
 WHERE u.user_id = s.user_id
"""
"""In two steps, since the index looks at every row by itself: one may get what another has still."""

HAS_UNUSUAL = """
SELECT EXISTS (
    SELECT FROM {table} l
     WHERE l.tenant_id = %(tenant)s AND (l.doc::json ->> 'email' ~ '[^ -~]' OR l.doc::json ->> 'email' ILIKE '%%xn--%%')
)
"""
SEARCHED = ("contact_list", "lead_list")
"""What is searched by address: rebuilt where addresses have more spellings than one."""


async def one_form_everywhere(store: EventStore, url: str) -> None:
    """Bring all tenants to one form. Raises Conflict, Busy, Unavailable, WrongMasterKey."""
    await find_logins(store)
    for (tenant_id,) in await store.database.rows(TENANTS):
        await unite_subscribers(store, tenant_id)
        for table in SEARCHED:
            ((unusual,),) = await store.database.rows(HAS_UNUSUAL.replace("{table}", table), {"tenant": tenant_id})
            if unusual:
                await rebuild(url, store.keys, table, tenant_id, prepared=store.database.prepared)


async def unite_subscribers(store: EventStore, tenant_id: UUID) -> None:
    """One subscriber of those whose addresses are spellings of one, at the stream that any spelling leads to."""
    key = await store.tenant_key(tenant_id)
    found = await store.database.tenant_rows(tenant_id, subscriber_list.UNUSUAL, {"tenant": tenant_id})
    groups: dict[str, list[UUID]] = {}
    for subscriber_id, email in found:
        groups.setdefault(one_form(email), []).append(subscriber_id)
    for address, members in groups.items():
        streams = lives(key, address)
        others = [member for member in members if member not in streams]
        if others:
            await unite(store, tenant_id, streams, others)


async def unite(store: EventStore, tenant_id: UUID, streams: list[UUID], others: Sequence[UUID]) -> None:
    """*others* go on as the subscriber at the living one of *streams*, which begins if there is none yet. Who has
    unsubscribed under one spelling has unsubscribed."""

    async def begin() -> UUID:
        stream_id, stream = await living(store, tenant_id, streams)
        subscriber: Subscriber | None = stream.aggregate()
        parts = [(await store.load(tenant_id, other)).aggregate() for other in others]
        if subscriber is None:
            subscriber = Subscriber.unite(stream_id, ids.now(), parts)
        elif not all(part.subscribed or part.merged_into for part in parts):
            subscriber.unsubscribe(max(ids.now(), subscriber.modified_on))
        await store.append(tenant_id, subscriber, stream, command="UniteSubscribers", origin=Origin(UPGRADE))
        return stream_id

    into = await deciding_again(begin)
    for other in others:
        left = False

        def decide(subscriber: Subscriber, at: datetime) -> None:
            nonlocal left
            left = not subscriber.subscribed and subscriber.merged_into is None
            subscriber.merge(into, at)

        await change(store, tenant_id, other, Subscriber, decide, command="UniteSubscribers", origin=Origin(UPGRADE))
        if left:
            # Also where the person unsubscribed after the one subscriber began.
            await unsubscribe(store, tenant_id, into, Origin(UPGRADE))


class Login(NamedTuple):
    """Who logs in, and with what: as given, and as the row had it."""

    user_id: UUID
    shown: str
    email: str


async def find_logins(store: EventStore) -> None:
    """Logins are found by their address in one form. Those that share one stay apart: one of them has the form for
    a key, and the others their own spelling."""
    same: dict[str, list[Login]] = {}
    for tenant_id, user_id, _, email in await store.database.rows(USERS):
        stream = await store.load(tenant_id, user_id)
        user: Any = stream.aggregate()
        if not isinstance(user, User) or stream.subject_key is None:
            continue
        same.setdefault(one_form(user.email), []).append(Login(user_id, user.email, email))
    found = [login for form, logins in same.items() for login in told_apart(form, logins)]
    about = {
        "users": [login.user_id for login in found],
        "emails": [login.email for login in found],
        "shown": [login.shown for login in found],
        "addresses": [one_form(login.shown) for login in found],
    }
    async with store.database.connection() as connection, connection.transaction():
        await connection.execute(APART, about)
        await connection.execute(SET_USERS, about)


def told_apart(form: str, logins: Sequence[Login]) -> list[Login]:
    """*logins* of one address, oldest first, each with what it is found by from now on."""
    spelled = [trimmed(login.shown).lower() for login in logins]
    first = spelled.index(form) if form in spelled else 0
    return [
        login._replace(email=form if place == first else spelled[place] if spelled[place] != form else login.email)
        for place, login in enumerate(logins)
    ]
