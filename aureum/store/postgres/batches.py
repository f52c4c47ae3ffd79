"""What waits at the same moment goes together: one call for all of it, one call at a time.

A round trip costs this process and the database more than most of what is asked. So what comes while a call is under
way waits for its end, and goes with all that came meanwhile. What comes alone waits for no timer and for nothing else:
the task that asks makes the call itself. Where several have just gone together, the next one waits until this turn of
the event loop is over: others come in the same turn. Only for calls that all take little: a slow item would delay those
beside it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from aureum.domain.errors import Unavailable

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Batches(Generic[Item, Answer]):
    """*call* answers items in their order, at most *limit* of them.

    After a batch, *turns* of the event loop pass before the next: in these the answers go out, and what they bring in
    at once goes together again.
    """

    def __init__(
        self, call: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]], limit: int, turns: int = 0
    ) -> None:
        self.call = call
        self.limit = limit
        self.turns = turns
        self.waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self.calling = False
        self.in_company = False
        """Whether the last call was for several."""
        self.task: asyncio.Task[None] | None = None
        self.over: asyncio.Future[None] | None = None

    async def ask(self, item: Item) -> Answer:
        """The answer for *item*. Raises what the call raises."""
        if self.calling or self.in_company:
            return await self.put(item)
        self.calling = True
        try:
            (answer,) = await self.call([item])
        finally:
            # Also of a caller who was cancelled: the others wait for the end of this call only.
            self._end_or_go_on()
        return answer

    def put(self, item: Item) -> asyncio.Future[Answer]:
        """``ask`` for what is no task: the answer will be in the future."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.waiting.append((item, future))
        if not self.calling:
            self.calling = True
            self._end_or_go_on()
        return future

    async def end(self) -> None:
        """Wait until all that was asked is answered. Nothing may be asked any more."""
        if self.calling:
            self.over = asyncio.get_running_loop().create_future()
            await self.over

    def _end_or_go_on(self) -> None:
        if self.waiting:
            self.task = asyncio.get_running_loop().create_task(self._run())
            return
        self.calling = False
        if self.over is not None:
            self.over.set_result(None)

    async def _run(self) -> None:
        while self.waiting:
            batch = self.waiting[: self.limit]
            del self.waiting[: self.limit]
            self.in_company = len(batch) > 1
            await self._answer(batch)
            for _ in range(self.turns):
                await asyncio.sleep(0)
        self._end_or_go_on()

    async def _answer(self, batch: Sequence[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self.call([item for item, _ in batch])
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, Unavailable):
                # What is wrong with one of them is not the others' fault: each for itself.
                for one in batch:
                    await self._answer([one])
                return
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(answer)
