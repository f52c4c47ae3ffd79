"""Answers of this process that are still exact: their key holds the tenant's position, so that any append, from any
process, makes a new key. The gate tells the position on every request; a cached answer saves the read behind it.
"""

from collections.abc import Hashable

from aureum.lru import ReadThrough

ENTRY_OVERHEAD_BYTES = 400


def size_of(body: bytes) -> int:
    """In memory, with its key."""
    return len(body) + ENTRY_OVERHEAD_BYTES


class AnswerCache(ReadThrough[Hashable, bytes]):
    """Bodies by key. ``limit`` counts bytes; 0 keeps nothing and every read is made."""

    def __init__(self, limit: int = 32_000_000, entry_limit: int = 1_000_000) -> None:
        super().__init__(limit, size_of)
        self.entry_limit = entry_limit

    def keep(self, key: Hashable, value: bytes) -> None:
        """Remember the body *value*, unless it alone would take much of the room."""
        if size_of(value) <= self.entry_limit:
            super().keep(key, value)
