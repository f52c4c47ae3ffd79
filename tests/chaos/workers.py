"""Two worker processes, which are killed, stopped and paused by seeded chance."""

import asyncio
import contextlib
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

LEASE, ATTEMPT, POLL = 5.0, 2.0, 0.5
"""Seconds. Shorter than those of production (40, 15, 0.5), so that a lease ends within a run."""

PAUSES = (LEASE, 2 * LEASE, 3 * LEASE)
"""Seconds that a pause may last."""

WORKERS = 2
STOP_SECONDS = ATTEMPT + 4


@dataclass
class Workers:
    """``disturbances``: when each began and ended (seconds since 1970), and what it was."""

    url: str
    log: Path
    processes: list[asyncio.subprocess.Process] = field(default_factory=list)
    disturbances: list[tuple[float, float, str]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    database_is_up: bool = True

    async def start(self) -> asyncio.subprocess.Process:
        """One more worker."""
        arguments = ("-m", "tests.webhooks.worker_process", self.url, str(LEASE), str(ATTEMPT), str(POLL))
        with self.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    @contextmanager
    def disturbing(self, kind: str) -> Iterator[None]:
        """What happens within is one disturbance."""
        began = time.time()
        try:
            yield
        finally:
            self.disturbances.append((began, time.time(), kind))

    async def kill(self, process: asyncio.subprocess.Process) -> None:
        with self.disturbing("kill -9"):
            process.kill()
            await process.wait()
            self.processes.remove(process)

    async def stop(self, process: asyncio.subprocess.Process) -> None:
        """SIGTERM: it finishes what is under way and leaves with success, in time; or at once, if it has only begun to
        start."""
        up = self.database_is_up
        with self.disturbing("SIGTERM"):
            self.processes.remove(process)
            process.terminate()
            try:
                code = await asyncio.wait_for(process.wait(), STOP_SECONDS)
            except TimeoutError:
                process.kill()
                code = await process.wait()
        if code not in (0, -signal.SIGTERM) and up and self.database_is_up:
            self.violations.append(f"A worker that was told to stop ended with {code}.")

    async def pause(self, process: asyncio.subprocess.Process, seconds: float) -> None:
        """SIGSTOP, and SIGCONT unless it was killed meanwhile."""
        with self.disturbing("SIGSTOP"), contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(seconds)
            process.send_signal(signal.SIGCONT)

    async def torment(self, dice: random.Random) -> None:
        """Until cancelled: who was ended is started again a moment later, who is paused goes on in its time."""
        pauses: dict[asyncio.subprocess.Process, asyncio.Task[None]] = {}
        try:
            while True:
                await asyncio.sleep(dice.uniform(0.3, 1.2))
                awake = [one for one in self.processes if one not in pauses or pauses[one].done()]
                # While one is paused the other is left in peace: it is to take over.
                if len(awake) > 1:
                    process = dice.choice(awake)
                    match dice.choice(("kill", "kill", "stop", "pause")):
                        case "kill":
                            await self.kill(process)
                        case "stop":
                            await self.stop(process)
                        case _:
                            pauses[process] = asyncio.create_task(
                                self.pause(process, dice.uniform(0.5, dice.choice(PAUSES)))
                            )
                await asyncio.sleep(dice.uniform(0, 0.5))
                while len(self.processes) < WORKERS:
                    # Not to be cut short: the process would be forgotten.
                    await asyncio.shield(self.start())
        finally:
            for task in pauses.values():
                task.cancel()
            await asyncio.gather(*pauses.values(), return_exceptions=True)

    async def renew(self) -> None:
        """New ones in the place of all: they know nothing of hosts that were dead."""
        for process in list(self.processes):
            process.send_signal(signal.SIGCONT)
            await self.stop(process)
        for _ in range(WORKERS):
            await self.start()

    @property
    def number(self) -> Counter[str]:
        """How often each kind of disturbance came."""
        return Counter(kind for _, _, kind in self.disturbances)


@asynccontextmanager
async def workers(url: str, log: Path) -> AsyncIterator[Workers]:
    """Two of them, none left at the end."""
    made = Workers(url, log)
    try:
        for _ in range(WORKERS):
            await made.start()
        yield made
    finally:
        for process in made.processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
