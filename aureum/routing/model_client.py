"""A process's connection to the model's process: questions go out as they come, and none waits longer than the limit.

Whatever goes wrong is a word (``late``, ``away``, ``busy``) and no exception: the cheap signals decide then.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from aureum.routing.roster import Roster
from aureum.routing.vectors import ROSTERS_KEPT, Answer, Question

TIME_LIMIT = 0.25
"""How many seconds a form may wait for the model."""

PENDING_LIMIT = 64
"""How many questions may be under way: what comes on top could not be answered within the limit."""

RECONNECT_SECONDS = 0.2
LINE_LIMIT = 2**20


@dataclass(frozen=True, slots=True)
class Model:
    """What the model's process said of itself."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class ModelMissing(Exception):
    """No answer: ``why`` is "late", "away" or "busy"."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class ModelClient:
    """Open it with ``async with``. It connects by itself, again and again, while the model's process is away."""

    def __init__(self, path: Path, *, seconds: float = TIME_LIMIT) -> None:
        self.path, self.seconds = path, seconds
        self.model: Model | None = None
        self.connected = asyncio.Event()
        self._pending: dict[int, asyncio.Future[Answer]] = {}
        self._asked: dict[int, Roster] = {}
        self._questions: dict[int, Question] = {}
        self._brought: set[str] = set()
        self._number = 0
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "ModelClient":
        self._task = asyncio.create_task(self._stay_connected())
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._task is not None
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def ready(self, seconds: float) -> bool:
        """Whether the model is loaded and answers, waiting so long for it."""
        try:
            async with asyncio.timeout(seconds):
                await self.connected.wait()
        except TimeoutError:
            return False
        return True

    async def answer(self, question: Question, roster: Roster) -> tuple[Answer, Model]:
        """The model's answer, within the time limit. Raises ModelMissing."""
        if self._writer is None or self.model is None:
            raise ModelMissing("away")
        if len(self._pending) >= PENDING_LIMIT:
            raise ModelMissing("busy")
        self._number += 1
        number, model = self._number, self.model
        future = self._pending[number] = asyncio.get_running_loop().create_future()
        self._asked[number], self._questions[number] = roster, question
        try:
            if roster.digest not in self._brought:
                self.bring(roster)
            self._ask(number)
            async with asyncio.timeout(self.seconds):
                return await future, model
        except TimeoutError:
            raise ModelMissing("late") from None
        finally:
            for known in (self._pending, self._asked, self._questions):
                known.pop(number, None)

    def bring(self, roster: Roster) -> None:
        """Let the model's process make *roster* ready before anybody asks."""
        agents = [
            {
                "phrases": [phrase.text for phrase in words.phrases()],
                "shown": [phrase.shown for phrase in words.phrases()],
                "whole": words.whole,
            }
            for words in roster.words
        ]
        self._write({"roster": roster.digest, "agents": agents})
        if len(self._brought) > ROSTERS_KEPT:
            self._brought.clear()
        self._brought.add(roster.digest)

    def _ask(self, number: int) -> None:
        self._write({"number": number, "seconds": self.seconds, "question": self._questions[number]})

    def _write(self, said: dict[str, Any]) -> None:
        if self._writer is not None:
            self._writer.write(orjson.dumps(said) + b"\n")

    async def _stay_connected(self) -> None:
        while True:
            try:
                reader, self._writer = await asyncio.open_unix_connection(self.path, limit=LINE_LIMIT)
                await self._read(reader)
            except (OSError, ValueError, asyncio.IncompleteReadError):
                pass  # it is away: what waits learns so below
            finally:
                self._lost()
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            said = orjson.loads(line)
            if "model" in said:
                self.model = Model(said["model"], said["version"])
                self.connected.set()
                continue
            number = said["number"]
            future = self._pending.get(number)
            if future is None or future.done():
                continue
            if "unknown" in said:
                self.bring(self._asked[number])
                self._ask(number)
            else:
                future.set_result(Answer(**said["answer"]))

    def _lost(self) -> None:
        self.connected.clear()
        self.model = None
        self._brought.clear()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for future in self._pending.values():
            if not future.done():
                future.set_exception(ModelMissing("away"))
