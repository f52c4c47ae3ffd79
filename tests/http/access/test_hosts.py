from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aureum.http.access import hosts
from aureum.http.access.hosts import client_address, normalise_host, requested_host, split_slug
from aureum.http.wire.errors import BadHost

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48"))
NOBODY: tuple[IPv4Network | IPv6Network, ...] = ()
PROXY = "10.0.0.1"
STRANGER = "203.0.113.9"


def scope(peer: str | None, *headers: tuple[str, str]) -> dict[str, Any]:
    lines = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return {"type": "http", "client": (peer, 40000) if peer is not None else None, "headers": lines}


@pytest.mark.parametrize(
    ("raw", "host"),
    [
        ("example.com", "example.com"),
        ("EXAMPLE.Com", "example.com"),
        ("example.com:8000", "example.com"),
        ("example.com:", "example.com"),  # RFC 9110: the port may be empty
        ("example.com.", "example.com"),
        ("example.com.:443", "example.com"),
        (" example.com\t", "example.com"),
        ("localhost", "localhost"),
        ("aureum_web:8000", "aureum_web"),
        ("127.0.0.1:8000", "127.0.0.1"),
        ("[::1]", "[::1]"),
        ("[2001:DB8:0:0::1]:8000", "[2001:db8::1]"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("MÜNCHEN.DE.:8000", "xn--mnchen-3ya.de"),
        ("Münchner-Häuser.DE.:8000", "xn--mnchner-huser-jfb56a.de"),
        ("münchen。de。", "xn--mnchen-3ya.de"),  # the full stop of Chinese and Japanese
        ("XN--MNCHEN-3YA.de", "xn--mnchen-3ya.de"),
        ("straße.de", "xn--strae-oqa.de"),
        ("a" * 63 + ".com", "a" * 63 + ".com"),
    ],
)
def test_a_host_has_one_spelling(raw: str, host: str) -> None:
    assert normalise_host(raw) == host


@pytest.mark.parametrize(
    "raw",
    [
        "",
        " ",
        ".",
        ":80",
        "example.com..",
        "a..b",
        ".example.com",
        "-a.example.com",
        "a-.example.com",
        "a" * 64 + ".com",
        ".".join(["a" * 60] * 4 + ["b" * 20]),
        " " * 300 + "a.example",
        "a.example, b.example",
        "a.example,b.example",
        "user@example.com",
        "example.com/path",
        "https://example.com",
        "example.com:http",
        "example.com:123456",
        "a b.example",
        "::1",
        "[::1",
        "[::1]x",
        "[fe80::1%eth0]",
        "[1:2:3]",
        "exa\0mple.com",
        "exämple\0.com",
        "example.com\r\nX-Evil: 1",
        "❤.example",  # IDNA 2008 has no symbols
        "xn--a.example",  # Punycode of nothing
        "ａ：80.example",  # compatibility letters must not smuggle a colon in
        "x" * 5_000,
        "ü" * 5_000,
        "\ud800.example",
    ],
)
def test_what_is_no_host(raw: str) -> None:
    with pytest.raises(BadHost):
        normalise_host(raw)


@given(st.text(max_size=320) | st.from_regex(r"[a-zäßA-Z0-9._\[\]:。-]{1,80}", fullmatch=True))
@example("xn--ls8h.example")
@settings(deadline=None)
def test_normalising_is_total_and_idempotent(raw: str) -> None:
    try:
        host = normalise_host(raw)
    except BadHost:
        return
    assert host.isascii() and host == host.lower() and len(host) <= 253
    assert normalise_host(host) == host
    assert normalise_host(host + ":8000") == host


def test_the_cache_is_bounded() -> None:
    assert normalise_host.cache_parameters()["maxsize"] == 4096
    assert hosts._parse.cache_parameters()["maxsize"] == 4096
    assert hosts._counted.cache_parameters()["maxsize"] == 4096


@pytest.mark.parametrize(
    ("peer", "headers", "host"),
    [
        (STRANGER, [("host", "A.example:80")], "a.example"),
        (STRANGER, [], None),
        (STRANGER, [("host", "")], None),
        # Anybody can send it; only a trusted peer is believed.
        (STRANGER, [("host", "a.example"), ("x-forwarded-host", "b.example")], "a.example"),
        (STRANGER, [("host", "a.example"), ("x-forwarded-host", "b, c")], "a.example"),
        (None, [("host", "a.example"), ("x-forwarded-host", "b.example")], "a.example"),
        (PROXY, [("host", "a.example"), ("x-forwarded-host", "B.example:443")], "b.example"),
        (PROXY, [("x-forwarded-host", "b.example")], "b.example"),
        (PROXY, [("host", "a.example")], "a.example"),
        # A socket that listens for both families shows IPv4 peers in IPv6.
        ("::ffff:10.0.0.1", [("host", "a.example"), ("x-forwarded-host", "b.example")], "b.example"),
        ("2001:db8:ffff::1", [("host", "a.example"), ("x-forwarded-host", "b.example")], "b.example"),
        ("2001:db8:fffe::1", [("host", "a.example"), ("x-forwarded-host", "b.example")], "a.example"),
    ],
)
def test_which_host_was_asked(peer: str | None, headers: list[tuple[str, str]], host: str | None) -> None:
    assert requested_host(scope(peer, *headers), PROXIES) == host


def test_without_trusted_proxies_forwarded_headers_do_not_exist() -> None:
    asked = scope(PROXY, ("host", "a.example"), ("x-forwarded-host", "b.example"), ("x-forwarded-for", "192.0.2.1"))
    assert requested_host(asked, NOBODY) == "a.example"
    assert client_address(asked, NOBODY) == PROXY


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ([("host", "a.example"), ("x-forwarded-host", "b.example, c.example")], "Invalid X-Forwarded-Host header"),
        ([("x-forwarded-host", "b.example"), ("x-forwarded-host", "c.example")], "Invalid X-Forwarded-Host header"),
        ([("host", "a.example"), ("x-forwarded-host", "")], "Invalid X-Forwarded-Host header"),
        ([("host", "a.example"), ("x-forwarded-host", "b/c")], "Invalid X-Forwarded-Host header"),
        ([("host", "a.example"), ("x-forwarded-host", "\xff")], "Invalid X-Forwarded-Host header"),
        ([("host", "a.example"), ("host", "b.example")], "Invalid Host header"),
        ([("host", "a.example"), ("host", "a.example")], "Invalid Host header"),
        ([("host", "a b")], "Invalid Host header"),
        ([("host", "\xff")], "Invalid Host header"),
    ],
)
def test_a_list_or_an_invalid_name_is_refused(headers: list[tuple[str, str]], text: str) -> None:
    with pytest.raises(BadHost, match=f"^{text}$") as refusal:
        requested_host(scope(PROXY, *headers), PROXIES)
    assert refusal.value.status == 400


def test_a_host_in_utf_8_is_understood() -> None:
    asked = {"type": "http", "client": None, "headers": [(b"host", "münchen.de".encode())]}
    assert requested_host(asked, NOBODY) == "xn--mnchen-3ya.de"


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        (STRANGER, [], STRANGER),
        (STRANGER, ["192.0.2.1"], STRANGER),
        (None, ["192.0.2.1"], "unix"),
        ("", ["192.0.2.1"], "unix"),
        ("testclient", [], "unix"),
        (PROXY, [], PROXY),
        (PROXY, [""], PROXY),
        (PROXY, ["192.0.2.1"], "192.0.2.1"),
        # What a client wrote itself stands to the left of what our proxy saw.
        (PROXY, ["198.51.100.66, 192.0.2.1"], "192.0.2.1"),
        (PROXY, ["198.51.100.66, 192.0.2.1, 10.9.9.9"], "192.0.2.1"),
        (PROXY, ["198.51.100.66", "192.0.2.1 , 10.9.9.9"], "192.0.2.1"),
        (PROXY, ["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
        (PROXY, ["192.0.2.1, unknown"], PROXY),
        (PROXY, ["192.0.2.1, unknown, 10.9.9.9"], "10.9.9.9"),
        (PROXY, ["192.0.2.1:51234"], "192.0.2.1"),
        (PROXY, ["[2001:db8::5]:443"], "2001:db8::/64"),
        (PROXY, ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        (PROXY, ["::ffff:192.0.2.1"], "192.0.2.1"),
        ("2001:db8:1:2:aaaa::1", [], "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", [], "2001:db8:1:2::/64"),
        ("fe80::1%eth0", [], "fe80::/64"),
        ("::ffff:203.0.113.9", [], "203.0.113.9"),
    ],
)
def test_whom_a_request_counts_to(peer: str | None, forwarded: list[str], address: str) -> None:
    asked = scope(peer, *[("x-forwarded-for", value) for value in forwarded])
    assert client_address(asked, PROXIES) == address


HEADER_NAMES = st.sampled_from([b"host", b"x-forwarded-host", b"x-forwarded-for"])
ADDRESSES = st.ip_addresses().map(str) | st.text(max_size=20)
VALUES = st.binary(max_size=100) | st.lists(ADDRESSES, max_size=4).map(lambda parts: ", ".join(parts).encode())


@given(
    headers=st.lists(st.tuples(HEADER_NAMES, VALUES), max_size=5),
    peer=st.sampled_from([None, PROXY, STRANGER, "", "x"]),
)
@settings(deadline=None)
def test_no_bytes_in_a_header_raise_anything_but_bad_host(headers: list[tuple[bytes, bytes]], peer: str | None) -> None:
    asked = {"type": "http", "client": (peer, 1) if peer is not None else None, "headers": headers}
    address = client_address(asked, PROXIES)
    assert address == "unix" or ip_network(address)
    try:
        host = requested_host(asked, PROXIES)
    except BadHost:
        return
    assert host is None or host == normalise_host(host)


@given(spoofed=st.lists(ADDRESSES, max_size=5), client=st.ip_addresses(v=4).filter(lambda ip: ip not in PROXIES[0]))
@settings(deadline=None)
def test_a_client_cannot_choose_its_own_address(spoofed: list[str], client: Any) -> None:
    value = ", ".join([*spoofed, str(client)]).encode("utf-8", "replace").decode("latin-1")
    assert client_address(scope(PROXY, ("x-forwarded-for", value)), PROXIES) == str(client)


@pytest.mark.parametrize(
    ("host", "base", "slug"),
    [
        ("acme.aureum.example", "aureum.example", "acme"),
        ("aureum.example", "aureum.example", None),
        ("a.b.aureum.example", "aureum.example", None),
        ("evilaureum.example", "aureum.example", None),
        ("acme.other.example", "aureum.example", None),
        ("acme.example", None, None),
        ("acme.example", "", None),
    ],
)
def test_the_slug_in_a_host(host: str, base: str | None, slug: str | None) -> None:
    assert split_slug(host, base) == slug
