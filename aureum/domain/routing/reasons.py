"""A decision as the event keeps it, and in words that a broker understands.

What is kept names agents by id and holds nothing that the visitor wrote; the clauses of the enquiry that met a profile
are kept apart, encrypted as all that is personal.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from aureum.domain.ids import aureum_time
from aureum.domain.routing.deciding import Decision
from aureum.domain.routing.languages import name_of
from aureum.domain.routing.settings import PRICES, WORDS, When

CLOSED = ("converted", "lost")
"""The statuses in which the brokerage is done with a lead: it waits for no agent, and no agent may claim it."""

MOST_SHOWN = 25
"""How many of the eligible agents, and how many of those who are out, a decision keeps; it counts the others."""

OUT = {
    "takes_no_leads": "takes no leads",
    "away": "away",
    "daily_cap": "has had as many leads today as the daily cap allows",
    "not_in_rule": "not in the rule's group",
    "suits_less": "suits the enquiry less",
    "other_language": "does not speak the enquiry's language",
    "had_it": "had it before",
}

CONDITIONS = {
    "subject_has": "the subject has {}",
    "page_has": "the page has {}",
    "source": "the source is {}",
    "area": "it names {}",
    "listing_id": "the listing is {}",
    "price_from": "the price is at least {}",
    "price_to": "the price is at most {}",
}

KNOWN = {
    "contact": "The client's agent: the address and the name are those of a contact whom this agent serves.",
    "lead": "The client's agent: this agent has an earlier lead with the same address and name.",
}
"""Where the client's own agent has it, whatever the mode."""

BY_SHOWING = "The client's agent: this agent has an earlier showing with the same address and name."
"""Where ``by`` says that showings alone name the agent. The word of such a decision is ``lead``, which the previous
release reads too."""

NOT_NOW = {
    "away": "The client's agent is away.",
    "takes_no_leads": "The client's agent takes no leads.",
    "disabled": "The client's agent is no longer active.",
}
"""Where the client's own agent cannot take it, and it went where any other lead would."""

BEST = {
    "only": "Only this agent can take leads now.",
    "literal": "The enquiry names a specialty of this agent.",
    "letters": "The enquiry's words are most like this agent's profile.",
    "meaning": "The enquiry's meaning is nearest to this agent's profile.",
}

ONLY_SPEAKER = "Of the agents who can take leads now, only this one speaks {}."
SPOKEN = "Only agents who speak {} were considered."
"""Where the enquiry is written in a language other than English, or asks for one, and agents speak it."""

FILTERED = "The semantic filter left only agents whom the enquiry suits best."
NOT_FILTERED = ("nothing_said", "late", "broken")

UNDECIDED = {
    "nothing_said": "The enquiry says nothing that a profile answers",
    "near_tie": "No agent suits the enquiry clearly best",
    "nobody": "No agent can take leads now",
    "late": "The comparison by meaning took too long",
    "broken": "The comparison by meaning was not available",
}

PASSED_ON = {
    "not_claimed": "No agent of the group {group} claimed it within {minutes}.",
    "not_answered": "The previous agent did not answer within {minutes} of work.",
}
"""Before the reason, where a lead was passed on."""

OVERDUE = (
    "The agent did not answer within {minutes} of work, and keeps the lead: no other agent can take it, or it has been "
    "passed on as often as allowed."
)

MISSING = {
    "late": "The comparison by meaning took too long and was not waited for.",
    "busy": "Too many enquiries came at once for a comparison by meaning.",
    "away": "The comparison by meaning was not available.",
}
"""Behind the reason, where the enquiry's words decided without it."""

OLDER = {
    "words": "The enquiry names specialties of this agent: {}.",
    "even": "The enquiry names no agent's specialty; such leads were shared evenly.",
}
"""Of leads that the first versions routed."""

TURN = "none has waited longer for a lead"
FEWEST = "none has had fewer leads today"
ONE = "it was this agent's turn"
POND = "The lead waits in the pond, from which agents claim it."


def kept(decision: Decision, rule: When | None) -> dict[str, Any]:
    """*decision* as the event keeps it; *rule* are the conditions of its rule, if it has any."""
    ranking = decision.ranking
    ranked = () if ranking is None else ranking.ranked
    if len(ranked) == len(decision.pool):
        pool = ranked[:MOST_SHOWN]
    else:
        scores, order = dict(ranked), decision.pool
        if scores:
            order = tuple(sorted(order, key=lambda user_id: (-(scores.get(user_id) or 0.0), user_id)))
        pool = tuple((user_id, scores.get(user_id)) for user_id in order[:MOST_SHOWN])
    found: dict[str, Any] = {
        # First, since the append may replace it with the word of ``KNOWN`` or ``NOT_NOW`` that holds.
        "known": None,
        "mode": decision.mode,
        "why": decision.why,
        "choices": len(decision.choices),
        "fewest": decision.fewest,
        "pool": [[str(user_id), score] for user_id, score in pool],
        "out": [[str(user_id), why] for user_id, why in decision.out[:MOST_SHOWN]],
        "pool_size": len(decision.pool),
        "out_size": len(decision.out),
    }
    if decision.rule is not None:
        found["rule"] = {
            "number": decision.rule + 1,
            "when": None if rule is None else conditions(rule),
            "group": decision.group,
            "claim_minutes": decision.claim_minutes,
        }
    if decision.offered:
        found["offered"] = [str(user_id) for user_id in decision.offered]
    if decision.fallback is not None:
        found["fallback"] = decision.fallback
    if ranking is not None:
        found["ranking"] = {
            "how": ranking.how,
            "margin": None if ranking.margin is None else round(ranking.margin, 2),
            "model": ranking.model,
            "language": ranking.language,
            "missing": ranking.missing,
        }
    return found


def because(decision: Decision) -> list[list[str]] | None:
    """The clauses of the enquiry and the phrases of the profile that met, where they decided."""
    ranking = decision.ranking
    if decision.why != "best" or ranking is None or not ranking.because:
        return None
    return [[met.said, met.profile] for met in ranking.because]


def conditions(when: When) -> str:
    """The conditions of a rule, in words."""
    said = []
    for name in (*WORDS, *PRICES):
        value = getattr(when, name)
        if value:
            words = f"${value}" if name in PRICES else " or ".join(f"“{one}”" for one in value)
            said.append(CONDITIONS[name].format(words))
    return " and ".join(said)


def reason(found: Mapping[str, Any]) -> str:
    """Why the lead went where it went."""
    known = found.get("known")
    if known in KNOWN:
        return BY_SHOWING if found.get("by") == "showing" else KNOWN[known]
    if "passed_on" in found:
        return f"{why_passed_on(found['passed_on'])} {decided(found)}"
    return decided(found) if known is None else f"{NOT_NOW[known]} {decided(found)}"


def overdue(minutes: int) -> str:
    """Why a lead that was not answered is still with its agent."""
    return OVERDUE.format(minutes=minutes_of(minutes))


def why_passed_on(passed_on: Mapping[str, Any]) -> str:
    """Why a lead was passed on."""
    said = PASSED_ON[passed_on["reason"]]
    return said.format(group=passed_on.get("group"), minutes=minutes_of(passed_on["minutes"]))


def decided(found: Mapping[str, Any]) -> str:
    """The same of a client whom no agent serves."""
    return " ".join(filter(None, (by_settings(found), by_filter(found), by_language(found))))


def by_filter(found: Mapping[str, Any]) -> str | None:
    """What the semantic filter did before another mode."""
    ranking = found.get("ranking")
    if ranking is None or found["mode"] == "semantic" or found["why"] == "pond" or not found["pool_size"]:
        return None
    # With one agent there was nothing to compare, and the primary one is the fallback of all leads.
    if ranking["how"] == "only" or found.get("fallback") == "primary":
        return None
    if ranking["how"] in NOT_FILTERED:
        return f"{UNDECIDED[ranking['how']]}, so the semantic filter left out no agent."
    missing = MISSING.get(ranking.get("missing") or "")
    return FILTERED if missing is None else f"{FILTERED} {missing}"


def by_language(found: Mapping[str, Any]) -> str | None:
    """Which language narrowed the pool, if one did and the reason does not say so yet."""
    ranking = found.get("ranking") or {}
    language = ranking.get("language")
    # The primary agent gets leads in any language, and in the pond they are everyone's.
    if language is None or found["why"] in ("primary", "pond"):
        return None
    if found["why"] == "best" and ranking["how"] == "only":
        return None
    return SPOKEN.format(name_of(language))


def by_settings(found: Mapping[str, Any]) -> str:
    """The same without what narrowed the pool before."""
    why, fallback = found["why"], found.get("fallback")
    if why in OLDER:
        return OLDER[why].format(", ".join(f"“{word}”" for word in found["matched"]))
    if fallback is None:
        return by_mode(found)
    nobody = why_nobody(found)
    match why:
        case "primary":
            return f"{nobody}, so the fallback gave it to the primary agent."
        case "turn":
            return f"{nobody}, so the fallback gave it to the next agent in turn: {turn(found)}."
    return f"{nobody}, and the fallback found no agent either. {POND}"


def by_mode(found: Mapping[str, Any]) -> str:
    """The same where the mode itself found an agent."""
    rule = found.get("rule")
    match found["why"]:
        case "primary":
            return "All leads go to the primary agent."
        case "random":
            return f"Drawn by lot among {count(found['pool_size'])}."
        case "best":
            return best(found["ranking"])
        case "near_tie":
            several = f"Of {count(found['choices'])} whom the enquiry suits about equally well"
            return f"{several}, {FEWEST if found['fewest'] else TURN}."
        case "rule" if rule is not None and rule["group"] is None:
            return f"{rule_of(rule)} leads to this agent."
        case "rule" if rule is not None:
            return f"{rule_of(rule)} leads to the group {rule['group']}; {turn(found)}."
        case "offered" if rule is not None:
            group, minutes = rule["group"], minutes_of(rule["claim_minutes"])
            return f"{rule_of(rule)} lets the agents of the group {group} claim it, for {minutes}."
    return f"Round robin: {turn(found)}."


def best(ranking: Mapping[str, Any]) -> str:
    """Why an agent suits the enquiry best."""
    language = ranking.get("language")
    if ranking["how"] == "only" and language is not None:
        return ONLY_SPEAKER.format(name_of(language))
    said = BEST.get(ranking["how"], BEST["meaning"])
    missing = MISSING.get(ranking.get("missing") or "")
    return said if missing is None else f"{said} {missing}"


def why_nobody(found: Mapping[str, Any]) -> str:
    """Why the mode found no agent, without a full stop."""
    if not found["pool_size"]:
        return "No agent can take leads now"
    rule, ranking = found.get("rule"), found.get("ranking")
    if found["mode"] == "primary_only":
        return "The primary agent cannot take leads now"
    if rule is not None:
        goal = "agent" if rule["group"] is None else f"group {rule['group']}"
        return f"{rule_of(rule)} leads to the {goal}, where no agent can take leads now"
    if found["mode"] == "semantic" and ranking is not None:
        return UNDECIDED.get(ranking["how"], UNDECIDED["nothing_said"])
    if "passed_on" in found:
        return "No later rule finds an agent"
    return "No agent was found"


def rule_of(rule: Mapping[str, Any]) -> str:
    """A rule by its number and conditions."""
    return f"Rule {rule['number']} ({rule['when'] or 'where no other rule fits'})"


def turn(found: Mapping[str, Any]) -> str:
    """Whose turn it was, and among how many."""
    return ONE if found["choices"] < 2 else f"of {count(found['choices'])}, {TURN}"


def count(agents: int) -> str:
    return "1 agent" if agents == 1 else f"{agents} agents"


def minutes_of(minutes: int) -> str:
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def shown(
    details: Mapping[str, Any], form: Callable[[UUID], Any], *, brief: bool = False, whole: bool = False
) -> dict[str, Any] | None:
    """``routing`` of a lead as APIs show it, of what a read model keeps: ``routing``, ``because``, ``routed_to``.

    *form* writes the id of an agent. *brief* is for agents, who see the reason alone; *whole* also tells what met, and
    the pool.
    """
    found = by_words(details["routing"])
    if found is None:
        return None
    if brief:
        return {"reason": reason(found)}
    known = is_known(found)
    ranking, rule = ({}, None) if known else (found.get("ranking") or {}, found.get("rule"))
    told = {
        "mode": found["mode"],
        "agent": None if details.get("routed_to") is None else form(UUID(details["routed_to"])),
        "rule": None if rule is None else rule["number"],
        "margin": ranking.get("margin"),
        "reason": reason(found),
        "model": ranking.get("model"),
    }
    if whole:
        because = None if known else details.get("because")
        # Once the person is erased, it is no list any more.
        met = because if isinstance(because, list) else []
        told["because"] = [{"said": said, "profile": profile} for said, profile in met]
        told["pool"] = [
            *({"agent": form(UUID(agent)), "score": score, "out": None} for agent, score in found.get("pool", ())),
            *({"agent": form(UUID(agent)), "score": None, "out": OUT[why]} for agent, why in found.get("out", ())),
        ]
    return told


def agents_in(details: Mapping[str, Any]) -> set[UUID]:
    """Whom ``shown`` tells of."""
    found = by_words(details["routing"]) or {}
    named = {agent for agent, _ in (*found.get("pool", ()), *found.get("out", ()))}
    return {UUID(agent) for agent in named | {details.get("routed_to")} if agent is not None} | offered_in(details)


def offered_in(details: Mapping[str, Any]) -> set[UUID]:
    """The agents whom ``offer_shown`` names."""
    return set(map(UUID, (details["routing"] or {}).get("offered", ())))


def offer_shown(
    doc: Mapping[str, Any],
    details: Mapping[str, Any],
    form: Callable[[UUID], Any],
    time: Callable[[datetime], str],
) -> dict[str, Any] | None:
    """``offer`` of a lead as APIs show it, of what a read model keeps: which agents may claim it, and until when. None
    if it is not offered to some of them now. *form* writes the id of an agent, *time* a time."""
    made = offer(details["routing"], datetime.fromisoformat(doc["createdAt"]))
    if made is None or made.until is None or doc["assignedToId"] is not None or doc["status"] in CLOSED:
        return None
    return {"group": made.group, "until": time(made.until), "agents": [form(agent) for agent in made.agents or ()]}


def by_words(found: dict[str, Any] | None) -> dict[str, Any] | None:
    """A decision of the first versions, which counted words, as decisions are kept now."""
    if found is None or "method" not in found:
        return found
    why = "words" if found["method"] == "specialty" else "even"
    return {"mode": "semantic", "why": why, "matched": found["matched"]}


class Offer(NamedTuple):
    """Which agents may claim a lead: until a moment those of a group, all of them in the pond. The first versions kept
    only the group."""

    group: str | None = None
    until: datetime | None = None
    agents: tuple[UUID, ...] | None = None


def is_known(found: Mapping[str, Any]) -> bool:
    """Whether a lead that was routed so went to the client's own agent."""
    return found.get("known") in KNOWN


def is_offered(found: Mapping[str, Any] | None) -> bool:
    """Whether a lead that was routed so was left to the agents who claim it."""
    return found is not None and found.get("why") in ("pond", "offered") and not is_known(found)


def passed_on(found: Mapping[str, Any], at: datetime, reason: str, minutes: int, group: str | None) -> dict[str, Any]:
    """A decision at that moment about a lead that is passed on because *minutes* are over."""
    return begun_at(found, at) | {"passed_on": {"reason": reason, "minutes": minutes, "group": group}}


def begun_at(found: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """A decision that is not of the moment when the lead was captured: an offer says when it begins."""
    return {**found, "at": aureum_time(at)} if found["why"] == "offered" else dict(found)


def offer(found: Mapping[str, Any] | None, captured_at: datetime) -> Offer | None:
    """Which agents may claim a lead that was routed so, and captured at that moment; None if it cannot be claimed."""
    if found is None or not is_offered(found):
        return None
    if found["why"] == "pond":
        return Offer()
    rule = found["rule"]
    begun = datetime.fromisoformat(found["at"]) if "at" in found else captured_at
    agents = tuple(map(UUID, found["offered"])) if "offered" in found else None
    return Offer(rule["group"], begun + timedelta(minutes=rule["claim_minutes"]), agents)
