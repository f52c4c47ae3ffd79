"""The yardstick of webhook delivery: an aiohttp loop that sends bodies it has, with headers it made beforehand.

``python -m bench.sender DATABASE_URL PORT HOSTS CLIENTS`` answers each line with how many it sent in how many seconds:
all messages that the database has, to one host after the other, so many at once, over kept connections.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from itertools import cycle

import aiohttp
import psycopg
import uvloop

from aureum.webhooks.sending.signing import new_secret, sign
from bench.receiver import hook

MESSAGES = "SELECT message_id, event, body FROM webhook_messages ORDER BY tenant_id, position"


def requests(database_url: str) -> list[tuple[dict[str, str], bytes]]:
    """Headers and body of every message."""
    secrets, now = [new_secret()], int(time.time())
    with psycopg.connect(database_url) as connection:
        found = connection.execute(MESSAGES).fetchall()
    return [
        (sign(body, message_id=name, event=event, secrets=secrets, timestamp=now), body) for name, event, body in found
    ]


async def send(
    session: aiohttp.ClientSession, urls: Iterator[str], waiting: Iterator[tuple[dict[str, str], bytes]]
) -> None:
    """One client: one request after the other, the answer read."""
    for (headers, body), url in zip(waiting, urls, strict=False):
        async with session.post(url, data=body, headers=headers) as response:
            await response.read()
            assert response.status == 200


async def main(database_url: str, port: int, hosts: int, clients: int) -> None:
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        while await loop.run_in_executor(None, sys.stdin.readline):
            prepared = requests(database_url)
            waiting, urls = iter(prepared), cycle([hook(host, port) for host in range(hosts)])
            started = time.perf_counter()
            await asyncio.gather(*(send(session, urls, waiting) for _ in range(clients)))
            print(json.dumps({"sent": len(prepared), "seconds": time.perf_counter() - started}), flush=True)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], *(int(argument) for argument in sys.argv[2:])))
