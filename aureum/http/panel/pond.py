"""The pond: leads without an agent, and those that a rule offers to a group. The first agent who claims one has it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.responses import RedirectResponse, Response

from aureum.commands.leads import NO_LEAD
from aureum.domain import ids
from aureum.domain.errors import NotFound
from aureum.domain.ids import to_wire
from aureum.domain.lead import UNABLE
from aureum.domain.routing.eligible import away_at
from aureum.http.panel.acting import named, number_of
from aureum.http.panel.leads import API, ID, looked_up
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.visit import Visit

HERE = "/admin/pond"
POND = "/api/v1/admin/pond"
AGENT = "/api/v1/admin/agents/{id}"
LENGTH = 20


async def shown(visit: Visit, problem: str | None = None) -> Response:
    """The newest first, a page at a time; with the *problem* of a claim that was refused."""
    assert visit.me is not None, "only a user who is logged in gets here"
    number_of(visit)
    query = {"page": visit.request.query_params.get("page", ""), "page_size": LENGTH} | named(visit)
    part = (await visit.ask("GET", POND, query=query)).body
    now, claims, unable = ids.now(), visit.role != "platform_admin", await cannot_claim(visit)
    able = claims and unable is None
    return await page(
        visit,
        "pond.html",
        400 if problem else 200,
        problem=problem,
        unable=unable,
        leads=[lead | {"mine": able and is_open(lead["offer"], visit.me["number"], now)} for lead in part["items"]],
        claims=claims,
        total=part["total"],
        older=part["page"] + 1 if part["page"] < part["total_pages"] else None,
    )


def is_open(offer: Mapping[str, Any] | None, number: int, now: datetime) -> bool:
    """Whether the user with this *number* may claim a lead now."""
    return offer is None or number in offer["agents"] or datetime.fromisoformat(offer["until"]) <= now


async def cannot_claim(visit: Visit) -> str | None:
    """Why the agent who reads the page cannot claim now; None for brokers and owners, who always can."""
    if visit.role != "agent" or visit.me is None:
        return None
    own = (await visit.ask("GET", AGENT, id=str(visit.me["number"]))).body
    if not own["takes_leads"]:
        return UNABLE["takes_no_leads"]
    return UNABLE["away"] if away_at(ids.now(), *(moment(own[name]) for name in ("away_from", "away_to"))) else None


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


async def waiting(visit: Visit) -> int:
    """How many leads wait in the pond."""
    part = (await visit.ask("GET", POND, query={"page_size": 1} | named(visit))).body
    return int(part["total"])


async def show_pond(visit: Visit) -> Response:
    """The page."""
    return await shown(visit)


async def claim(visit: Visit) -> Response:
    """The lead's page, unless another agent was faster."""
    try:
        lead = (await visit.ask("POST", API + "/{id}/claim", id=visit.id())).body
    except NotFound as error:
        raise NotFound(NO_LEAD) from error
    except REFUSALS as error:
        return await shown(visit, refusal(error))
    lead_id = to_wire(await looked_up(visit, ID, lead["id"]))
    return RedirectResponse(f"/admin/leads/{lead_id}?done=claimed", 303)


PAGES = (Page(HERE, show_pond), Page(HERE + "/{id}/claim", act=claim))
