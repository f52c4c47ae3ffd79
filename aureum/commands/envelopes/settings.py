"""What a brokerage decides about its envelopes: how long completed ones are kept, and when signers are reminded."""

from typing import NamedTuple
from uuid import UUID

from aureum.domain import ids
from aureum.domain.brokerage import REMIND_AFTER_DAYS, RETAIN_YEARS, Brokerage
from aureum.store.event_store import EventStore


class SigningSettings(NamedTuple):
    """Those of a brokerage; ``version`` is that of its stream."""

    retain_years: int = RETAIN_YEARS
    remind_after_days: tuple[int, ...] = REMIND_AFTER_DAYS
    version: int = 0


async def signing_settings(store: EventStore, tenant_id: UUID) -> SigningSettings:
    """As they are now. Raises Unavailable."""
    brokerage = (await store.load(ids.PLATFORM, tenant_id)).aggregate()
    if not isinstance(brokerage, Brokerage):
        return SigningSettings()
    return SigningSettings(brokerage.retain_years, tuple(brokerage.remind_after_days), brokerage.version)
