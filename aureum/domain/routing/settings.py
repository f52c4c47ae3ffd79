"""What a brokerage has chosen about routing. It is kept whole, as one value of the brokerage; agents stand in it by id.

``rules`` are tried in their order; the last one has no ``when`` and fits everything. A rule leads to an agent or to a
group. ``everyone`` is the group of all agents, and always there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from aureum.domain.errors import Invalid
from aureum.domain.texts import one_line

MODES = ("primary_only", "round_robin", "subject_based", "semantic", "random")
FALLBACKS = ("primary", "round_robin", "pond")
EVERYONE = "everyone"

WORDS = ("subject_has", "page_has", "source", "area", "listing_id")
PRICES = ("price_from", "price_to")

MOST_RULES = 200
MOST_GROUPS = 100
MOST_WORDS = 50
LONGEST_WORD = 200
MOST_MASKED = 500
LONGEST_MASKED = 100
LONGEST_NAME = 100
LONGEST_MINUTES = 7 * 24 * 60
MOST_CLAIM_MINUTES = 30

LAST_FITS_ALL = "The last of rules must have no when: it decides where no other rule fits."
ONLY_LAST_FITS_ALL = "{at} must have a when with at least one condition. Only the last rule goes without."
AGENT_OR_GROUP = '{at}.to must be {{"agent": id}} or {{"group": name}}.'
NO_GROUP = "{at}.to names the group {name!r}, which groups does not have."
NO_MEMBERS = "groups.{name} must have at least one member."
MASKED = f"masked_words must have at most {MOST_MASKED} words or phrases of at most {LONGEST_MASKED} characters."
MASKED_NO_WORD = "masked_words: {word!r} has no letter or digit."
GROUP_NAME = f"The name of a group must have 1 to {LONGEST_NAME} characters, and must not be {EVERYONE!r}."
CLAIM_MINUTES = (
    f"{{at}}.claim_minutes must be a whole number of minutes from 1 to {MOST_CLAIM_MINUTES}, or null: while agents may "
    "claim the lead, the visitor waits."
)
PRICE_ORDER = "{at}.when: price_from must not be above price_to."


@dataclass(frozen=True, slots=True)
class When:
    """What an enquiry must say for a rule to fit: every condition that is set. Of several words one is enough."""

    subject_has: tuple[str, ...] = ()
    page_has: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    area: tuple[str, ...] = ()
    listing_id: tuple[str, ...] = ()
    price_from: str | None = None
    price_to: str | None = None

    def __bool__(self) -> bool:
        """Whether any condition is set."""
        return self != When()


@dataclass(frozen=True, slots=True)
class Rule:
    """Where enquiries go that it fits: to ``agent``, or to one of ``group``. ``claim_minutes`` is how long the
    agents of the group may claim the lead before the next rule takes over."""

    when: When | None = None
    agent: UUID | None = None
    group: str | None = None
    claim_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Routing:
    """The settings; by themselves those of a brokerage that has chosen nothing."""

    mode: str = "semantic"
    semantic_filter: bool = False
    least_busy: bool = True
    fallback: str = "round_robin"
    rules: tuple[Rule, ...] = (Rule(group=EVERYONE),)
    groups: Mapping[str, tuple[UUID, ...]] = field(default_factory=dict)
    answer_within_minutes: int | None = None
    learn_from_reassignments: bool = False
    masked_words: tuple[str, ...] = ()
    """Words and phrases that take no part in comparing enquiries with profiles, beside those of protected classes."""

    @property
    def agents(self) -> frozenset[UUID]:
        """Everyone whom rules and groups name."""
        named = {rule.agent for rule in self.rules if rule.agent is not None}
        return frozenset(named.union(*self.groups.values()))


def check(routing: Routing) -> Routing:
    """*routing* as it is kept: texts of one line, each once. Raises Invalid."""
    if routing.mode not in MODES:
        raise Invalid("mode", f"mode must be one of: {', '.join(MODES)}.")
    if routing.fallback not in FALLBACKS:
        raise Invalid("fallback", f"fallback must be one of: {', '.join(FALLBACKS)}.")
    check_minutes("answer_within_minutes", "answer_within_minutes", routing.answer_within_minutes)
    groups = {name.strip(): tuple(dict.fromkeys(members)) for name, members in routing.groups.items()}
    if len(groups) > MOST_GROUPS:
        raise Invalid("groups", f"groups must have at most {MOST_GROUPS} entries.")
    for name, members in groups.items():
        if not name or len(name) > LONGEST_NAME or name == EVERYONE or name != one_line(name):
            raise Invalid("groups", GROUP_NAME)
        if not members:
            raise Invalid("groups", NO_MEMBERS.format(name=name))
    if len(routing.rules) > MOST_RULES:
        raise Invalid("rules", f"rules must have at most {MOST_RULES} entries.")
    if not routing.rules or routing.rules[-1].when:
        raise Invalid("rules", LAST_FITS_ALL)
    rules = tuple(checked_rule(f"rules[{place}]", rule, groups) for place, rule in enumerate(routing.rules))
    for place, rule in enumerate(rules[:-1]):
        if not rule.when:
            raise Invalid("rules", ONLY_LAST_FITS_ALL.format(at=f"rules[{place}]"))
    return replace(routing, groups=groups, rules=rules, masked_words=checked_masked(routing.masked_words))


def checked_rule(at: str, rule: Rule, groups: Iterable[str]) -> Rule:
    """Raises Invalid."""
    if (rule.agent is None) == (rule.group is None):
        raise Invalid("rules", AGENT_OR_GROUP.format(at=at))
    group = None if rule.group is None else rule.group.strip()
    if group is not None and group != EVERYONE and group not in groups:
        raise Invalid("rules", NO_GROUP.format(at=at, name=group))
    if rule.claim_minutes is not None and not 1 <= rule.claim_minutes <= MOST_CLAIM_MINUTES:
        raise Invalid("rules", CLAIM_MINUTES.format(at=at))
    when = None
    if rule.when:
        given = rule.when
        when = replace(
            given,
            subject_has=words(at, "subject_has", given.subject_has),
            page_has=words(at, "page_has", given.page_has),
            source=words(at, "source", given.source),
            area=words(at, "area", given.area),
            listing_id=words(at, "listing_id", given.listing_id),
        )
        low, high = when.price_from, when.price_to
        if low is not None and high is not None and Decimal(low) > Decimal(high):
            raise Invalid("rules", PRICE_ORDER.format(at=at))
    return replace(rule, group=group, when=when or None)


def checked_masked(given: Sequence[str]) -> tuple[str, ...]:
    """Raises Invalid."""
    kept = each_once(given)
    if len(kept) > MOST_MASKED or any(len(word) > LONGEST_MASKED for word in kept):
        raise Invalid("masked_words", MASKED)
    for word in kept:
        if not any(map(str.isalnum, word)):
            raise Invalid("masked_words", MASKED_NO_WORD.format(word=word))
    return kept


def each_once(given: Sequence[str]) -> tuple[str, ...]:
    """Words on one line each, without the empty ones."""
    return tuple(dict.fromkeys(text for text in (one_line(one).strip() for one in given) if text))


def words(at: str, name: str, given: Sequence[str]) -> tuple[str, ...]:
    """The words of a condition, each once. Raises Invalid."""
    kept = each_once(given)
    if len(kept) > MOST_WORDS or any(len(text) > LONGEST_WORD for text in kept):
        raise Invalid(
            "rules", f"{at}.when.{name} must have at most {MOST_WORDS} entries of at most {LONGEST_WORD} characters."
        )
    return kept


def check_minutes(name: str, at: str, minutes: int | None) -> None:
    """Raises Invalid."""
    if minutes is not None and not 1 <= minutes <= LONGEST_MINUTES:
        raise Invalid(name, f"{at} must be a whole number of minutes from 1 to {LONGEST_MINUTES}, or null.")


def to_json(routing: Routing) -> dict[str, Any]:
    """The settings as events and read models keep them."""
    return {
        "mode": routing.mode,
        "semantic_filter": routing.semantic_filter,
        "least_busy": routing.least_busy,
        "fallback": routing.fallback,
        "rules": [
            {
                "when": None if rule.when is None else conditions(rule.when),
                "agent": None if rule.agent is None else str(rule.agent),
                "group": rule.group,
                "claim_minutes": rule.claim_minutes,
            }
            for rule in routing.rules
        ],
        "groups": {name: [str(member) for member in members] for name, members in routing.groups.items()},
        "answer_within_minutes": routing.answer_within_minutes,
        "learn_from_reassignments": routing.learn_from_reassignments,
        "masked_words": list(routing.masked_words),
    }


def conditions(when: When) -> dict[str, Any]:
    """The conditions of a rule that are set."""
    found = {name: list(getattr(when, name)) for name in WORDS} | {name: getattr(when, name) for name in PRICES}
    return {name: value for name, value in found.items() if value}


def from_json(kept: Mapping[str, Any] | None) -> Routing:
    """The settings that ``to_json`` has written; those by themselves for None."""
    if kept is None:
        return Routing()
    return Routing(
        mode=kept["mode"],
        semantic_filter=kept["semantic_filter"],
        least_busy=kept["least_busy"],
        fallback=kept["fallback"],
        rules=tuple(
            Rule(
                when=None if rule["when"] is None else when_of(rule["when"]),
                agent=None if rule["agent"] is None else UUID(rule["agent"]),
                group=rule["group"],
                claim_minutes=rule["claim_minutes"],
            )
            for rule in kept["rules"]
        ),
        groups={name: tuple(map(UUID, members)) for name, members in kept["groups"].items()},
        answer_within_minutes=kept["answer_within_minutes"],
        learn_from_reassignments=kept["learn_from_reassignments"],
        # Settings of the first versions have none.
        masked_words=tuple(kept.get("masked_words", ())),
    )


def when_of(kept: Mapping[str, Any]) -> When:
    """The conditions that ``conditions`` has written."""
    return When(
        subject_has=tuple(kept.get("subject_has", ())),
        page_has=tuple(kept.get("page_has", ())),
        source=tuple(kept.get("source", ())),
        area=tuple(kept.get("area", ())),
        listing_id=tuple(kept.get("listing_id", ())),
        price_from=kept.get("price_from"),
        price_to=kept.get("price_to"),
    )
