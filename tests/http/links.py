"""The ``Link`` headers of lists: where the next page is, and where what changes from now on."""

import re

from tests.http.serving import Answer

LINK = re.compile(r'<([^>]+)>; rel="([a-z]+)"')


NEXT = re.compile(r'<([^>]+)>; rel="next"')


def links(answer: Answer) -> dict[str, str]:
    """The paths by their relation."""
    return {relation: path for path, relation in LINK.findall(answer.headers.get("link", ""))}


def next_page(answer: Answer) -> str | None:
    """The path of the next page, if there is one."""
    return links(answer).get("next")


def delta(answer: Answer) -> str:
    """The path of what changes from now on."""
    return links(answer)["delta"]
