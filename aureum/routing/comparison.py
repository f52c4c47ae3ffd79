"""What the cheap signals say of an enquiry: language, literal names, likeness by letters. No model, no waiting."""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from aureum.routing.decision import Because, Decision, How, Ranked
from aureum.routing.enquiry import Enquiry, Prepared, prepared
from aureum.routing.glossary import phrase
from aureum.routing.language import ENGLISH, speaks
from aureum.routing.literal import stands_in
from aureum.routing.ngrams import NgramIndex, counted
from aureum.routing.profile import Words
from aureum.routing.protected import protected
from aureum.routing.roster import Roster, topic_index
from aureum.routing.scores import LIKENESS, MARGIN, NGRAM_WEIGHT, margin, standardized, usual
from aureum.routing.text import telling_words

CLEAR = 2.5
"""The margin in likeness by letters alone from which on the model is not asked."""

SAME = 0.5
"""Profiles whose scores by letters differ less, so far above all others, say the same."""

OTHER_LANGUAGE = "language"


@dataclass(frozen=True)
class Comparison:
    """An enquiry beside a roster. ``places`` are those in the roster who compete; ``letters`` are their scores by
    letters alone, in the same order, and ``likeness`` the greatest likeness among them."""

    roster: Roster
    enquiry: Prepared
    places: tuple[int, ...]
    letters: NDArray[np.float64]
    likeness: float
    language: str | None
    out: tuple[Ranked, ...] = field(default=())

    def early(self) -> Decision | None:
        """The decision, if the cheap signals make it; None if the model has to be asked."""
        if len(self.places) < 2:
            how = How.ONLY if self.places else How.NOBODY
            return self.decision(how, self.letters)
        named = self.roster.literal.named(self.enquiry.written, self.places)
        if named is not None:
            scores = self.letters.copy()
            # Named in so many words is above all likeness.
            scores[self.places.index(named.agent)] = scores.max() + MARGIN
            return self.decision(How.LITERAL, scores, (Because(self.quoted(named.specialty), named.specialty),))
        if not telling_words(self.enquiry.text):
            return self.decision(How.NOTHING_SAID, self.letters)
        if self.likeness < LIKENESS:
            return None
        same = self.letters > self.letters.max() - SAME
        others = self.letters[~same]
        if len(others) and self.letters.max() - others.max() < CLEAR:
            return None
        if same.sum() > 1:
            # Agents of the same words: no model could tell them apart.
            return self.decision(How.NEAR_TIE, self.letters) if len(others) else None
        return self.decision(How.LETTERS, self.letters, self.because())

    def without_model(self, why: str | None) -> Decision:
        """The decision where no model can be asked: *why*, or None if none is set."""
        how = self.judged(self.letters, How.LETTERS)
        because = self.because() if how is How.LETTERS else ()
        return self.decision(how, self.letters, because, model_missing=why)

    def judged(self, scores: NDArray[np.float64], how: How) -> How:
        """*how*, if *scores* are clear enough to decide."""
        ahead = margin(scores)
        if not self.spoken_of(how):
            return How.NOTHING_SAID
        return how if ahead is None or ahead >= MARGIN else How.NEAR_TIE

    def spoken_of(self, how: How = How.MEANING) -> bool:
        """Whether the enquiry is about something that a profile speaks of. Letters tell, but not across languages."""
        across = how is How.MEANING and self.enquiry.language != ENGLISH and bool(telling_words(self.enquiry.text))
        return across or self.likeness >= LIKENESS

    def decision(
        self,
        how: How,
        scores: NDArray[np.float64],
        because: tuple[Because, ...] = (),
        model: str | None = None,
        model_missing: str | None = None,
    ) -> Decision:
        """The value to hand on."""
        ahead = margin(scores)
        # Places are in the order of ids, which decides between equals.
        order = np.argsort(-scores, kind="stable")
        best_first = scores[order]
        known, places = self.roster.user_ids, self.places
        user_ids = [known[places[place]] for place in order.tolist()]
        near = int((best_first > best_first[0] - MARGIN).sum()) if how is How.NEAR_TIE else 0
        return Decision(
            how,
            (*map(Ranked, user_ids, best_first.round(3).tolist()), *self.out),
            None if ahead is None else round(ahead, 3),
            tuple(user_ids[:near]),
            because,
            model,
            model_missing,
            self.language,
        )

    def quoted(self, specialty: str) -> str:
        """The clause of the enquiry that names *specialty*, as it was written; itself, if no clause that is quoted
        does."""
        named = phrase(specialty)
        return next((clause for clause in self.enquiry.clauses if stands_in(named, phrase(clause))), specialty)

    def because(self) -> tuple[Because, ...]:
        """The clause and the phrase of the best agent that are most alike by letters."""
        words = self.roster.words[self.places[int(np.argmax(self.letters))]]
        phrases, index = phrase_index(words, self.roster.masked)
        best: tuple[float, Because] | None = None
        for clause in self.enquiry.clauses:
            likeness = index.likeness(*counted(clause))
            place = int(np.argmax(likeness))
            if likeness[place] > (best[0] if best else 0.0):
                best = float(likeness[place]), Because(clause, phrases[place])
        return (best[1],) if best else ()


@lru_cache(maxsize=128)
def phrase_index(words: Words, masked: frozenset[str]) -> tuple[tuple[str, ...], NgramIndex]:
    """A profile's phrases as they are shown, and their letters."""
    phrases = tuple(words.phrases())
    index = NgramIndex([counted(one.text) for one in phrases], topic_index(masked))
    return tuple(one.shown for one in phrases), index


def compared(enquiry: Enquiry, roster: Roster, eligible: Collection[UUID] | None = None) -> Comparison:
    """*enquiry* beside those of *roster* who are *eligible*, or all."""
    ready = prepared(enquiry, protected(roster.masked))
    allowed = list(range(len(roster.profiles)))
    if eligible is not None:
        allowed = [place for place in allowed if roster.user_ids[place] in eligible]
    places, language = allowed, None
    for wanted in (ready.asked_for, ready.language if ready.language != ENGLISH else None):
        speakers = [place for place in allowed if wanted and speaks(roster.profiles[place].languages, wanted)]
        if speakers:
            places, language = speakers, wanted
            break
    out = set(allowed).difference(places) if language else ()
    ids, weights = counted(ready.text)
    likeness = roster.index.likeness(ids, weights)[places]
    scores = NGRAM_WEIGHT * standardized(
        np.where(roster.wordless[places], np.nan, likeness), usual(topic_index(roster.masked).likeness(ids, weights))
    )
    return Comparison(
        roster,
        ready,
        tuple(places),
        scores,
        float(likeness.max(initial=0.0)),
        language,
        tuple(Ranked(roster.user_ids[place], None, OTHER_LANGUAGE) for place in sorted(out)),
    )
