"""A view that a user has saved: a list as it is filtered and sorted, under a name of the user's own."""

from typing import NamedTuple

MOST = 50
"""Views that one user keeps."""

TOO_MANY = f"You have {MOST} saved views. Remove one before you save another."
NO_VIEW = "There is no such saved view."


class SavedView(NamedTuple):
    """``query`` is that of the page's address, without a question mark."""

    name: str
    page: str
    query: str
