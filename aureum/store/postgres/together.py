"""Reads that wait at the same moment go together: one call of one statement, with arrays of what each of them asks for.

A round trip costs this process and the database more than a page of a list does. One call of a statement is under way
at a time, and whoever asks meanwhile goes with the next; a lone read waits for no timer. It is how the gate and the
writer do it. Only for reads that all take little: a slow one would delay those beside it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aureum.domain.errors import Unavailable
from aureum.store.postgres.arrays import packed

GROUP_LIMIT = 32
"""Reads in one call; more wait for the next."""

Waiting = tuple[Sequence[Any], asyncio.Future[list[Any]]]


class Together:
    """One a process. *rows* runs a statement with its parameters, and fetches."""

    def __init__(self, rows: Callable[[str, Sequence[Any]], Awaitable[list[Any]]]) -> None:
        self.rows = rows
        self.waiting: dict[str, list[Waiting]] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    async def ask(self, statement: str, values: Sequence[Any]) -> list[Any]:
        """The rows for *values*. *statement* takes an array for each of them, in binary (``%b``), and its rows begin
        with the place in the arrays, from 1 on. Raises Unavailable, and the driver's errors."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Any]] = loop.create_future()
        waiting = self.waiting.get(statement)
        if waiting is None:
            waiting = self.waiting[statement] = []
            task = loop.create_task(self._run(statement, waiting))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        waiting.append((values, future))
        return await future

    async def _run(self, statement: str, waiting: list[Waiting]) -> None:
        try:
            while waiting:
                group = waiting[:GROUP_LIMIT]
                del waiting[:GROUP_LIMIT]
                await self._read(statement, group)
        finally:
            del self.waiting[statement]

    async def _read(self, statement: str, group: Sequence[Waiting]) -> None:
        try:
            rows = await self.rows(
                statement,
                [packed(type(column[0]), column) for column in zip(*(asked for asked, _ in group), strict=True)],
            )
        except Exception as error:
            if len(group) > 1 and not isinstance(error, Unavailable):
                # What is wrong with one of them is not the others' fault: each for itself.
                for one in group:
                    await self._read(statement, [one])
                return
            for _, future in group:
                if not future.done():
                    future.set_exception(error)
            return
        found: defaultdict[int, list[Any]] = defaultdict(list)
        for place, *row in rows:
            found[place].append(row)
        for place, (_, future) in enumerate(group, start=1):
            if not future.done():
                future.set_result(found[place])
