"""Which moment a date without a time is: its midnight on the clock of the brokerage."""

from datetime import datetime
from uuid import UUID

from aureum.domain.wall_time import Midnight, midnight
from aureum.projections import brokerages
from aureum.store.postgres.database import Database

OF_THE_PLATFORM = "UTC"


async def on_clock(database: Database, tenant_id: UUID, *moments: datetime | None) -> list[datetime | None]:
    """*moments*, of which those that are dates alone are read on the clock of the tenant. Raises Unavailable."""
    if not any(isinstance(moment, Midnight) for moment in moments):
        return list(moments)
    rows = await database.tenant_rows(tenant_id, brokerages.ZONE, {"tenant": tenant_id})
    zone = rows[0][0] if rows else OF_THE_PLATFORM
    return [midnight(moment.date(), zone) if isinstance(moment, Midnight) else moment for moment in moments]
