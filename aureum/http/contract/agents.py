"""Agents as the Leads API names them: by their numbers."""

from uuid import UUID

from aureum.commands.references import user_of_number
from aureum.http.contract.endpoint import Context
from aureum.http.wire.errors import HttpError

FOREIGN_AGENT = "Agent {agent} does not belong to brokerage {brokerage}"
"""Of the document; said of an unknown number as well."""


async def check_agent(context: Context, agent: int | None) -> UUID | None:
    """The id of the user with this number. None for None. Raises HttpError 400, as the document has it."""
    if agent is None:
        return None
    user_id = await user_of_number(context.app.store, context.tenant_id, agent)
    if user_id is None:
        raise HttpError("agent_of_other_brokerage", FOREIGN_AGENT.format(agent=agent, brokerage=context.caller.number))
    return user_id
