"""A process that answers each line of JSON with another."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

LINE_LIMIT = 1 << 30
"""Bytes of an answer."""


class Talker:
    """``hello`` is what it said first."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.hello: Any = None

    async def line(self) -> Any:
        """What it says next."""
        assert self.process.stdout is not None
        return json.loads(await self.process.stdout.readline())

    async def ask(self, question: Any) -> Any:
        """Its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(question).encode() + b"\n")
        await self.process.stdin.drain()
        return await self.line()


@asynccontextmanager
async def talker(module: str) -> AsyncIterator[Talker]:
    """``python -m`` *module*, gone at the end."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, stdin=pipe, stdout=pipe, limit=LINE_LIMIT
    )
    talking = Talker(process)
    try:
        talking.hello = await talking.line()
        yield talking
    finally:
        process.kill()
        await process.wait()
