"""A consumer of webhooks that costs as little as can be: answers 200 to everything and remembers what came when.

``python -m bench.receiver`` prints its port, then, for each line that it reads, one line of JSON: the times of receipt
(seconds since 1970) by message id, of what came since the last line. The end of its input ends it.
"""

import asyncio
import json
import sys
import time
from typing import cast

import uvloop

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
END = b"\r\n\r\n"

received: dict[str, float] = {}


def hook(host: int, port: int) -> str:
    """The URL of one of many hosts, which are all this receiver on *port*: addresses of the loopback network."""
    return f"http://127.0.{host // 250}.{host % 250 + 1}:{port}/hooks"


class Consumer(asyncio.Protocol):
    """One connection; header names in any case, bodies with a length."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            head, end, rest = self.buffer.partition(END)
            if not end:
                return
            headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
            length = int(headers[b"content-length"])
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            received[headers[b"webhook-id"].decode()] = time.time()
            self.transport.write(ANSWER)


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Consumer, "0.0.0.0", 0)  # noqa: S104  every address of the loopback network is a host
    print(server.sockets[0].getsockname()[1], flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(received), flush=True)
        received.clear()
    server.close()


if __name__ == "__main__":
    uvloop.run(main())
