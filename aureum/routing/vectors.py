"""Likeness by meaning: the rosters' vectors, and an enquiry compared with them. It lives in the model's process.

An agent has two vectors: the middle of all phrases (specialties, sentences of the bio, what clients say), and the
profile as one text. Vectors are kept by content, so that a changed profile costs its own new sentences and no others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from aureum.lru import Lru
from aureum.routing.embedding import Embedder, Vectors
from aureum.routing.glossary import topics
from aureum.routing.scores import MARGIN, margin, standardized, usual

SENTENCES_KEPT = 20_000
"""About 20 MB; 200 agents with long bios have 1,000 sentences of their own."""
ROSTERS_KEPT = 256
SLICE = 16
"""How many sentences are embedded at a time while a roster is made ready: enquiries come between."""

BECAUSE_MOST = 2
BECAUSE_SHARE = 0.9
"""A second reason is given if it is so good, compared with the first."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Agent:
    """What of a profile has a meaning: ``phrases`` with what is shown for each, and all of it as one text. ``weights``
    is how much each phrase counts in their middle; all the same if there are none."""

    phrases: tuple[str, ...]
    shown: tuple[str, ...]
    whole: str
    weights: tuple[float, ...] = ()


@dataclass
class RosterVectors:
    """``agents`` and, once it is ready, a row a vector for each; without words it is NaN."""

    agents: tuple[Agent, ...]
    middles: Vectors | None = None
    wholes: Vectors | None = None


@dataclass(frozen=True)
class Question:
    """An enquiry to be compared with the ``places`` of a roster, whose scores by letters are ``letters``.
    ``may_decide`` is whether a clear margin would decide, so that a reason is wanted."""

    roster: str
    text: str
    clauses: Sequence[str]
    places: Sequence[int]
    letters: Sequence[float]
    may_decide: bool


@dataclass(frozen=True)
class Answer:
    """The scores by letters and meaning, and the reasons, if the margin is clear."""

    scores: Sequence[float]
    because: Sequence[Sequence[str]] = ()


class Meanings:
    """All that the model knows: the glossary's topics from the beginning, rosters as they are brought."""

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder
        self.sentences: Lru[str, NDArray[np.float16]] = Lru(SENTENCES_KEPT)
        self.rosters: Lru[str, RosterVectors] = Lru(ROSTERS_KEPT)
        self._unready: dict[str, None] = {}
        all_topics = [(*topic.names, *topic.said) for topic in topics()]
        self.embed_slice([text for texts in all_topics for text in texts], everything=True)
        self.topic_middles = np.array([middle(self._vectors(texts)) for texts in all_topics])
        self.topic_wholes = embedder.embed([" ".join(texts) for texts in all_topics])

    def bring(self, name: str, agents: Iterable[Agent]) -> None:
        """Take a roster, to be made ready by and by."""
        if self.rosters.find(name) is None:
            self.rosters.keep(name, RosterVectors(tuple(agents)))
            self._unready[name] = None

    def unready(self) -> list[str]:
        """The names of rosters that are not ready yet."""
        for name in [name for name in self._unready if self.rosters.find(name) is None]:
            del self._unready[name]
        return list(self._unready)

    def make_ready(self, name: str) -> bool:
        """Do a slice of what the roster lacks; whether it is ready now."""
        roster = self._roster(name)
        if roster.middles is not None:
            return True
        texts = [text for agent in roster.agents for text in (*agent.phrases, agent.whole) if text]
        if not self.embed_slice(texts):
            return False
        nothing = np.full(self.topic_middles.shape[1], np.nan, dtype=np.float32)
        middles = [middle(self._vectors(one.phrases), one.weights) if one.phrases else nothing for one in roster.agents]
        wholes = [self._sentence(one.whole).astype(np.float32) if one.whole else nothing for one in roster.agents]
        size = (len(roster.agents), len(nothing))
        roster.middles = np.array(middles, dtype=np.float32).reshape(size)
        roster.wholes = np.array(wholes, dtype=np.float32).reshape(size)
        self._unready.pop(name, None)
        return True

    def embed_slice(self, texts: Iterable[str], *, everything: bool = False) -> bool:
        """Embed a slice of those *texts* that are not known, or all; whether all are known now."""
        unknown = [text for text in dict.fromkeys(texts) if self.sentences.find(text) is None]
        wanted = unknown if everything else unknown[:SLICE]
        if wanted:
            for text, vector in zip(wanted, self.embedder.embed(wanted), strict=True):
                self.sentences.keep(text, vector.astype(np.float16))
        return len(wanted) == len(unknown)

    def _roster(self, name: str) -> RosterVectors:
        found = self.rosters.find(name)
        if found is None:
            raise KeyError(name)
        return found

    def _sentence(self, text: str) -> NDArray[np.float16]:
        found = self.sentences.find(text)
        if found is None:
            raise KeyError(text)
        return found

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        return np.array([self._sentence(text) for text in texts], dtype=np.float32)

    def answers(self, questions: Sequence[Question]) -> list[Answer]:
        """One for each, embedded together; their rosters are ready."""
        enquiries = self.embedder.embed([question.text for question in questions])
        all_scores = [self._scores(question, vector) for question, vector in zip(questions, enquiries, strict=True)]
        clear = [
            number
            for number, (question, scores) in enumerate(zip(questions, all_scores, strict=True))
            if question.may_decide and question.clauses and (margin(scores) or 0.0) >= MARGIN
        ]
        because: dict[int, tuple[tuple[str, str], ...]] = {}
        if clear:
            # A single clause is the enquiry.
            clauses = [
                text for number in clear if len(questions[number].clauses) > 1 for text in questions[number].clauses
            ]
            vectors = iter(self.embedder.embed(clauses) if clauses else ())
            for number in clear:
                count = len(questions[number].clauses)
                own = enquiries[number : number + 1] if count == 1 else np.array(list(islice(vectors, count)))
                because[number] = self._because(questions[number], own, int(np.argmax(all_scores[number])))
        return [Answer(scores.tolist(), because.get(number, ())) for number, scores in enumerate(all_scores)]

    def _scores(self, question: Question, enquiry: Vectors) -> Floats:
        roster, places = self._roster(question.roster), list(question.places)
        assert roster.middles is not None and roster.wholes is not None
        # Of all agents: to take a few rows out would copy them first.
        middles, wholes = (roster.middles @ enquiry)[places], (roster.wholes @ enquiry)[places]
        by_middle = standardized(middles, usual(self.topic_middles @ enquiry))
        by_whole = standardized(wholes, usual(self.topic_wholes @ enquiry))
        return (by_middle + by_whole) / 2 + np.array(question.letters, dtype=np.float64)

    def _because(self, question: Question, clauses: Vectors, best: int) -> tuple[tuple[str, str], ...]:
        agent = self._roster(question.roster).agents[question.places[best]]
        if not agent.phrases:
            return ()
        missing = [text for text in agent.phrases if self.sentences.find(text) is None]
        self.embed_slice(missing, everything=True)
        likeness = clauses @ self._vectors(agent.phrases).T
        phrases = likeness.argmax(axis=1)
        strength = likeness.max(axis=1)
        order = [clause for clause in np.argsort(-strength, kind="stable") if strength[clause] > 0][:BECAUSE_MOST]
        return tuple(
            (question.clauses[clause], agent.shown[phrases[clause]])
            for clause in order
            if strength[clause] >= BECAUSE_SHARE * strength[order[0]]
        )


def middle(vectors: Vectors, weights: Sequence[float] = ()) -> Vectors:
    """The mean of *vectors*, of length 1, each with its weight."""
    mean = np.average(vectors, axis=0, weights=weights or None)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), dtype=np.float32)
