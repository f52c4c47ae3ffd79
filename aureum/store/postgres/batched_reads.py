"""Reads that wait at the same moment are batched: one call, with arrays of what each of them asks for."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from aureum.store.postgres.arrays import packed
from aureum.store.postgres.batches import Batches

GROUP_LIMIT = 32
"""Reads in one call; more wait for the next."""

Values = Sequence[Any]
Rows = list[Any]


class BatchedReads:
    """One a process. *rows* runs a statement with its parameters, and fetches."""

    def __init__(self, rows: Callable[[str, Sequence[Any]], Awaitable[list[Any]]]) -> None:
        self.rows = rows
        self.batches: dict[str, Batches[Values, Rows]] = {}
        self.limit = GROUP_LIMIT

    def each_alone(self) -> None:
        """On Citus a call reads of one tenant: so a node that is away is missed by its own tenants alone."""
        self.limit = 1
        for batches in self.batches.values():
            batches.limit = 1

    async def ask(self, statement: str, values: Values) -> Rows:
        """The rows for *values*. *statement* takes an array for each of them, in binary (``%b``), and its rows begin
        with the place in the arrays, from 1 on. Raises Unavailable, and the driver's errors."""
        batches = self.batches.get(statement)
        if batches is None:
            batches = self.batches[statement] = Batches(partial(self._read, statement), self.limit)
        return await batches.ask(values)

    async def _read(self, statement: str, asked: Sequence[Values]) -> Sequence[Rows]:
        arrays = [packed(type(column[0]), column) for column in zip(*asked, strict=True)]
        found: defaultdict[int, Rows] = defaultdict(list)
        for place, *row in await self.rows(statement, arrays):
            found[place].append(row)
        return [found[place] for place in range(1, len(asked) + 1)]
