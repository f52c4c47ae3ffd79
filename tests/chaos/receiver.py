"""A consumer of webhooks, in a process of its own, that behaves as the path says: ``/BEHAVIOUR/NUMBER``.

``python -m tests.chaos.receiver`` prints its port and that of a host that is dead, then obeys lines of JSON:
``{"secrets": {PATH: SECRET}}``, by which requests are verified as they come; ``{"heal": true}``, from which on all
answer 200, the dead host too; ``{"dump": true}``, answered with all receipts. The end of its input ends it.
"""

import asyncio
import contextlib
import gzip
import hashlib
import hmac
import json
import random
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

Writer = asyncio.StreamWriter

END = b"\r\n\r\n"
BOMB = gzip.compress(b"\0" * 20_000_000)
dice = random.Random(20)

secrets: dict[str, str] = {}
receipts: list[dict[str, Any]] = []
healed = asyncio.Event()


def plain(status: int, more: str = "") -> Callable[[Writer], Awaitable[int | None]]:
    """An answer without a body."""
    bytes_ = f"HTTP/1.1 {status} X\r\n{more}Content-Length: 0\r\n\r\n".encode()

    async def answer(writer: Writer) -> int:
        writer.write(bytes_)
        await writer.drain()
        return status

    return answer


async def slow(writer: Writer) -> int | None:
    await asyncio.sleep(0.3)
    return await plain(200)(writer)


async def hang(writer: Writer) -> int | None:
    await asyncio.sleep(3600)
    return None


async def drip(writer: Writer) -> int | None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.is_closing():
        writer.write(b"X-More: 1\r\n")
        await writer.drain()
        await asyncio.sleep(0.2)
    return None


async def giant(writer: Writer) -> int | None:
    """A body without end; the head is what counts."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        while not writer.is_closing():
            writer.write(b"2000\r\n" + b"a" * 8192 + b"\r\n")
            await writer.drain()
    return 200


async def bomb(writer: Writer) -> int | None:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(BOMB)}\r\n\r\n"
    writer.write(head.encode() + BOMB)
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    return 200


async def liar(writer: Writer) -> int | None:
    """Promises more than it sends."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    await writer.drain()
    writer.close()
    return 200


async def flap(writer: Writer) -> int | None:
    return await plain(dice.choice((200, 500)))(writer)


async def reset(writer: Writer) -> int | None:
    writer.transport.abort()
    return None


async def garbage(writer: Writer) -> int | None:
    writer.write(b"SSH-2.0-OpenSSH_9.9\r\n")
    await writer.drain()
    writer.close()
    return None


BEHAVIOURS: dict[str, Callable[[Writer], Awaitable[int | None]]] = {
    "ok": plain(200),
    "slow": slow,
    "hang": hang,
    "drip": drip,
    "giant": giant,
    "bomb": bomb,
    "liar": liar,
    "flap": flap,
    "reset": reset,
    "garbage": garbage,
    "500": plain(500),
    "410": plain(410),
    "429": plain(429, "Retry-After: 3600\r\n"),
    "redirect": plain(302, "Location: /redirect/again\r\n"),
    "dead": plain(200),
}
"""What each does with a request; the status that it answered, None if it gave no answer that is one. Nothing listens at
the port of those that are ``dead``."""


def problem(path: str, headers: dict[str, str], body: bytes) -> str | None:
    """What is wrong with the signatures of a request; both schemes must hold."""
    secret = secrets.get(path)
    if secret is None:
        return "this was not asked for"
    if headers.get("x-aureum-signature") != hmac.new(secret.encode(), body, "sha256").hexdigest():
        return "X-Aureum-Signature"
    try:
        content = Webhook(secret).verify(body, headers)
    except (WebhookVerificationError, ValueError) as error:
        return f"webhook-signature: {error}"
    if (content["id"], content["event"]) != (headers["webhook-id"], headers["x-aureum-event"]):
        return "the headers do not belong to the body"
    return None


async def serve(reader: asyncio.StreamReader, writer: Writer) -> None:
    """One connection."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while not writer.is_closing():
            line, *lines = (await reader.readuntil(END)).decode().removesuffix("\r\n\r\n").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
            body = await reader.readexactly(int(headers["content-length"]))
            path = line.split(" ")[1]
            receipt = {
                "at": time.time(),
                "path": path,
                "id": headers.get("webhook-id"),
                "timestamp": int(headers.get("webhook-timestamp", 0)),
                "body": hashlib.sha256(body).hexdigest(),
                "problem": problem(path, headers, body),
                "status": None,
            }
            receipts.append(receipt)
            behaviour = "ok" if healed.is_set() else path.split("/")[1]
            receipt["status"] = await BEHAVIOURS[behaviour](writer)
    writer.close()


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        dead = closed.getsockname()[1]
    print(json.dumps({"port": server.sockets[0].getsockname()[1], "dead": dead}), flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        match json.loads(line):
            case {"secrets": more}:
                secrets.update(more)
                said: Any = True
            case {"heal": _}:
                healed.set()
                await asyncio.start_server(serve, "127.0.0.1", dead)
                said = True
            case _:
                said = receipts
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
