"""What a client's form asks staff to do: a message to the agent, or a task where the client is no contact yet."""

from typing import NamedTuple
from uuid import UUID

from aureum.commands.conversations import SendMessage, send_message
from aureum.commands.tasks import CreateTask, create_task
from aureum.domain.conversation import Conversation
from aureum.domain.of_contact import CLIENT
from aureum.domain.task import TaskFields
from aureum.http.portal.clients import around_client, written_to
from aureum.http.portal.typed import once_of, origin_of
from aureum.http.portal.visit import PortalVisit


class Asked(NamedTuple):
    """What is asked: in a line, and in full. It is for this user, if for a certain one, and about this lead."""

    title: str
    text: str
    assigned_to: UUID | None = None
    lead_id: UUID | None = None
    priority: str = "MEDIUM"


async def say_to_agent(visit: PortalVisit, asked: Asked) -> None:
    """A message of the client, which reaches the agent by mail; or the task. Raises TooMany, Unavailable."""
    if not visit.client.contact_ids:
        await add_task(visit, asked)
        return
    contact_id = written_to(visit, await around_client(visit, Conversation))
    command = SendMessage(tenant_id=visit.client.tenant_id, contact_id=contact_id, text=asked.text, sender=CLIENT)
    await send_message(visit.app.store, command, origin_of(visit), idempotency=once_of(visit, asked.text))


async def add_task(visit: PortalVisit, asked: Asked) -> None:
    """A task for staff. Raises Unavailable."""
    contacts = visit.client.contact_ids
    fields = TaskFields(
        title=asked.title,
        type="follow_up",
        priority=asked.priority,
        status="pending",
        due_date=None,
        description=asked.text,
        assigned_to=asked.assigned_to,
        lead_id=asked.lead_id,
        contact_id=max(contacts) if contacts else None,
        property_id=None,
        created_by=None,
    )
    command = CreateTask(tenant_id=visit.client.tenant_id, fields=fields)
    await create_task(visit.app.store, command, origin_of(visit), idempotency=once_of(visit, asked.title, asked.text))
