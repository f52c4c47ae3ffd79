"""URLs go over the wire byte for byte as they were given."""

import asyncio
from ipaddress import IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.webhooks.sending.addresses import Network
from aureum.webhooks.sending.resolver import GuardedResolver
from aureum.webhooks.sending.results import Failure
from aureum.webhooks.sending.sender import Sender
from tests.examples import examples
from tests.webhooks.conftest import Run
from tests.webhooks.receiver import receiving, text

LOOPBACK: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"),)
BODY = b"{}"
HEADERS = {"Content-Type": "application/json"}

AS_GIVEN = [
    "/",
    "/hooks?to=a%2Fb",
    "/hooks?to=a%2fb%2F",
    "/a%2Fb/c%2fd",
    "/?",
    "/hooks?",
    "/hooks??",
    "/hooks?a=b?c",
    "/?a=+&b=%2B&c=%20",
    "/%7Euser/~user",
    "/%zz%",
    "/100%",
    "//double//slashes//",
    "/a/./b/../c/%2e%2e/d",
    "/..",
    "/UPPER/lower%C3%BC%c3%bc",
    "/?sig=a==&b=c&&d",
    "/?next=https://example.com/a?b=c",
    "/a:b@c;d,e!f$g'h(i)j*k",
    '/?q[]=1&q[]=2&r={}|^`<>"',
    "/a@b?user@example.com",
]


@pytest.mark.parametrize("target", AS_GIVEN)
def test_path_and_query(run: Run, target: str) -> None:
    async def scenario() -> None:
        async with receiving(text("200 OK")) as receiver, Sender(LOOPBACK) as sender:
            base = f"http://127.0.0.1:{receiver.port}"
            assert (await sender.send(f"{base}{target}", HEADERS, BODY)).error is None
            assert (await sender.send(f"{base}{target}#part", HEADERS, BODY)).error is None
            assert [request.line for request in receiver.requests] == [f"POST {target} HTTP/1.1"] * 2

    run(scenario())


@pytest.mark.parametrize(
    ("rest", "target"),
    [("", "/"), ("?", "/?"), ("?a=%2F", "/?a=%2F"), ("#a", "/"), ("/ü?ß=日", "/%C3%BC?%C3%9F=%E6%97%A5")],
)
def test_what_cannot_stand_in_a_request_as_it_is(run: Run, rest: str, target: str) -> None:
    async def scenario() -> None:
        async with receiving(text("200 OK")) as receiver, Sender(LOOPBACK) as sender:
            assert (await sender.send(f"http://127.0.0.1:{receiver.port}{rest}", HEADERS, BODY)).error is None
            (request,) = receiver.requests
            assert request.line == f"POST {target} HTTP/1.1"

    run(scenario())


@pytest.mark.parametrize(
    ("host", "sent"),
    [
        ("hooks.example", "hooks.example"),
        ("Hooks.EXAMPLE", "hooks.example"),
        ("hooks.example.", "hooks.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_hosts(run: Run, host: str, sent: str) -> None:
    asked = []

    def lookup(name: str) -> list[str]:
        asked.append(name)
        return ["127.0.0.1"]

    async def scenario() -> None:
        resolver = GuardedResolver(LOOPBACK, lookup=lookup)
        async with receiving(text("200 OK")) as receiver, Sender(LOOPBACK, resolver=resolver) as sender:
            assert (await sender.send(f"HTTP://{host}:{receiver.port}/%2F", HEADERS, BODY)).error is None
            (request,) = receiver.requests
            assert (request.line, request.headers["host"]) == ("POST /%2F HTTP/1.1", f"{sent}:{receiver.port}")
            assert asked == [sent]

    run(scenario())


def test_one_host_however_it_is_written_has_one_connection(run: Run) -> None:
    async def scenario() -> None:
        resolver = GuardedResolver(LOOPBACK, lookup=lambda host: ["127.0.0.1"])
        async with receiving(text("200 OK")) as receiver, Sender(LOOPBACK, resolver=resolver) as sender:
            for host in ("bücher.example", "xn--bcher-kva.example", "BÜCHER.EXAMPLE."):
                assert (await sender.send(f"http://{host}:{receiver.port}/?{host}", HEADERS, BODY)).error is None
            assert receiver.connections == 1

    run(scenario())


@pytest.mark.parametrize("url", ["http://user@127.0.0.1/", "http://@127.0.0.1/", "ftp://127.0.0.1/", "http:///a", "x"])
def test_what_is_never_called(run: Run, url: str) -> None:
    async def scenario() -> None:
        async with Sender(LOOPBACK) as sender:
            result = await sender.send(url, HEADERS, BODY)
            assert (result.status, result.error) == (None, Failure.BLOCKED_ADDRESS)

    run(scenario())


@settings(max_examples=examples(50), deadline=None)
@given(st.lists(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#\\")), max_size=40))
def test_any_printable_target(targets: list[str]) -> None:
    async def scenario() -> None:
        async with receiving(text("200 OK")) as receiver, Sender(LOOPBACK) as sender:
            for target in targets:
                result = await sender.send(f"http://127.0.0.1:{receiver.port}/{target}", HEADERS, BODY)
                assert result.error is None
            assert [request.line for request in receiver.requests] == [f"POST /{each} HTTP/1.1" for each in targets]

    asyncio.run(scenario())
