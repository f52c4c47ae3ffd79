"""The ranking that needs no model: which agents' specialties an enquiry names, word for word.

An agent's specialties are words for places and kinds of homes. The agent with the most of them named in what the
visitor wrote suits best. Who wrote it (name, address) never takes part.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from aureum.domain.routing.eligible import Agent
from aureum.domain.routing.enquiry import Enquiry
from aureum.domain.routing.ranking import Met, Ranking

WORD = re.compile(r"\w+")


@lru_cache(maxsize=4_096)
def split(specialties: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Specialties as the words that they consist of, folded."""
    return tuple(words for phrase in specialties if (words := tuple(WORD.findall(phrase.casefold()))))


def rank(enquiry: Enquiry, pool: Sequence[Agent]) -> Ranking:
    """Whom of *pool* the *enquiry* suits, by how many specialties it names."""
    if not pool:
        return Ranking("nobody")
    if len(pool) == 1:
        return Ranking("only", ((pool[0].user_id, None),))
    text = enquiry.text.casefold()
    named = {
        agent.user_id: [" ".join(phrase) for phrase in split(agent.specialties) if is_named(phrase, text)]
        for agent in pool
    }
    if not any(named.values()):
        return Ranking("nothing_said")
    ranked = tuple(sorted(((user_id, float(len(found))) for user_id, found in named.items()), key=best_first))
    most = ranked[0][1]
    equals = tuple(user_id for user_id, score in ranked if score == most)
    margin = most - ranked[1][1]
    if len(equals) > 1:
        return Ranking("near_tie", ranked, equals, margin)
    return Ranking("literal", ranked, margin=margin, because=tuple(Met(text, text) for text in named[equals[0]]))


def is_named(phrase: Sequence[str], text: str) -> bool:
    """Whether each word of *phrase* stands in *text*, wherever. Most do not, and that costs little to find out."""
    return all(word in text and alone(word).search(text) for word in phrase)


@lru_cache(maxsize=10_000)
def alone(word: str) -> re.Pattern[str]:
    """*word*, not as a part of a longer one."""
    return re.compile(rf"\b{word}\b")


def best_first(one: tuple[object, float]) -> tuple[float, object]:
    """The order of a ranking; equals by their ids."""
    return -one[1], one[0]
