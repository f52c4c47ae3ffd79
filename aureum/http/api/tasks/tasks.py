"""Tasks, in the Aureum API: list, create, read, change, complete. Agents see their own."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from aureum.commands.batches import Outcome, new_tasks
from aureum.commands.tasks import NO_TASK, ChangeTask, CreateTask, change_task, complete_task, create_task
from aureum.domain.task import Task
from aureum.http.access.callers import origin
from aureum.http.api.tasks.task_fields import Status, TaskBatch, TaskChange, TaskCreate, TaskResponse
from aureum.http.contract.answers import encoded
from aureum.http.contract.batch import batch_endpoint
from aureum.http.contract.catching_up import RemovedResponse
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.history import get_history
from aureum.http.contract.lists import DeltaPaging, listing
from aureum.http.contract.resource import AsOf, answered, expected_versions, reference, run_once, shown
from aureum.http.contract.undoing import undo_endpoint
from aureum.http.wire.shapes import EventResponse
from aureum.projections import task_list

TASKS = listing("/api/tasks", task_list.LIST, task_list.TASKS)


class TaskFilters(DeltaPaging):
    """The document's filters."""

    status: Annotated[Status | None, Field(description="Filter by status.")] = None
    assigned_to: Annotated[str | None, Field(alias="assignedToId", description="Filter by assigned user.")] = None
    lead_id: Annotated[str | None, Field(alias="leadId", description="Filter by the lead that they are about.")] = None


def task_body(task: Task) -> bytes:
    """A task as the Aureum API shows it, in the same words as the list."""
    return encoded(task_list.document(task, task.id, task.created_on, task.modified_on))


async def get_tasks(context: Context, filters: TaskFilters) -> Response:
    """Lists the tasks, newest first: in pages with ``limit``, otherwise streamed as a whole. Agents see the tasks that
    are assigned to them or that they created."""
    chosen = {
        "status": filters.status,
        "assigned_to": reference(filters.assigned_to),
        "lead_id": reference(filters.lead_id),
        "visible_to": context.caller.visible_to,
    }
    return await TASKS.answer(context, filters, chosen)


async def post_task(context: Context, new: TaskCreate) -> Response:
    """Returns the new task."""
    command = creating(context, new)
    return await run_once(context, partial(create_task, context.app.store, command), task_body, 201)


def creating(context: Context, new: TaskCreate) -> CreateTask:
    """What the caller asks for."""
    fields = new.fields(context.caller.user_id)
    return CreateTask(tenant_id=context.tenant_id, fields=fields, visible_to=context.caller.visible_to)


async def decide_tasks(context: Context, rows: Sequence[TaskCreate]) -> Sequence[Outcome]:
    """A task for each row."""
    return await new_tasks(context.app.store, [creating(context, new) for new in rows])


async def get_task(context: Context, task_id: UUID, as_of: AsOf) -> Response:
    """Returns the task, or its state at ``asOf``."""
    return await shown(context, task_list.LIST, task_id, NO_TASK, as_of, task_body)


async def patch_task(context: Context, task_id: UUID, change: TaskChange) -> Response:
    """Changes the fields that are sent, and returns the task. Send ``If-Match`` with the ETag to avoid overwriting
    someone else's change."""
    command = ChangeTask(
        tenant_id=context.tenant_id,
        task_id=task_id,
        status=change.status,
        assign="assigned_to" in change.model_fields_set,
        assigned_to=reference(change.assigned_to),
        details=change.details(),
        visible_to=context.caller.visible_to,
        expected_versions=expected_versions(context.request),
    )
    task = await change_task(context.app.store, command, origin(context.request, context.caller))
    return answered(context, task, task_body)


async def post_completion(context: Context, task_id: UUID) -> Response:
    """Sets the status to ``completed``. Completing it again has no further effect."""
    command = partial(
        complete_task, context.app.store, context.tenant_id, task_id, visible_to=context.caller.visible_to
    )
    return await run_once(context, command, task_body)


async def get_task_history(context: Context, task_id: UUID, as_of: AsOf) -> Response:
    """Lists every event of the task, oldest first: who changed what, when, from which value to which. With ``asOf``
    it ends at that moment."""
    return await get_history(context, task_list.LIST, task_id, NO_TASK, as_of)


SHOWN = TaskResponse
"""What webhooks are sent."""

one = partial(Endpoint, path="/api/tasks/{id}", id=Id(NO_TASK), answers=TaskResponse)

ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/tasks",
        get_tasks,
        "List tasks",
        query=TaskFilters,
        answers=list[TaskResponse | RemovedResponse],
        etag_from_position=True,
    ),
    Endpoint("POST", "/api/tasks", post_task, "Create a task", body=TaskCreate, answers=TaskResponse, status=201),
    batch_endpoint(
        "/api/tasks",
        TaskBatch,
        TaskCreate,
        TaskResponse,
        decide_tasks,
        lambda _, task: task_body(task),
        command="CreateTasks",
        names="tasks",
    ),
    one(method="GET", run=get_task, summary="Get a task", query=AsOf),
    one(method="PATCH", run=patch_task, summary="Change a task", body=TaskChange),
    one(method="POST", path="/api/tasks/{id}/complete", run=post_completion, summary="Complete a task"),
    one(
        method="GET",
        path="/api/tasks/{id}/history",
        run=get_task_history,
        summary="Get a task's history",
        query=AsOf,
        answers=list[EventResponse],
    ),
    undo_endpoint("/api/tasks", Task, NO_TASK, "task"),
)
