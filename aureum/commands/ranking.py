"""Which agents an enquiry suits: what commands hand to ``aureum.routing``, and what comes back, in the domain's words.

Only what routes imports this module, since numpy and the glossary come with it. The model is asked through the one
connection that a process has (``asking``); without one, and where the model does not answer, the cheap signals decide.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

import structlog

from aureum.domain.routing.eligible import Agent
from aureum.domain.routing.enquiry import Enquiry
from aureum.domain.routing.examples import Example
from aureum.domain.routing.ranking import How, Met, Ranking
from aureum.log import places
from aureum.routing import enquiry as compared
from aureum.routing import profile
from aureum.routing.decision import DECIDED, Decision
from aureum.routing.model_client import ModelClient
from aureum.routing.profile import Profile
from aureum.routing.protected import protected
from aureum.routing.roster import Roster, roster, topic_index
from aureum.routing.router import SemanticRouter

MISSING: dict[str, How] = {"late": "late", "busy": "late", "away": "broken"}
"""What a decision that the model's absence left open is called."""


log = structlog.get_logger()


@dataclass(slots=True)
class Connection:
    """Where this process asks the model, None where it has none; how long profiles may take to be made ready; and who
    is told why the model took no part."""

    model: ModelClient | None = None
    seconds: float | None = None
    missed: Callable[[str], None] = lambda why: None


connection = Connection()

own: ContextVar[Connection | None] = ContextVar("own", default=None)
"""What the work of one task asks instead, such as a rehearsal or an import, which wait longer than forms do."""


@contextmanager
def asking(
    model: ModelClient | None, seconds: float | None = None, missed: Callable[[str], None] = lambda why: None
) -> Iterator[None]:
    """Rankings of this process ask *model* while this lasts, and wait no longer than *seconds* for profiles. *missed*
    is told why the model took no part, each time that it should have."""
    before = connection.model, connection.seconds, connection.missed
    connection.model, connection.seconds, connection.missed = model, seconds, missed
    try:
        yield
    finally:
        connection.model, connection.seconds, connection.missed = before


@contextmanager
def asking_alone(model: ModelClient) -> Iterator[None]:
    """Rankings of this task alone ask *model* while this lasts."""
    token = own.set(Connection(model))
    try:
        yield
    finally:
        own.reset(token)


def asked() -> Connection:
    """Where this task asks."""
    return own.get() or connection


def warm_up() -> None:
    """Read what every ranking needs, before the first enquiry waits for it."""
    protected()
    topic_index()


@dataclass(slots=True)
class Profiles:
    """The agents of one brokerage as enquiries are compared with them, the words that the brokerage has masked, and
    what staff have taught by giving leads to other agents."""

    agents: tuple[Agent, ...]
    masked: frozenset[str] = frozenset()
    examples: tuple[Example, ...] = ()
    made: "asyncio.Future[Roster] | None" = None
    ready: Roster | None = None
    eligible: tuple[Sequence[Agent], frozenset[UUID] | None] = ((), None)
    """The last pool, and the ids of its agents."""

    async def rank(self, enquiry: Enquiry, pool: Sequence[Agent]) -> Ranking:
        """Which agents of *pool* the *enquiry* suits. It waits for the model no longer than the time limit, and raises
        nothing: a lead is stored whatever happens here."""
        if not pool:
            return Ranking("nobody")
        if len(pool) == 1:
            return Ranking("only", ((pool[0].user_id, None),))
        if not self.examples and not any(agent.specialties or agent.bio or agent.languages for agent in pool):
            return Ranking("nothing_said")
        try:
            ranking = await self.compared(enquiry, pool)
        except TimeoutError:
            ranking = Ranking("late", missing="late")
        except Exception as error:
            log.error("ranking_failed", error=type(error).__name__, trace=places(error))
            return Ranking("broken")
        if ranking.missing is not None:
            asked().missed(ranking.missing)
        return ranking

    async def compared(self, enquiry: Enquiry, pool: Sequence[Agent]) -> Ranking:
        """The ranking by the profiles. Raises TimeoutError if they are not ready in time."""
        if self.ready is None:
            async with asyncio.timeout(asked().seconds):
                self.ready = await self.roster()
        router = SemanticRouter(asked().model)
        return ranking_of(await router.decide(to_compare(enquiry), self.ready, self.ids_of(pool)))

    async def roster(self) -> Roster:
        """The agents' profiles, made ready once, and in a thread: 200 agents take 0.1 s, in which others go on."""
        if self.made is None:
            profiles = self.profiles()
            self.made = asyncio.ensure_future(asyncio.to_thread(roster, profiles, self.masked))
        # The first caller may be cancelled while others wait.
        return await asyncio.shield(self.made)

    def profiles(self) -> list[Profile]:
        """The agents' own words, and examples."""
        examples: dict[UUID, list[profile.Example]] = {}
        for one in self.examples:
            examples.setdefault(one.agent, []).append(profile.Example(to_compare(one.enquiry), one.name))
        return [profile_of(agent, examples.get(agent.user_id, ())) for agent in self.agents]

    def ids_of(self, pool: Sequence[Agent]) -> frozenset[UUID] | None:
        """The ids of a pool, which is mostly the same from one enquiry to the next; None if all agents are in it."""
        if self.eligible[0] is not pool:
            everyone = len(pool) == len(self.agents)
            self.eligible = (pool, None if everyone else frozenset(agent.user_id for agent in pool))
        return self.eligible[1]


def profile_of(agent: Agent, examples: Iterable[profile.Example] = ()) -> Profile:
    """An agent's own words, and what the agent's *examples* said."""
    own = (agent.specialties, agent.bio or "", agent.areas, agent.languages)
    return Profile(agent.user_id, *own, examples=tuple(examples))


def to_compare(enquiry: Enquiry) -> compared.Enquiry:
    """*enquiry* as it is compared: what was written, the words of its page and listing, and the names to be masked."""
    about = enquiry.listing
    listing = None if about is None else compared.Listing(about.title, about.kind, about.price or "", about.city)
    return compared.Enquiry(enquiry.message, enquiry.subject, enquiry.page, listing, enquiry.names)


def ranking_of(decision: Decision) -> Ranking:
    """*decision* in the domain's words. What the model was needed for and did not answer is undecided, so that the
    fallback decides; what the cheap signals decide without it stands, and says that the model was missing."""
    missing = decision.model_missing
    undecided = missing is not None and decision.how not in DECIDED
    return Ranking(
        MISSING[missing] if undecided and missing is not None else decision.how.value,
        tuple((user_id, score) for user_id, score, out in decision.ranked if out is None),
        () if undecided else decision.near_ties,
        decision.margin,
        tuple(Met(met.said, met.profile) for met in decision.because) if decision.decided else (),
        decision.model,
        decision.language,
        tuple(user_id for user_id, _, out in decision.ranked if out is not None),
        missing,
    )
