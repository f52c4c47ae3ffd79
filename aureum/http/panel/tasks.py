"""Tasks: what is to be done, until when, by whom, and about what."""

from typing import get_args

from aureum.http.api.tasks.task_fields import Priority, Status, Type
from aureum.http.panel.fields import Field
from aureum.http.panel.page import Page
from aureum.http.panel.resource import Action, Column, Resource
from aureum.http.panel.resource_page import pages_of
from aureum.http.panel.task_agenda import DONE, about, act, add, show_agenda

FIELDS = (
    Field("title", "Title", required=True),
    Field("type", "Type", "choice", get_args(Type), required=True, default="other"),
    Field("priority", "Priority", "choice", get_args(Priority), required=True, default="MEDIUM"),
    Field("status", "Status", "choice", get_args(Status), required=True),
    Field("dueDate", "Due", "time"),
    Field("assignedToId", "Assigned to", "user"),
    Field("leadId", "Lead", "lead"),
    Field("contactId", "Contact", "contact"),
    Field("propertyId", "Property", "property"),
    Field("description", "Description", "long"),
)

TASKS = Resource(
    path="/admin/tasks",
    api="/api/tasks",
    one="task",
    many="Tasks",
    title=lambda task: task["title"],
    columns=(
        Column("title", "Title"),
        Column("status", "Status", "badge"),
        Column("priority", "Priority"),
        Column("dueDate", "Due", "time"),
        Column("assignedToId", "Assigned to", "user"),
    ),
    filters=(
        Field("status", "Status", "choice", get_args(Status)),
        Field("assignedToId", "Assigned to", "user"),
    ),
    new=FIELDS,
    change=FIELDS,
    actions=(
        Action(
            "complete", "Complete", "The task was completed.", lambda task: task["status"] != "completed", undoable=True
        ),
    ),
    history=True,
    view=show_agenda,
    template="task.html",
    beside=about,
    told=DONE,
    facts=(Column("createdAt", "Created", "time"), Column("updatedAt", "Last changed", "time")),
)

PAGES = (
    Page(TASKS.path + "/add", act=add),
    *pages_of(TASKS),
    Page(TASKS.path + "/{id}/act", act=act),
)
