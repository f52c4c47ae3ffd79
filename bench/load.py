"""The load generator: HTTP/1.1 requests made beforehand, sent over kept connections, one at a time on each.

``wrk`` does it where it is installed, since it costs least; else a client of our own, in a process of its own. Both
send the same bytes in the same order and say the same of it.
"""

import asyncio
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import uvloop

WRK = shutil.which("wrk")
SCRIPT = Path(__file__).with_name("load.lua")
PATIENCE_SECONDS = 20
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Load:
    """What one slice of load found: requests a second, latencies in milliseconds, and errors: answers
    that are neither 2xx nor 3xx, or none."""

    rate: float
    p50: float
    p99: float
    answered: int
    errors: int


def generator() -> str:
    """Which load generator is used here."""
    return "wrk" if WRK else "the client of bench/load.py (wrk is not installed)"


def post(host: str, path: str, body: bytes) -> bytes:
    """A POST of JSON, ready to be sent."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def get(host: str, path: str, key: str | None = None) -> bytes:
    """A GET, ready to be sent."""
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}\r\n".encode()


def send(port: int, requests: Sequence[bytes], connections: int, seconds: int) -> Load:
    """Send *requests*, in a circle, to a port of this machine for *seconds*.

    Raises RuntimeError if a POST was sent twice: a form that comes again is not stored again, which is cheaper.
    """
    with tempfile.NamedTemporaryFile(prefix="aureum-requests-") as file:
        file.write(b"".join(b"%d\n%b" % (len(request), request) for request in requests))
        file.flush()
        url = f"http://127.0.0.1:{port}"
        if WRK:
            command = [WRK, "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(SCRIPT), url, "--", file.name]
        else:
            command = [sys.executable, "-m", "bench.load", str(port), str(connections), str(seconds), file.name]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + PATIENCE_SECONDS)
    load = Load(**json.loads(done.stdout.splitlines()[-1]))
    if requests[0].startswith(b"POST") and load.answered + load.errors > len(requests):
        raise RuntimeError(f"{len(requests)} different POSTs were too few: {load.answered} were answered.")
    return load


def read_requests(path: Path) -> list[bytes]:
    """The inverse of how ``send`` writes them."""
    text, requests, place = path.read_bytes(), [], 0
    while place < len(text):
        end = text.index(b"\n", place)
        size = int(text[place:end])
        requests.append(text[end + 1 : end + 1 + size])
        place = end + 1 + size
    return requests


class Connection(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self, client: "Client") -> None:
        self.client = client
        self.received = b""
        self.expected = 0
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.next()

    def next(self) -> None:
        self.received, self.expected = b"", 0
        self.sent_at = time.perf_counter()
        self.transport.write(self.client.request())

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.expected:
            end = self.received.find(b"\r\n\r\n")
            if end < 0:
                return
            length = LENGTH.search(self.received, 0, end + 2)
            self.expected = end + 4 + (int(length[1]) if length else 0)
        if len(self.received) >= self.expected:
            self.client.answered(time.perf_counter() - self.sent_at, self.received[9:10] in b"23")
            self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.client.over:
            self.client.errors += 1


class Client:
    """All connections, and what they measured."""

    def __init__(self, requests: list[bytes]) -> None:
        self.requests = requests
        self.turn = -1
        self.latencies: list[float] = []
        self.errors = 0
        self.over = False

    def request(self) -> bytes:
        self.turn += 1
        return self.requests[self.turn % len(self.requests)]

    def answered(self, seconds: float, good: bool) -> None:
        self.latencies.append(seconds)
        self.errors += not good

    async def run(self, port: int, connections: int, seconds: float) -> Load:
        """Send for *seconds*."""
        loop = asyncio.get_running_loop()
        started = time.perf_counter()
        made = [await loop.create_connection(lambda: Connection(self), "127.0.0.1", port) for _ in range(connections)]
        await asyncio.sleep(seconds)
        elapsed, self.over = time.perf_counter() - started, True
        for transport, _ in made:
            transport.abort()
        ordered = sorted(self.latencies) or [0.0]
        return Load(
            rate=len(self.latencies) / elapsed,
            p50=ordered[len(ordered) // 2] * 1000,
            p99=ordered[len(ordered) * 99 // 100] * 1000,
            answered=len(self.latencies),
            errors=self.errors,
        )


if __name__ == "__main__":
    port, connections, seconds, path = sys.argv[1:]
    client = Client(read_requests(Path(path)))
    print(json.dumps(vars(uvloop.run(client.run(int(port), int(connections), float(seconds))))))
