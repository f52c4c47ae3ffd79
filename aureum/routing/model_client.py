"""A process's connection to the model's process: questions go out as they come, and none waits longer than the limit.

Whatever goes wrong is a word (``late``, ``away``, ``busy``) and no exception: the cheap signals decide then.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from aureum.lru import Lru
from aureum.routing.model_process import failure_of
from aureum.routing.roster import Roster
from aureum.routing.vectors import ROSTERS_KEPT, Answer, Question

TIME_LIMIT = 0.25
"""How many seconds a form may wait for the model."""

PENDING_LIMIT = 64
"""How many questions may be under way: what comes on top could not be answered within the limit."""

RECONNECT_SECONDS = 0.2
LINE_LIMIT = 2**20

LOAD_SECONDS = 20.0
"""How long a model may take to load before this process does its work without it."""

UNANSWERED_LIMIT = 8
"""After so many questions without any answer the model counts as hanging: only one question in PAUSE_SECONDS waits."""
PAUSE_SECONDS = 1.0

UNSENT_LIMIT = 8 * 2**20
"""How many bytes may wait for a model that reads nothing."""

ROSTERS_BROUGHT_AGAIN = 32
"""How many rosters, the last ones asked about, a model that has been started again gets at once."""


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
        self.loading_until = time.monotonic() + LOAD_SECONDS
        self.unanswered, self.paused_until = 0, 0.0
        self._recent: Lru[str, Roster] = Lru(ROSTERS_BROUGHT_AGAIN)
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

    def loading(self) -> bool:
        """Whether the model loads for the first time, so that it is worth while to wait for it."""
        return time.monotonic() < self.loading_until and not failure_of(self.path).exists()

    async def answer(self, question: Question, roster: Roster) -> tuple[Answer, Model]:
        """The model's answer, within the time limit. Raises ModelMissing."""
        if self._writer is None or self.model is None:
            raise ModelMissing("away")
        if len(self._pending) >= PENDING_LIMIT:
            raise ModelMissing("busy")
        now = time.monotonic()
        if self.unanswered >= UNANSWERED_LIMIT:
            if now < self.paused_until or self._writer.transport.get_write_buffer_size() > UNSENT_LIMIT:
                raise ModelMissing("late")
            self.paused_until = now + PAUSE_SECONDS
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
            self.unanswered += 1
            raise ModelMissing("late") from None
        finally:
            for known in (self._pending, self._asked, self._questions):
                known.pop(number, None)

    def bring(self, roster: Roster) -> None:
        """Let the model's process make *roster* ready before the first question."""
        agents = [
            {
                "phrases": [phrase.text for phrase in words.phrases()],
                "shown": [phrase.shown for phrase in words.phrases()],
                "whole": words.whole,
                "weights": [phrase.weight for phrase in words.phrases()],
            }
            for words in roster.words
        ]
        self._write({"roster": roster.digest, "agents": agents})
        if len(self._brought) > ROSTERS_KEPT:
            self._brought.clear()
        self._brought.add(roster.digest)
        self._recent.keep(roster.digest, roster)

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
                self.unanswered, self.loading_until = 0, 0.0
                self.connected.set()
                for digest in list(self._recent):
                    if (roster := self._recent.find(digest)) is not None:
                        self.bring(roster)
                continue
            self.unanswered = 0
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
