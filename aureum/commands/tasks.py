"""Tasks: created, changed, completed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from aureum.commands.changes import change
from aureum.commands.references import answering, check_links, check_user
from aureum.domain import ids
from aureum.domain.task import LINKS, Task, TaskFields, linked
from aureum.store.event_store import NO_STREAM, Appended, EventStore, Idempotency
from aureum.store.metadata import Origin

NO_TASK = "There is no such task."


class CreateTask(BaseModel):
    """A new task. ``visible_to`` is the agent who asks."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    fields: TaskFields
    visible_to: UUID | None = None


async def create_task(
    store: EventStore, command: CreateTask, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[Task, Appended]:
    """The task as it was created.

    Raises Invalid, also for a user or a link that is not of this brokerage, and what ``EventStore.append`` raises.
    """
    task = await new_task(store, command)
    appended = await store.append(
        command.tenant_id, task, NO_STREAM, command="CreateTask", origin=origin, idempotency=idempotency
    )
    return task, appended


async def new_task(store: EventStore, command: CreateTask) -> Task:
    """The task, not appended yet. Raises Invalid, also for a user or a link that is not of this brokerage."""
    await check_user(store, command.tenant_id, command.fields.assigned_to)
    await check_links(store, command.tenant_id, links_of(vars(command.fields)), command.visible_to)
    contact_id = await answering(store, command.tenant_id, command.fields.contact_id)
    return Task.create(ids.new_id(), ids.now(), replace(command.fields, contact_id=contact_id))


class ChangeTask(BaseModel):
    """Only what is set changes. ``details`` are by the names of ``aureum.domain.task.DETAILS``; ``visible_to`` is the
    agent who asks, ``expected_versions`` the caller's If-Match."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    task_id: UUID
    status: str | None = None
    assign: bool = False
    assigned_to: UUID | None = None
    details: dict[str, str | UUID | None] = {}
    visible_to: UUID | None = None
    expected_versions: frozenset[int] | None = None


async def change_task(store: EventStore, command: ChangeTask, origin: Origin) -> Task:
    """The task as it is afterwards; what holds already records nothing.

    Raises NotFound, StaleVersion, Invalid, Conflict, and what ``EventStore.append`` raises.
    """
    if command.assign:
        await check_user(store, command.tenant_id, command.assigned_to)
    links = links_of(command.details)
    await check_links(store, command.tenant_id, links, command.visible_to)
    details = dict(command.details)
    if "contact_id" in links:
        details["contact_id"] = await answering(store, command.tenant_id, links["contact_id"])

    def decide(task: Task, at: datetime) -> None:
        if command.status is not None:
            task.change_status(command.status, at)
        if command.assign:
            task.assign(command.assigned_to, at)
        if details:
            task.change_details(details, at)

    task, _ = await change(
        store,
        command.tenant_id,
        command.task_id,
        Task,
        decide,
        command="ChangeTask",
        origin=origin,
        missing=NO_TASK,
        visible_to=command.visible_to,
        expected_versions=command.expected_versions,
    )
    return task


async def complete_task(
    store: EventStore,
    tenant_id: UUID,
    task_id: UUID,
    origin: Origin,
    *,
    visible_to: UUID | None = None,
    idempotency: Idempotency | None = None,
) -> tuple[Task, Appended]:
    """The task, completed; twice is the same success, and one event.

    Raises NotFound, Conflict, and what ``EventStore.append`` raises.
    """
    return await change(
        store,
        tenant_id,
        task_id,
        Task,
        Task.complete,
        command="CompleteTask",
        origin=origin,
        missing=NO_TASK,
        visible_to=visible_to,
        idempotency=idempotency,
    )


def links_of(fields: Mapping[str, str | UUID | None]) -> dict[str, UUID | None]:
    """Those of *fields* that name another resource."""
    return {name: linked(fields[name]) for name in LINKS if name in fields}
