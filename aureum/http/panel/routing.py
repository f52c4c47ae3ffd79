"""Routing: how leads find their agent, with groups and rules. Owners change it, a part at a time; brokers read it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from starlette.responses import RedirectResponse, Response

from aureum.domain.errors import Invalid
from aureum.domain.routing.settings import EVERYONE, FALLBACKS, MODES
from aureum.http.panel.acting import named, number_of
from aureum.http.panel.agents import API as AGENTS
from aureum.http.panel.fields import Field, all_typed, sent
from aureum.http.panel.history_words import history_shown
from aureum.http.panel.page import REFUSALS, Page, page, refusal, seen
from aureum.http.panel.visit import Visit
from aureum.http.wire.page_forms import number_in

HERE = "/admin/routing"
API = "/api/v1/admin/routing"
MOST_PAGES = 5

SETTINGS = (
    Field("mode", "Mode", "choice", MODES, required=True),
    Field("fallback", "If the mode finds no agent", "choice", FALLBACKS, required=True),
    Field(
        "answer_within_minutes",
        "Answer within, in minutes",
        "number",
        hint="Minutes of work for the first contact. Then the lead goes to the next agent. Leave empty for no limit.",
    ),
    Field(
        "semantic_filter",
        "Choose among the agents who suit the enquiry best",
        "tick",
        hint="The mode then chooses one of them.",
    ),
    Field("least_busy", "Prefer the agent with the fewest leads today if agents suit almost equally", "tick"),
    Field("learn_from_reassignments", "Learn from leads that staff reassigned", "tick"),
    Field(
        "masked_words",
        "Ignore these words when comparing enquiries with profiles",
        "words",
        hint="In addition to words for protected classes, which are always ignored. Separated by commas.",
    ),
)
TRIED = tuple(field for field in SETTINGS if field.name != "answer_within_minutes")
"""What a rehearsal can try here; rules and groups are those of now."""

SINCE = Field("since", "Leads since", "time", hint="Leave empty for the last 30 days.")

CONDITIONS = (
    Field(
        "subject_has", "The subject has", "words", hint="Words or phrases, separated by commas. One match is enough."
    ),
    Field("page_has", "The page has", "words"),
    Field("source", "The source is", "words"),
    Field("area", "It names the area", "words"),
    Field("listing_id", "The listing is", "words"),
    Field("price_from", "The price is at least", "amount"),
    Field("price_to", "The price is at most", "amount"),
)
CLAIM = Field(
    "claim_minutes",
    "Time to claim, in minutes",
    "number",
    hint="For a group: how long its agents may claim the lead, 30 at most. Then the next rule takes over.",
)

DONE = {
    "settings": "The settings were saved.",
    "groups": "The groups were saved.",
    "rules": "The rules were saved.",
}
CHANGED = (
    "We couldn't save your changes, because the rules were changed after you opened this page. Check "
    "them and try again."
)


class Shown(NamedTuple):
    """What the page shows: the settings, their ETag, and the agents' names by number."""

    settings: dict[str, Any]
    etag: str
    agents: Mapping[int, str]


async def read(visit: Visit) -> Shown:
    """The settings and the agents of the brokerage. Raises NotAllowed, HttpError 400."""
    number_of(visit)
    told = await visit.ask("GET", API, query=named(visit))
    agents: dict[int, str] = {}
    for number in range(1, MOST_PAGES + 1):
        part = (await visit.ask("GET", AGENTS, query={"page": number, "page_size": 100} | named(visit))).body
        agents |= {agent["id"]: agent["name"] for agent in part["items"] if not agent["disabled"]}
        if number >= part["total_pages"]:
            break
    return Shown(told.body, told.etag, agents)


async def shown(visit: Visit, problem: str | None = None, etag: str | None = None) -> Response:
    """The page; of a form that was refused, why."""
    now = await read(visit)
    targets = [(f"group {name}", name) for name in (EVERYONE, *now.settings["groups"])]
    targets += [(f"agent {number}", name) for number, name in now.agents.items()]
    names = {str(number): name for number, name in now.agents.items()}
    return await page(
        visit,
        "routing.html",
        400 if problem else 200,
        problem=problem,
        done=DONE.get(visit.request.query_params.get("done", "")) if visit.request.method == "GET" else None,
        etag=now.etag if etag is None else etag,
        fields=SETTINGS,
        tried=TRIED,
        since=SINCE,
        values=all_typed(SETTINGS, now.settings, visit.zone),
        groups=now.settings["groups"],
        agents=now.agents,
        rules=[typed_rule(visit, rule) for rule in now.settings["rules"]],
        conditions=CONDITIONS,
        claim=CLAIM,
        targets=targets,
        history=await history_shown(visit, API + "/history", "routing", names, **named(visit)),
    )


def typed_rule(visit: Visit, rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule in the fields of its form."""
    to = rule["to"]
    target = f"group {to['group']}" if "group" in to else f"agent {to['agent']}"
    empty = {field.name: None for field in CONDITIONS}
    return {
        "typed": all_typed(CONDITIONS, rule["when"] or empty, visit.zone),
        "claim": "" if rule["claim_minutes"] is None else str(rule["claim_minutes"]),
        "target": target,
        "last": rule["when"] is None,
    }


async def show_routing(visit: Visit) -> Response:
    """The page."""
    return await shown(visit)


async def save(visit: Visit, settings: Mapping[str, Any], done: str) -> Response:
    """Replace the settings by those with one part changed. Raises ``REFUSALS``."""
    await visit.ask("PUT", API, query=named(visit), body=settings, if_match=visit.form["etag"])
    return RedirectResponse(f"{HERE}?done={done}", 303)


async def change_settings(visit: Visit) -> Response:
    """Mode, fallback and what goes with them."""
    try:
        now = (await read(visit)).settings
        return await save(
            visit, now | {field.name: sent(field, visit.form, visit.zone) for field in SETTINGS}, "settings"
        )
    except REFUSALS as error:
        return await shown(visit, refusal(error), seen(visit, error))


async def change_group(visit: Visit) -> Response:
    """A group with its members, a new one, or one less."""
    form = visit.form
    try:
        now = (await read(visit)).settings
        was, name = form["was"], form["name"]
        groups = {other: members for other, members in now["groups"].items() if other != was}
        if form["do"] != "remove":
            if name in groups:
                raise Invalid("groups", "Another group has this name already.")
            groups[name] = [number_in(member) for member in form.all("members")]
        return await save(visit, now | {"groups": groups, "rules": renamed(now["rules"], was, name)}, "groups")
    except REFUSALS as error:
        return await shown(visit, refusal(error), seen(visit, error))


def renamed(rules: Sequence[dict[str, Any]], was: str, name: str) -> list[dict[str, Any]]:
    """*rules* that lead to the group by its new name."""
    if not was or not name:
        return list(rules)
    return [rule | {"to": {"group": name}} if rule["to"].get("group") == was else rule for rule in rules]


async def change_rule(visit: Visit) -> Response:
    """A rule, a new one before the last, one less, or one moved up."""
    form = visit.form
    try:
        rules = list((now := (await read(visit)).settings)["rules"])
        place, do = form.number("place"), form["do"]
        if not isinstance(place, int) or place >= len(rules) + (do == "add"):
            raise Invalid("rules", CHANGED)
        if do == "remove":
            del rules[place]
        elif do == "up" and place:
            rules[place - 1 : place + 1] = [rules[place], rules[place - 1]]
        elif do == "add":
            rules.insert(place, sent_rule(visit))
        elif do == "save":
            rules[place] = sent_rule(visit, last=place == len(rules) - 1)
        return await save(visit, now | {"rules": rules}, "rules")
    except REFUSALS as error:
        return await shown(visit, refusal(error), seen(visit, error))


def sent_rule(visit: Visit, *, last: bool = False) -> dict[str, Any]:
    """A rule as its form sends it; the last one has no conditions."""
    kind, _, name = visit.form["to"].partition(" ")
    target = {"agent": number_in(name)} if kind == "agent" else {"group": name}
    when = None if last else {field.name: sent(field, visit.form, visit.zone) for field in CONDITIONS}
    return {"when": when, "to": target, "claim_minutes": sent(CLAIM, visit.form, visit.zone)}


PAGES = (
    Page(HERE, show_routing, change_settings),
    Page(HERE + "/groups", act=change_group),
    Page(HERE + "/rules", act=change_rule),
)
