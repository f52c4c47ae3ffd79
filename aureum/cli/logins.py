"""The logins of the database: a warning if the one that answers requests can do too much, and a refusal if the owner's
can do too little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aureum.settings import Settings
    from aureum.store.postgres.connection import Connection
    from aureum.store.postgres.watch import Watch

ONE_LOGIN = (
    "AUREUM_OWNER_DATABASE_URL is not set, so requests are answered by the login that owns the tables. "
    "docs/operating.md says how to let one answer them that owns nothing."
)
BOTH_OWN = (
    "The login of AUREUM_DATABASE_URL owns the tables, or could become their owner. Use one that owns nothing, and "
    "leave the owner to AUREUM_OWNER_DATABASE_URL: docs/operating.md says how."
)
OWNS_NOTHING = (
    "The login of AUREUM_DATABASE_URL owns nothing. The worker and commands work for all brokerages and need the "
    "owner's: set AUREUM_OWNER_DATABASE_URL. Only 'aureum serve --no-worker' does without."
)
NOT_OWNER = (
    "The login of AUREUM_OWNER_DATABASE_URL does not own the tables. Use the one that has migrated the database."
)


async def too_much(settings: Settings, watch: Watch | None = None) -> str | None:
    """What to say if requests are answered by a login that owns the tables. Raises Unavailable."""
    from aureum.store.postgres.service_role import owns

    if settings.database_url is None or not await owns(settings.database_url, watch):
        return None
    return ONE_LOGIN if settings.owner_database_url is None else BOTH_OWN


def too_little(settings: Settings) -> str:
    """Why the login that should own the tables cannot do what it must."""
    return OWNS_NOTHING if settings.owner_database_url is None else NOT_OWNER


async def lacks_rights(settings: Settings, owner: Connection) -> bool:
    """Whether there are two logins, and the one that answers requests has not been given all its rights; *owner* is a
    connection by the other one. Raises Unavailable, OtherDatabase."""
    from aureum.store.postgres import service_role
    from aureum.store.postgres.database import connect

    if settings.owner_database_url is None or settings.database_url is None:
        return False
    async with await connect(settings.database_url) as service:
        await service_role.check_same(owner, service)
        return await service_role.lacks_rights(service)
