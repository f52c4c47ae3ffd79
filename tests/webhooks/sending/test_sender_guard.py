"""What a sender never reaches, whatever a URL or a name server says: real servers on loopback count connections."""

import socket
from ipaddress import IPv4Network

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from aureum.webhooks.sending.addresses import Network
from aureum.webhooks.sending.resolver import GuardedResolver
from aureum.webhooks.sending.results import Failure, SendResult
from aureum.webhooks.sending.sender import Sender
from tests.webhooks.conftest import Run
from tests.webhooks.receiver import receiving, text

LOOPBACK: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"),)
ONE_ADDRESS: tuple[Network, ...] = (IPv4Network("127.0.0.1/32"),)
BODY = b'{"event":"lead.created"}'
HEADERS = {"Content-Type": "application/json", "X-Aureum-Event": "lead.created"}


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "localhost",
        "0x7f000001",
        "2130706433",
        "127.1",
        "①②⑦.⓪.⓪.①",
    ],
)
def test_loopback_is_not_called_unless_allowed(run: Run, host: str) -> None:
    async def scenario() -> None:
        async with receiving(text("200 OK", "secret")) as receiver, Sender() as sender:
            result = await sender.send(f"http://{host}:{receiver.port}/", HEADERS, BODY)
            assert result == SendResult(None, Failure.BLOCKED_ADDRESS, result.duration_ms, b"", None)
            assert receiver.connections == 0

    run(scenario())


@pytest.mark.parametrize("answer", [["127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["8.8.8.8", "127.0.0.1"]])
def test_a_name_that_leads_inside_is_not_called(run: Run, answer: list[str]) -> None:
    async def scenario() -> None:
        async with receiving(text("200 OK")) as receiver:
            async with Sender(resolver=GuardedResolver(lookup=lambda host: answer)) as sender:
                result = await sender.send(f"http://hooks.example:{receiver.port}/", HEADERS, BODY)
            assert (result.status, result.error) == (None, Failure.BLOCKED_ADDRESS)
            assert receiver.connections == 0

    run(scenario())


class Credulous(AbstractResolver):
    """A resolver that judges nothing, to test the socket's guard alone."""

    def __init__(self, *answers: str) -> None:
        self.answers = answers

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=answer, port=port, family=family, proto=0, flags=0)
            for answer in self.answers
        ]

    async def close(self) -> None:
        """Holds nothing."""


def test_the_socket_is_the_boundary(run: Run) -> None:
    """Even if the resolver is deceived, no connection is made to what is not allowed."""

    async def scenario() -> None:
        async with (
            receiving(text("200 OK"), host="127.0.0.2") as inside,
            Sender(ONE_ADDRESS, resolver=Credulous("127.0.0.2", "127.0.0.2")) as sender,
        ):
            result = await sender.send(f"http://hooks.example:{inside.port}/", HEADERS, BODY)
            assert (result.status, result.error) == (None, Failure.BLOCKED_ADDRESS)
            assert inside.connections == 0

    run(scenario())


def test_rebinding(run: Run) -> None:
    """The name leads to an allowed address first and inside the second time."""
    answers = iter([["127.0.0.1"], ["127.0.0.2"], ["127.0.0.1", "127.0.0.2"]])

    async def scenario() -> None:
        resolver = GuardedResolver(ONE_ADDRESS, lookup=lambda host: next(answers), ttl=0)
        async with (
            receiving(text("200 OK\nConnection: close")) as receiver,
            receiving(text("200 OK"), host="127.0.0.2", port=receiver.port) as inside,
            Sender(ONE_ADDRESS, resolver=resolver) as sender,
        ):
            url = f"http://hooks.example:{receiver.port}/"
            assert (await sender.send(url, HEADERS, BODY)).error is None
            for _ in range(2):
                assert (await sender.send(url, HEADERS, BODY)).error == Failure.BLOCKED_ADDRESS
            assert (receiver.connections, inside.connections) == (1, 0)
            assert receiver.requests[0].headers["host"] == f"hooks.example:{receiver.port}"

    run(scenario())


def test_unknown_name(run: Run) -> None:
    def unknown(host: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def scenario() -> None:
        async with Sender(resolver=GuardedResolver(lookup=unknown)) as sender:
            result = await sender.send("http://none.example/", HEADERS, BODY)
            assert (result.status, result.error) == (None, Failure.DNS)

    run(scenario())


def test_cookies_of_one_endpoint_go_to_no_other(run: Run) -> None:
    async def scenario() -> None:
        async with receiving(text("200 OK\nSet-Cookie: a=b; Path=/")) as receiver, Sender(LOOPBACK) as sender:
            for _ in range(2):
                await sender.send(receiver.url, HEADERS, BODY)
            assert all("cookie" not in request.headers for request in receiver.requests)

    run(scenario())


def test_no_proxy_of_the_environment_is_used(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with (
            receiving(text("200 OK")) as receiver,
            receiving(text("200 OK")) as proxy,
            Sender(LOOPBACK) as sender,
        ):
            for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            assert (await sender.send(receiver.url, HEADERS, BODY)).error is None
            assert (receiver.connections, proxy.connections) == (1, 0)

    run(scenario())
