"""How a lead found its agent, as ``aureum audit lead`` prints it for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aureum.cli.output import table

if TYPE_CHECKING:
    from uuid import UUID

    from aureum.store.event_store import Stream


def agents_in(stream: Stream) -> set[UUID]:
    """Everyone who took part in a decision of the stream."""
    from aureum.domain.routing import reasons
    from aureum.projections.lead_list import routed

    found: set[UUID] = set()
    for recorded in stream.events:
        if hasattr(recorded.event, "because"):
            found |= reasons.agents_in(routed(recorded.event))
    return found


def for_people(routing: Mapping[str, Any] | None, names: Mapping[str, str]) -> str | None:
    """The decision: what met, and each agent with the score or why not. None of what was not routed."""
    if routing is None:
        return None
    pool = [
        (names.get(one["agent"], one["agent"]), "-" if one["score"] is None else one["score"], one["out"] or "-")
        for one in routing["pool"]
    ]
    said = "".join(f"“{met['said']}” met “{met['profile']}” of the profile.\n" for met in routing["because"])
    told = "".join(
        f"{name}: {routing[name]}\n" for name in ("mode", "rule", "margin", "model") if routing[name] is not None
    )
    agents = table("Agents", ("agent", "score", "why not"), pool)
    return f"Routing\n\n{routing['reason']}\n{said}{told}\n{agents}"
