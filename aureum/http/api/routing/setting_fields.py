"""A brokerage's routing settings on the wire: what may be sent, and what is shown. Agents go by their numbers."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue, StrictBool

from aureum.domain.errors import Invalid
from aureum.domain.routing.settings import (
    EVERYONE,
    LONGEST_MASKED,
    LONGEST_MINUTES,
    LONGEST_NAME,
    LONGEST_WORD,
    MOST_CLAIM_MINUTES,
    MOST_MASKED,
    MOST_RULES,
    MOST_WORDS,
    PRICES,
    WORDS,
    Routing,
    Rule,
    When,
)
from aureum.http.wire.characters import Characters
from aureum.http.wire.nulls import NULL_IS_ABSENT
from aureum.http.wire.numbers import Amount, Number, Whole
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Amount as AmountResponse
from aureum.http.wire.shapes import Shape
from aureum.projections.property_list import number

Mode = Literal["primary_only", "round_robin", "subject_based", "semantic", "random"]
Fallback = Literal["primary", "round_robin", "pond"]
Words = Annotated[
    list[Annotated[str, Characters(limit=LONGEST_WORD, blank=False, lines=False)]], Field(max_length=MOST_WORDS)
]
MaskedWords = Annotated[
    list[Annotated[str, Characters(limit=LONGEST_MASKED, blank=False, lines=False)]], Field(max_length=MOST_MASKED)
]
Group = Annotated[str, Characters(limit=LONGEST_NAME, blank=False, lines=False)]
Minutes = Annotated[int, Whole(1, LONGEST_MINUTES)]
ClaimMinutes = Annotated[int, Whole(1, MOST_CLAIM_MINUTES)]

UNKNOWN = "{where} names agent {agent}, who is not a user of this brokerage."

MASKED_WORDS = (
    "Words or phrases that are ignored when enquiries are compared with profiles, in addition to those for the classes "
    "that fair housing law protects."
)
CLAIM_MINUTES = (
    "How long the agents of the group may claim the lead, at most 30 minutes. If none of them claims it, the next rule "
    "takes over."
)
ANSWER_WITHIN = (
    "How many minutes of work an agent has for the first contact with a lead that was routed. Then the lead goes to "
    "the next agent."
)
SUBJECT_HAS = "The subject contains one of these words or phrases."
PAGE_HAS = "The page's URL contains one of these words."
SOURCE = "The lead's source or `utm_source` is one of these."
AREA = "The enquiry or its listing names one of these areas."
PRICE_FROM = "The listing's price is at least this."
PRICE_TO = "The listing's price is at most this."
LISTING_ID = "The enquiry is about one of these MLS listing ids."

EXAMPLE: dict[str, JsonValue] = {
    "mode": "subject_based",
    "fallback": "pond",
    "rules": [
        {"when": {"subject_has": ["sell", "valuation"]}, "to": {"group": "sellers"}, "claim_minutes": 15},
        {"to": {"group": EVERYONE}},
    ],
    "groups": {"sellers": [42, 43]},
}


class WhenUpdate(Body):
    """The conditions of a rule. An enquiry must meet all conditions that are set."""

    subject_has: Annotated[Words, NULL_IS_ABSENT, Field(description=SUBJECT_HAS)] = Field([])
    page_has: Annotated[Words, NULL_IS_ABSENT, Field(description=PAGE_HAS)] = Field([])
    source: Annotated[Words, NULL_IS_ABSENT, Field(description=SOURCE)] = Field([])
    area: Annotated[Words, NULL_IS_ABSENT, Field(description=AREA)] = Field([])
    price_from: Annotated[Amount | None, Field(description=PRICE_FROM)] = None
    price_to: Annotated[Amount | None, Field(description=PRICE_TO)] = None
    listing_id: Annotated[Words, NULL_IS_ABSENT, Field(description=LISTING_ID)] = Field([])


class TargetUpdate(Body):
    """An agent, or a group."""

    agent: Annotated[Number | None, Field(description="The number of a user of the brokerage.")] = None
    group: Annotated[Group | None, Field(description=f"The name of a group. `{EVERYONE}` has all agents.")] = None


class RuleUpdate(Body):
    """A rule: its conditions, and the target of enquiries that meet them."""

    when: Annotated[WhenUpdate | None, Field(description="The conditions. The last rule has none.")] = None
    to: Annotated[TargetUpdate, Field(description='`{"agent": id}` or `{"group": name}`.')]
    claim_minutes: Annotated[ClaimMinutes | None, Field(description=CLAIM_MINUTES)] = None


class RoutingUpdate(Body):
    """The routing settings. A setting that is left out gets its default."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": EXAMPLE})

    mode: Annotated[Mode, NULL_IS_ABSENT, Field(description="How Aureum chooses an agent.")] = "semantic"
    semantic_filter: Annotated[
        StrictBool,
        NULL_IS_ABSENT,
        Field(description="Whether the mode chooses only among the agents who suit the enquiry best."),
    ] = False
    least_busy: Annotated[
        StrictBool,
        NULL_IS_ABSENT,
        Field(description="Whether the agent with the fewest leads today is preferred if agents suit almost equally."),
    ] = True
    fallback: Annotated[
        Fallback, NULL_IS_ABSENT, Field(description="How an agent is chosen if the mode finds none.")
    ] = "round_robin"
    rules: Annotated[
        Annotated[list[RuleUpdate], Field(max_length=MOST_RULES)],
        NULL_IS_ABSENT,
        Field(
            description="For `subject_based`: the rules, tried in order. The last rule has no `when` and matches all "
            "enquiries."
        ),
    ] = Field([RuleUpdate(to=TargetUpdate(group=EVERYONE))])
    groups: Annotated[
        dict[str, list[Number]],
        NULL_IS_ABSENT,
        Field(description="Groups of agents: the name of each group, with the numbers of its members."),
    ] = Field({})
    answer_within_minutes: Annotated[Minutes | None, Field(description=ANSWER_WITHIN + " `null`: no limit.")] = None
    learn_from_reassignments: Annotated[
        StrictBool, NULL_IS_ABSENT, Field(description="Whether routing learns from leads that staff reassigned.")
    ] = False
    masked_words: Annotated[MaskedWords, NULL_IS_ABSENT, Field(description=MASKED_WORDS)] = Field([])


class WhenResponse(Shape):
    """The conditions of a rule. Conditions that are not set are empty."""

    subject_has: Annotated[list[str], Field(description=SUBJECT_HAS)]
    page_has: Annotated[list[str], Field(description=PAGE_HAS)]
    source: Annotated[list[str], Field(description=SOURCE)]
    area: Annotated[list[str], Field(description=AREA)]
    price_from: Annotated[AmountResponse | None, Field(description=PRICE_FROM)]
    price_to: Annotated[AmountResponse | None, Field(description=PRICE_TO)]
    listing_id: Annotated[list[str], Field(description=LISTING_ID)]


class RuleResponse(Shape):
    """A rule."""

    when: Annotated[WhenResponse | None, Field(description="The conditions; `null` in the last rule.")]
    to: Annotated[dict[str, int | str | None], Field(description='`{"agent": id}` or `{"group": name}`.')]
    claim_minutes: Annotated[int | None, Field(description=CLAIM_MINUTES)]


class RoutingResponse(Shape):
    """A brokerage's routing settings."""

    mode: Annotated[Mode, Field(description="How Aureum chooses an agent.")]
    semantic_filter: Annotated[
        bool, Field(description="Whether the mode chooses only among the agents who suit the enquiry best.")
    ]
    least_busy: Annotated[
        bool,
        Field(description="Whether the agent with the fewest leads today is preferred if agents suit almost equally."),
    ]
    fallback: Annotated[Fallback, Field(description="How an agent is chosen if the mode finds none.")]
    rules: Annotated[list[RuleResponse], Field(description="For `subject_based`, tried in their order.")]
    groups: Annotated[
        dict[str, list[int]],
        Field(description="Groups of agents: the name of each group, with the numbers of its members."),
    ]
    answer_within_minutes: Annotated[int | None, Field(description=ANSWER_WITHIN)]
    learn_from_reassignments: Annotated[
        bool, Field(description="Whether routing learns from leads that staff reassigned.")
    ]
    masked_words: Annotated[list[str], Field(description=MASKED_WORDS)]


def document(routing: Routing, numbers: Mapping[UUID, int]) -> dict[str, Any]:
    """The settings as they are shown; *numbers* are those of the brokerage's users."""
    return {
        "mode": routing.mode,
        "semantic_filter": routing.semantic_filter,
        "least_busy": routing.least_busy,
        "fallback": routing.fallback,
        "rules": [
            {
                "when": None if rule.when is None else conditions(rule.when),
                "to": {"group": rule.group} if rule.agent is None else {"agent": numbers.get(rule.agent)},
                "claim_minutes": rule.claim_minutes,
            }
            for rule in routing.rules
        ],
        "groups": {
            name: [numbers[member] for member in members if member in numbers]
            for name, members in routing.groups.items()
        },
        "answer_within_minutes": routing.answer_within_minutes,
        "learn_from_reassignments": routing.learn_from_reassignments,
        "masked_words": list(routing.masked_words),
    }


def conditions(when: When) -> dict[str, Any]:
    """All conditions of a rule, those that are not set too."""
    return {name: list(getattr(when, name)) for name in WORDS} | {name: number(getattr(when, name)) for name in PRICES}


def when(sent: WhenUpdate) -> When:
    """The conditions of a rule as the brokerage keeps them."""
    return When(
        subject_has=tuple(sent.subject_has),
        page_has=tuple(sent.page_has),
        source=tuple(sent.source),
        area=tuple(sent.area),
        listing_id=tuple(sent.listing_id),
        price_from=sent.price_from,
        price_to=sent.price_to,
    )


def settings(sent: RoutingUpdate, ids: Mapping[int, UUID]) -> Routing:
    """What was sent as the brokerage keeps it; *ids* are those of the brokerage's users. Raises Invalid."""

    def agent(field: str, where: str, named: int) -> UUID:
        if named not in ids:
            raise Invalid(field, UNKNOWN.format(where=where, agent=named))
        return ids[named]

    rules = []
    for place, rule in enumerate(sent.rules):
        to = rule.to
        rules.append(
            Rule(
                when=None if rule.when is None else when(rule.when),
                agent=None if to.agent is None else agent("rules", f"rules[{place}].to", to.agent),
                group=to.group,
                claim_minutes=rule.claim_minutes,
            )
        )
    return Routing(
        mode=sent.mode,
        semantic_filter=sent.semantic_filter,
        least_busy=sent.least_busy,
        fallback=sent.fallback,
        rules=tuple(rules),
        groups={
            name: tuple(agent("groups", f"groups.{name}", member) for member in members)
            for name, members in sent.groups.items()
        },
        answer_within_minutes=sent.answer_within_minutes,
        learn_from_reassignments=sent.learn_from_reassignments,
        masked_words=tuple(sent.masked_words),
    )
