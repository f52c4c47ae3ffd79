"""The enquiries and agents that routing is judged by, and how it is judged.

``data/`` has 14 agents, 140 enquiries with the agents that are right for each ("any": no one in particular), and pairs
of enquiries that differ only in who the client is.
"""

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from aureum.routing.decision import Decision, How
from aureum.routing.enquiry import Enquiry
from aureum.routing.profile import Profile

DATA = Path(__file__).parent / "data"


def user_id(agent: str) -> UUID:
    """Of "a07"."""
    return UUID(int=int(agent[1:]))


def profiles(*, bios: bool = True) -> list[Profile]:
    """The 14 agents, with their bios or with specialties, areas and languages only."""
    return [
        Profile(
            user_id(one["id"]),
            tuple(one["specialties"]),
            one["bio"] if bios else "",
            tuple(one["areas"]),
            tuple(one["languages"]),
        )
        for one in json.loads((DATA / "agents.json").read_text())
    ]


@dataclass(frozen=True)
class Case:
    """An enquiry and the agents who are right for it; none in particular if that is empty."""

    name: str
    kind: str
    enquiry: Enquiry
    right: frozenset[UUID]


def case(written: dict[str, Any]) -> Case:
    """A line of the data."""
    right = frozenset(user_id(agent) for agent in written["gold"] if agent != "any")
    return Case(
        written["id"],
        written["kind"],
        Enquiry(written["message"], written["subject"], written["source_page"] or ""),
        right,
    )


def lines(name: str) -> list[dict[str, Any]]:
    """A file of the data."""
    return [json.loads(line) for line in (DATA / name).read_text().splitlines()]


def cases() -> list[Case]:
    """The 140 enquiries."""
    return [case(one) for one in lines("dev.jsonl")]


def literal_cases() -> list[Case]:
    """Those that name an agent's specialty in so many words."""
    return [case(one) for one in lines("dev_extra.jsonl") if one["kind"] == "literal"]


@dataclass(frozen=True)
class Pair:
    """Two enquiries that differ only in who the client is."""

    name: str
    said: Enquiry
    twin: Enquiry


NAMES = {"e303": ("Guadalupe Hernández",), "e304": ("Emily Carter",)}
"""The names in the form, where the message gives one."""


def given_pairs() -> list[Pair]:
    """The 15 of the data."""
    found: dict[str, list[Enquiry]] = {}
    for one in lines("dev_extra.jsonl"):
        if one["kind"].startswith("sensitive"):
            enquiry = Enquiry(one["message"], one["subject"], one["source_page"], names=NAMES.get(one["id"], ()))
            # A pair's two ids follow each other.
            number = int(one["id"][1:])
            found.setdefault(f"e{number - (one['kind'] == 'sensitive_twin')}", []).append(enquiry)
    return [Pair(name, *pair) for name, pair in found.items()]


def own_pairs() -> list[Pair]:
    """Those written for this test: ``pairs.toml``."""
    pairs = tomllib.loads((DATA / "pairs.toml").read_text())["pair"]
    return [
        Pair(f"own-{n:02} {one['class']}", Enquiry(one["said"]), Enquiry(one["twin"])) for n, one in enumerate(pairs, 1)
    ]


@dataclass(frozen=True)
class Figures:
    """Shares in per cent: the right agent ranked ``first``, among the first ``two``, ``assigned`` (near ties and the
    fallback count by how likely they are to hit), and right of those ``decided``."""

    first: float
    two: float
    assigned: float
    decided: int
    decided_right: float


def figures(judged: Sequence[tuple[Case, Decision]], agents: int) -> Figures:
    """Of those cases that an agent is right for."""
    judged = [(one, decision) for one, decision in judged if one.right]
    decided = [(one, decision) for one, decision in judged if decision.decided]

    def share(hits: float, of: int) -> float:
        return round(100 * hits / max(1, of), 1)

    def hit(one: Case, decision: Decision) -> float:
        if decision.decided:
            return float(decision.chosen in one.right)
        if decision.how is How.NEAR_TIE:
            return len(one.right.intersection(decision.near_ties)) / len(decision.near_ties)
        return len(one.right) / agents

    return Figures(
        share(sum(decision.ranked[0].user_id in one.right for one, decision in judged), len(judged)),
        share(sum(any(r.user_id in one.right for r in d.ranked[:2]) for one, d in judged), len(judged)),
        share(sum(hit(one, decision) for one, decision in judged), len(judged)),
        len(decided),
        share(sum(decision.chosen in one.right for one, decision in decided), len(decided)),
    )
