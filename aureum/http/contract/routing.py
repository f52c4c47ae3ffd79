"""How a lead or a showing found its agent, in the Aureum API: shown where one is read or made, not in lists, and not in
what webhooks are sent. Agents see the reason alone.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from pydantic import Field

from aureum.domain.ids import to_wire
from aureum.domain.lead import Lead
from aureum.domain.routing import reasons
from aureum.domain.tour import Tour
from aureum.http.contract.endpoint import Context
from aureum.projections import lead_list

Routing = Annotated[
    dict[str, Any],
    Field(
        default_factory=dict,
        description="Why it was routed to this agent: `mode`, `agent`, `rule`, `margin`, `reason` and `model`. Agents "
        "see the `reason` alone. Present only if it was routed, and not in lists.",
    ),
]

Route = Annotated[
    bool,
    Field(
        description="Routes it to an agent as a form is routed, unless it is assigned to a user. A client who is known "
        "goes to the client's own agent."
    ),
]


def beside(context: Context, details: str) -> dict[str, Any]:
    """What stands beside a read model's document, of its ``details``: of what was not routed nothing."""
    return of(context, orjson.loads(details))


def with_routing(context: Context, doc: Mapping[str, Any], made: Lead | Tour) -> dict[str, Any]:
    """The *doc* of an aggregate, and how it was routed."""
    return {**doc, **of(context, lead_list.routed_of(made))}


def of(context: Context, details: Mapping[str, Any]) -> dict[str, Any]:
    """As the caller may see it."""
    shown = reasons.shown(details, to_wire, brief=context.caller.visible_to is not None)
    return {} if shown is None else {"routing": shown}
