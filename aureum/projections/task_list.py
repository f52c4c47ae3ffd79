"""The task list: a row a task, with the task as the Aureum API shows it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.domain.ids import aureum_time, to_wire
from aureum.domain.task import LINKS, Task, linked
from aureum.projections.document_list import DocumentList, Row, View, erased, moment_or_none, wire_or_none
from aureum.projections.emits import A_CONTACT, A_TASK, AN_AGENT, TIMES, Emits
from aureum.projections.list_filters import UPDATED_SINCE, Filter, Index, assigned_by, seen_by, status_of

SHOWN_DETAILS = {
    "title": "title",
    "type": "type",
    "priority": "priority",
    "due_date": "dueDate",
    "description": "description",
    "lead_id": "leadId",
    "contact_id": "contactId",
    "property_id": "propertyId",
}
"""Which details stand in ``doc``, and how they are called there."""


def step(row: Row | None, event: Any) -> Row | None:
    """What *event* makes of a task's row; events of other aggregates leave it as it is."""
    match event:
        case Task.Created():
            return {
                "task_id": event.originator_id,
                "stream_version": event.originator_version,
                "status": event.status,
                "assigned_to": event.assigned_to,
                "created_by": event.created_by,
                "lead_id": event.lead_id,
                "contact_id": event.contact_id,
                "due_at": moment_or_none(event.due_date),
                "updated_at": event.timestamp,
                "doc": document(event, event.originator_id, event.timestamp, event.timestamp),
            }
        case Task.Erased() if row is not None:
            return erased(row, event)
        case Task.Event() if row is not None:
            return changed(row, event)
    return row


def document(task: Task | Task.Created, task_id: UUID, created_at: datetime, updated_at: datetime) -> Row:
    """A task as the Aureum API shows it, of the aggregate or of the event that began it."""
    return {
        "id": to_wire(task_id),
        "title": task.title,
        "type": task.type,
        "priority": task.priority,
        "status": task.status,
        "dueDate": task.due_date,
        "description": task.description,
        "assignedToId": wire_or_none(task.assigned_to),
        "leadId": wire_or_none(task.lead_id),
        "contactId": wire_or_none(task.contact_id),
        "propertyId": wire_or_none(task.property_id),
        "createdAt": aureum_time(created_at),
        "updatedAt": aureum_time(updated_at),
    }


def changed(row: Row, event: Any) -> Row:
    """A new row with what *event* says; the old one stays as it was."""
    doc = row["doc"] | {"updatedAt": aureum_time(event.timestamp)}
    columns: Row = {"stream_version": event.originator_version, "updated_at": event.timestamp, "doc": doc}
    match event:
        case Task.StatusChanged():
            columns["status"] = doc["status"] = event.status
        case Task.Completed():
            columns["status"] = doc["status"] = "completed"
        case Task.Assigned():
            columns["assigned_to"] = event.assigned_to
            doc["assignedToId"] = wire_or_none(event.assigned_to)
        case Task.DetailsChanged():
            details = event.details if isinstance(event.details, dict) else {}
            doc |= {
                SHOWN_DETAILS[name]: wire_or_none(linked(value)) if name in LINKS else value
                for name, value in details.items()
            }
            columns["due_at"] = moment_or_none(doc["dueDate"])
            columns |= {name: linked(details.get(name, row[name])) for name in ("lead_id", "contact_id")}
        case Task.ContactChanged():
            columns["contact_id"] = event.contact_id
            doc["contactId"] = wire_or_none(event.contact_id)
    return row | columns


OF_LEAD = Filter(
    "lead_id",
    "uuid",
    "x.lead_id = {value}",
    (Index("lead_id, {id}", "lead_id IS NOT NULL", called="lead"),),
    ("task.details_changed",),
)
"""The task is about this lead."""

TASKS = View(
    "task",
    (
        status_of("task.status_changed", "task.completed"),
        assigned_by("task.assigned"),
        OF_LEAD,
        UPDATED_SINCE,
        seen_by("task.assigned"),
    ),
)

EMITS = Emits(
    {"task.created": "task.created", "task.completed": "task.completed"},
    {
        "id": A_TASK,
        "title": "Follow up with John Smith",
        "type": "call",
        "priority": "HIGH",
        "status": "pending",
        "dueDate": "2025-01-20T17:00:00.000Z",
        "description": None,
        "assignedToId": AN_AGENT,
        "leadId": None,
        "contactId": A_CONTACT,
        "propertyId": None,
        **TIMES,
    },
    {"task.completed": {"status": "completed"}},
    apart="task.created",
)

LIST = DocumentList(
    "task_list",
    "task",
    {
        "task_id": "uuid",
        "stream_version": "int4",
        "status": "text",
        "assigned_to": "uuid",
        "created_by": "uuid",
        "lead_id": "uuid",
        "contact_id": "uuid",
        "due_at": "timestamptz",
        "updated_at": "timestamptz",
        "doc": "text",
    },
    Task,
    step,
    step_version=4,
    emits=EMITS,
    views=(TASKS,),
    indexes=(
        Index("contact_id, {id}", "contact_id IS NOT NULL", called="contact"),
        Index("due_at, {id}", "status <> 'completed'", called="due"),
        Index("assigned_to, due_at, {id}", "status <> 'completed'", called="agent_due"),
    ),
)
