"""A TCP proxy before PostgreSQL that can freeze the connections it has: nothing passes on them any more, and neither
side is told, while new ones work. It runs in a thread of its own, for tests of processes as well as of tasks."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict


class Joined:
    """One connection of this end with one of the other; while one of the events is not set, bytes of that way wait."""

    def __init__(self) -> None:
        self.there, self.back = asyncio.Event(), asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self.thaw()

    def freeze(self, *, answers_only: bool) -> None:
        self.back.clear()
        if not answers_only:
            self.there.clear()

    def thaw(self) -> None:
        self.there.set()
        self.back.set()


class Freezer:
    """``url`` is the database's at this end."""

    def __init__(self, url: str) -> None:
        self.about = conninfo_to_dict(url)
        self.joined: set[Joined] = set()
        self.loop = asyncio.new_event_loop()
        self.refuses = False
        """Whether new connections get nowhere."""
        self.url = ""

    def freeze(self, *, answers_only: bool = False) -> int:
        """Freeze the connections that exist; how many they are. With *answers_only* what is asked arrives."""
        return self._each(lambda joined: joined.freeze(answers_only=answers_only))

    def thaw(self) -> int:
        """Let all go on with what they have been sent meanwhile."""
        return self._each(Joined.thaw)

    def _each(self, work: Callable[[Joined], None]) -> int:
        found: list[Joined] = []
        done = threading.Event()

        def run() -> None:
            found.extend(self.joined)
            for joined in found:
                work(joined)
            done.set()

        self.loop.call_soon_threadsafe(run)
        assert done.wait(10)
        return len(found)

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Join a new connection with one to the database."""
        if self.refuses:
            return writer.transport.abort()
        joined = Joined()
        joined.task = asyncio.current_task()
        self.joined.add(joined)
        host, port = str(self.about["host"]), int(self.about.get("port") or 5432)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            there, back = await (
                asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
                if host.startswith("/")
                else asyncio.open_connection(host, port)
            )
            pumps = [pump(joined.there, reader, back), pump(joined.back, there, writer)]
            await asyncio.gather(*pumps, return_exceptions=True)
        # Also where the database was not reached.
        writer.close()
        self.joined.discard(joined)
        return None


async def pump(flows: asyncio.Event, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes one way, as long as they flow."""
    try:
        while data := await reader.read(65536):
            await flows.wait()
            writer.write(data)
            await writer.drain()
        # An end is told no sooner than what came before it.
        await flows.wait()
    finally:
        writer.close()


@contextlib.contextmanager
def freezer(url: str) -> Iterator[Freezer]:
    """A proxy to the database at *url*, until the end."""
    made = Freezer(url)
    started, ending = threading.Event(), asyncio.Event()

    async def run() -> None:
        server = await asyncio.start_server(made.connect, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        password = f":{quote(str(made.about['password']), safe='')}" if made.about.get("password") else ""
        rest = urlencode({"sslmode": "disable", "gssencmode": "disable"})
        made.url = f"postgresql://{made.about['user']}{password}@127.0.0.1:{port}/{made.about['dbname']}?{rest}"
        started.set()
        await ending.wait()
        server.close()
        tasks = [joined.task for joined in made.joined if joined.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    thread = threading.Thread(target=lambda: made.loop.run_until_complete(run()), name="freezer")
    thread.start()
    try:
        assert started.wait(10)
        yield made
    finally:
        made.loop.call_soon_threadsafe(ending.set)
        thread.join(20)
        made.loop.close()
