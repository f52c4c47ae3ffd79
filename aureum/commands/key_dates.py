"""The key dates of a client's deal: set all together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from aureum.commands.of_contacts import Around, change_around
from aureum.domain.key_dates import KeyDate, KeyDates
from aureum.domain.of_contact import STAFF
from aureum.store.event_store import Appended, EventStore
from aureum.store.metadata import Origin


@dataclass(frozen=True, kw_only=True)
class SetKeyDates:
    """All dates of the contact. ``expected_versions`` is the caller's If-Match."""

    tenant_id: UUID
    contact_id: UUID
    dates: Sequence[KeyDate]
    expected_versions: frozenset[int] | None = None


async def set_key_dates(store: EventStore, command: SetKeyDates, origin: Origin) -> tuple[Around[KeyDates], Appended]:
    """The dates, which take the place of all that were shown: also of those that a contact brought which was merged
    into this one.

    Raises NotFound, StaleVersion, Invalid, Conflict, and what ``EventStore.append`` raises.
    """

    def decide(several: Around[KeyDates], own: KeyDates, at: datetime) -> None:
        own.set(command.dates, at)
        for one in several.kept:
            if one is not own:
                one.set((), at)

    return await change_around(
        store,
        command.tenant_id,
        command.contact_id,
        KeyDates,
        decide,
        by=STAFF,
        command="SetKeyDates",
        origin=origin,
        expected_versions=command.expected_versions,
    )
