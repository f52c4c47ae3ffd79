"""A cable between a worker and its database that a test can pull out: nothing passes, or no connection is made."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict


class Cable:
    """``url`` is the database's at this end. While ``whole`` is not set, bytes wait, without an error."""

    def __init__(self, url: str) -> None:
        self.about = conninfo_to_dict(url)
        self.whole = asyncio.Event()
        self.whole.set()
        self.refusing = False
        self.writers: set[asyncio.StreamWriter] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.url = ""

    def cut(self) -> None:
        """End all connections, and refuse new ones until ``mend``."""
        self.refusing = True
        for writer in self.writers:
            writer.transport.abort()

    def mend(self) -> None:
        """Let everything through again."""
        self.refusing = False
        self.whole.set()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Join one connection of this end with one of the other."""
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.writers.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            if self.refusing:
                return writer.transport.abort()
            host, port = str(self.about["host"]), int(self.about.get("port") or 5432)
            there, back = await (
                asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
                if host.startswith("/")
                else asyncio.open_connection(host, port)
            )
            self.writers.add(back)
            await asyncio.gather(self.pump(reader, back), self.pump(there, writer))
        return None

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry bytes one way, as long as the cable is whole."""
        try:
            while data := await reader.read(65536):
                await self.whole.wait()
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def cable(url: str) -> AsyncIterator[Cable]:
    """A cable to the database at *url*, until the end."""
    made = Cable(url)
    server = await asyncio.start_server(made.connect, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    rest = {"sslmode": "disable", "gssencmode": "disable"}
    password = f":{quote(str(made.about['password']), safe='')}" if made.about.get("password") else ""
    user, name = made.about["user"], made.about["dbname"]
    made.url = f"postgresql://{user}{password}@127.0.0.1:{port}/{name}?{urlencode(rest)}"
    try:
        yield made
    finally:
        server.close()
        made.cut()
        for task in made.tasks:
            task.cancel()
        await asyncio.gather(*made.tasks, return_exceptions=True)
        await server.wait_closed()
