"""Activities of a lead or contact: log, correct, remove."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from aureum.commands.changes import change
from aureum.domain.activities import NO_ACTIVITY, ActivityFields, HasActivities, happened
from aureum.store.event_store import Appended, EventStore, Idempotency
from aureum.store.metadata import Origin


@dataclass(frozen=True, kw_only=True)
class LogActivity:
    """A note, call, mail or visit of the lead or contact ``of``; ``missing`` is the message if there is no such one.
    ``happened_at`` defaults to now. ``logged_by`` is the user, None for a key."""

    tenant_id: UUID
    of: UUID
    missing: str
    type: str
    direction: str | None = None
    outcome: str | None = None
    duration: int | None = None
    text: str | None = None
    happened_at: datetime | None = None
    logged_by: UUID | None = None
    visible_to: UUID | None = None


async def log_activity(
    store: EventStore, command: LogActivity, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[HasActivities, Appended]:
    """The lead or contact, whose last event is the activity.

    Raises NotFound, WrongState, Invalid, Conflict, and what ``EventStore.append`` raises.
    """

    def decide(of: HasActivities, at: datetime) -> None:
        activity = ActivityFields(
            type=command.type,
            direction=command.direction,
            outcome=command.outcome,
            duration=command.duration,
            text=command.text,
            happened_at=happened(command.happened_at or at, at),
        )
        of.log_activity(activity, at, command.logged_by)

    return await change(
        store,
        command.tenant_id,
        command.of,
        HasActivities,
        decide,
        command="LogActivity",
        origin=origin,
        missing=command.missing,
        visible_to=command.visible_to,
        idempotency=idempotency,
    )


@dataclass(frozen=True, kw_only=True)
class ChangeActivity:
    """Correct the activity ``number`` of a lead or contact: ``changes`` by the names of ``activities.FIELDS``, except
    ``happened_at``. With ``remove`` it is removed instead. ``visible_to`` is the agent who asks."""

    tenant_id: UUID
    of: UUID
    number: int
    changes: Mapping[str, str | int | None] = field(default_factory=dict)
    happened_at: datetime | None = None
    remove: bool = False
    visible_to: UUID | None = None
    expected_versions: frozenset[int] | None = None


async def change_activity(store: EventStore, command: ChangeActivity, origin: Origin) -> HasActivities:
    """The lead or contact as it is afterwards. Values that hold already record nothing.

    Raises NotFound, NotAllowed, StaleVersion, Invalid, Conflict, and what ``EventStore.append`` raises.
    """

    def decide(of: HasActivities, at: datetime) -> None:
        if command.remove:
            of.remove_activity(command.number, at, command.visible_to)
            return
        changes = dict(command.changes)
        if command.happened_at is not None:
            changes["happened_at"] = happened(command.happened_at, at)
        of.correct_activity(command.number, changes, at, command.visible_to)

    changed, _ = await change(
        store,
        command.tenant_id,
        command.of,
        HasActivities,
        decide,
        command="ChangeActivity",
        origin=origin,
        missing=NO_ACTIVITY,
        visible_to=command.visible_to,
        expected_versions=command.expected_versions,
        # An activity is called by its place in the stream where it was logged.
        itself=True,
    )
    return changed
