"""Query parameters of lists: none is ignored by mistake. With a misspelt filter ignored, all rows would come."""

from collections.abc import Collection
from difflib import get_close_matches
from itertools import islice

from starlette.datastructures import QueryParams

from aureum.http.wire.errors import HttpError, InvalidRequest, Problem
from aureum.http.wire.validation import ECHOED

NO_PAST = "asOf does not work for this list, which has only the current state. Leave it out."

MOST_TOLD = 10
"""Unknown parameters that one refusal names."""

TWICE = "{name} is sent more than once. Send it once."


def check_past(query: QueryParams) -> None:
    """Raises HttpError 400 for ``asOf``, where a list cannot do it."""
    if query.get("asOf"):
        raise HttpError("as_of_unsupported", NO_PAST)


def check_names(query: QueryParams, known: Collection[str]) -> None:
    """Raises InvalidRequest for a parameter that is not among *known*, and for one that is given twice. What begins
    with ``_`` is the client's own: it keeps caches apart, say."""
    strange = (name for name in query if name not in known and not name.startswith("_"))
    problems = [unknown(name, known) for name in islice(strange, MOST_TOLD)]
    if len(query.multi_items()) > len(query):
        problems += [repeated(name) for name in known if len(query.getlist(name)) > 1]
    if problems:
        raise InvalidRequest(problems)


def unknown(name: str, known: Collection[str]) -> Problem:
    """What is said of a parameter that the list does not have. A name is repeated only if it looks like one."""
    is_word = ECHOED.fullmatch(name) is not None
    sentence = f"{name if is_word else 'This'} is not a parameter of this list."
    if is_word and (meant := get_close_matches(name, known, 1)):
        sentence += f" Did you mean {meant[0]}?"
    sentence += f" It takes: {', '.join(known)}." if known else " It takes none."
    return Problem(("query", name if is_word else "?"), "unknown parameter", "value_error.extra", sentence)


def repeated(name: str) -> Problem:
    """What is said of a parameter that stands in the query more than once: it would be unclear which one counts."""
    return Problem(("query", name), "given more than once", "value_error", TWICE.format(name=name))
