"""``/api/v1/admin/routing/examples``: the leads that routing has learnt from, and how much each counts. For brokers
and owners."""

from typing import Annotated
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from aureum.commands.routed import agent_of
from aureum.commands.routing_examples import examples_of
from aureum.domain.ids import leads_time
from aureum.domain.routing.eligible import Agent
from aureum.domain.routing.examples import Example
from aureum.domain.routing.settings import from_json
from aureum.http.access.roles import check_leader
from aureum.http.api.routing.settings import PATH as ROUTING
from aureum.http.api.staff.scope import in_brokerage
from aureum.http.api.staff.user_fields import BrokeragePage
from aureum.http.contract.answers import encoded
from aureum.http.contract.endpoint import STAFF, Context, Endpoint
from aureum.http.contract.numbered_pages import FoundPage, NumberedPage, paged
from aureum.http.wire.shapes import LeadsTimestamp, Shape
from aureum.projections import brokerages, users

PATH = ROUTING + "/examples"


class ExampleResponse(Shape):
    """A lead that staff gave to another agent."""

    lead_id: int
    agent: Annotated[int, Field(description="The number of the agent whose example it is.")]
    name: Annotated[str, Field(description="The name of the agent.")]
    reassigned_at: Annotated[LeadsTimestamp, Field(description="When staff gave the lead to the agent.")]
    weight: Annotated[
        float,
        Field(ge=0, le=1, description="How much it counts beside a phrase of the profile; 0 if it says nothing."),
    ]
    text: Annotated[str, Field(description="What of the enquiry is compared, without the words that are masked.")]


class ExamplesPage(NumberedPage[ExampleResponse]):
    """One page of the examples. A page beyond the last has no items."""


async def get_examples(context: Context, part: BrokeragePage) -> Response:
    """Lists the leads that routing has learnt from, newest first: those that a user gave to another agent, if
    ``learn_from_reassignments`` is set. Of an agent the newest 50 count. A lead is no longer here when its person is
    erased, or when it is assigned again; routing follows within a minute."""
    check_leader(context.caller.role)
    context = await in_brokerage(context, part.brokerage_id, "list examples")
    caller, about = context.caller, {"tenant": context.tenant_id}
    staff, ((kept, _),) = await context.app.database.tenant_results(
        context.tenant_id, [(users.AGENTS, about), (brokerages.ROUTED_BY, about)]
    )
    routing = from_json(kept)
    learns = routing.learn_from_reassignments
    agents = {agent.user_id: agent for agent in map(agent_of, staff)}
    found = await examples_of(context.app.store, context.tenant_id) if learns else ()
    # A user may have been disabled in between.
    examples = tuple(one for one in found if one.agent in agents)
    shown = examples[part.skipped : part.skipped + part.page_size]

    async def read() -> FoundPage:
        items = documents(shown, examples, agents, frozenset(routing.masked_words))
        return FoundPage(b",".join(map(encoded, items)).decode(), len(examples))

    # What is erased changes no position.
    state = (PATH, caller.tenant_id, caller.head, caller.read_version, caller.view, [one.lead_id for one in examples])
    return await paged(context, part, state, read)


def documents(
    shown: tuple[Example, ...], examples: tuple[Example, ...], agents: dict[UUID, Agent], masked: frozenset[str]
) -> list[dict[str, object]]:
    """Those of *examples* that are *shown*, with what of them is compared and how much each counts."""
    from aureum.commands.ranking import Profiles
    from aureum.routing.profile import words_of

    concerned = tuple(agents[agent] for agent in {one.agent for one in shown})
    words = {one.user_id: words_of(one, masked) for one in Profiles(concerned, masked, examples).profiles()}
    texts = {user_id: {name: text for text, name in of.examples} for user_id, of in words.items()}
    return [
        {
            "lead_id": one.number,
            "agent": agents[one.agent].number,
            "name": agents[one.agent].name,
            "reassigned_at": leads_time(one.at),
            "weight": round(words[one.agent].example_weight, 3) if one.name in texts[one.agent] else 0.0,
            "text": texts[one.agent].get(one.name, ""),
        }
        for one in shown
    ]


ENDPOINTS = (
    Endpoint(
        "GET",
        PATH,
        get_examples,
        "List what routing has learnt from",
        access=STAFF,
        dialect="leads",
        query=BrokeragePage,
        answers=ExamplesPage,
        refusals=(400, 403, 404),
    ),
)
