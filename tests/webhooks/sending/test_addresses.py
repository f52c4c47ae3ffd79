"""Which addresses and URLs are called: every denied range, every disguise of an address that we know of."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.webhook_urls import UnsafeUrl
from aureum.webhooks.sending.addresses import Network, check_url, is_allowed


def is_public(address: str | IPv4Address | IPv6Address) -> bool:
    return is_allowed(address, ())


DENIED = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/3",
    "4000::/2",
    "8000::/1",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "2620:4f:8000::/48",
    "3fff::/20",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "168.63.129.17",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "2000::1",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2003::1",
    "2606:4700:4700::1111",
    "3ffe::1",
]
# Each of them is one that ipaddress.is_global has called global, in one Python version or another, or that wraps one.
DISGUISED = [
    "224.0.0.1",
    "239.1.1.1",
    "192.88.99.1",
    "168.63.129.16",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:169.254.169.254",
    "::ffff:0:7f00:1",
    "::127.0.0.1",
    "::",
    "::1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1%eth0",
    "fec0::1",
    "ff02::1",
    "5f00::1",
    "3fff::1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "2001:20::1",
]
LOOPBACK: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
PRIVATE: tuple[Network, ...] = (IPv4Network("10.20.0.0/16"),)


def addresses_in(text: str) -> st.SearchStrategy[IPv4Address | IPv6Address]:
    network = ip_network(text)
    first, last = int(network.network_address), int(network.broadcast_address)
    return st.integers(first, last).map(type(network.network_address))


@given(st.sampled_from(DENIED).flatmap(addresses_in))
def test_every_address_of_a_denied_network_is_refused(address: IPv4Address | IPv6Address) -> None:
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = IPv6Address("::1")  # as public as the address that it wraps: the next property
    assert not is_public(address) and not is_public(str(address))
    assert not is_allowed(address, ())


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_in_ipv6_is_judged_as_what_it_is(address: IPv4Address) -> None:
    assert is_public(f"::ffff:{address}") == is_public(address)
    assert is_allowed(f"::ffff:{address}", LOOPBACK) == is_allowed(address, LOOPBACK)


@given(st.ip_addresses())
def test_what_the_standard_library_calls_private_is_never_public(address: IPv4Address | IPv6Address) -> None:
    if address.is_private or address.is_multicast or address.is_link_local:
        assert not is_public(address) or (isinstance(address, IPv6Address) and address.ipv4_mapped)


@pytest.mark.parametrize("network", DENIED)
def test_the_edges_of_a_denied_network(network: str) -> None:
    assert not is_public(ip_network(network)[0]) and not is_public(ip_network(network)[-1])


@pytest.mark.parametrize("address", DISGUISED)
def test_disguises_are_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    assert is_public(address) and is_allowed(address, ())


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "1.2.3.4.5", "١.1.1.1"]
)
def test_what_is_no_address_is_not_public(text: str) -> None:
    assert not is_public(text) and not is_allowed(text, LOOPBACK)


def test_the_operator_allows_networks_and_no_more() -> None:
    assert is_allowed("10.20.255.1", PRIVATE) and is_allowed("::ffff:10.20.0.1", PRIVATE)
    assert not is_allowed("10.21.0.1", PRIVATE) and not is_allowed("127.0.0.1", PRIVATE)
    assert is_allowed("::1", LOOPBACK) and not is_allowed("::1%lo", LOOPBACK)
    assert is_allowed("8.8.8.8", PRIVATE), "public addresses stay allowed"


@pytest.mark.parametrize(
    ("url", "key", "target"),
    [
        ("https://example.com/hooks", "example.com:443", "/hooks"),
        ("http://example.com", "example.com:80", "/"),
        ("http://example.com?", "example.com:80", "/?"),
        ("http://example.com?a=b", "example.com:80", "/?a=b"),
        ("http://example.com#part", "example.com:80", "/"),
        ("HTTPS://Example.COM./Hooks?a=B", "example.com:443", "/Hooks?a=B"),
        ("https://example.com:443/x", "example.com:443", "/x"),
        ("https://example.com:8443/x", "example.com:8443", "/x"),
        ("https://example.com/x#part?y", "example.com:443", "/x"),
        ("https://example.com/x?y#part", "example.com:443", "/x?y"),
        ("https://bücher.example/ü", "xn--bcher-kva.example:443", "/%C3%BC"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example:443", "/"),
        ("https://hooks_1.example.com/", "hooks_1.example.com:443", "/"),
        ("https://example.com/a@b", "example.com:443", "/a@b"),
        ("https://example.com?a@b", "example.com:443", "/?a@b"),
        ("https://8.8.8.8/hooks", "8.8.8.8:443", "/hooks"),
        ("https://[2606:4700::1111]:8443/", "[2606:4700::1111]:8443", "/"),
        ("https://internal.example.com/", "internal.example.com:443", "/"),
        ("https://example.com/a?to=b%2Fc%2fd", "example.com:443", "/a?to=b%2Fc%2fd"),
        ("https://example.com//a/./b/../c//", "example.com:443", "//a/./b/../c//"),
        ("https://example.com/%7e~%zz%?a+b=%20&&c=d;e|f", "example.com:443", "/%7e~%zz%?a+b=%20&&c=d;e|f"),
    ],
)
def test_good_urls(url: str, key: str, target: str) -> None:
    destination = check_url(url, ())
    assert (destination.key, destination.target) == (key, target)


BAD_URLS = [
    ("", "https://"),
    ("example.com", "https://"),
    ("//example.com/", "https://"),
    ("ftp://example.com/", "https://"),
    ("file:///etc/passwd", "https://"),
    ("javascript:alert(1)", "https://"),
    ("gopher://example.com/", "https://"),
    ("https:///hooks", "host"),
    ("https:example.com", "host"),
    ("https:/example.com", "host"),
    ("https://user:password@example.com/", "user name"),
    ("https://user@example.com/", "user name"),
    ("https://@example.com/", "user name"),
    ("https://:@example.com/", "user name"),
    ("https://example.com:443@10.0.0.1/", "user name"),
    ("https://example.com\\@10.0.0.1/", "backslash"),
    ("https:\\\\example.com\\", "backslash"),
    ("https://exa mple.com/", "spaces"),
    (" https://example.com/", "spaces"),
    ("https://example.com/\r\nX-Evil: 1", "line breaks"),
    ("https://example.com/\x00", "invisible"),
    ("https://example.com/\x7f", "invisible"),
    ("https://example.com/\u200b", "invisible"),
    ("https://example.com/\ud800", "invisible"),
    ("https://example.com/" + "a" * 2048, "2048"),
    ("https://" + "a" * 64 + ".com/", "valid host"),
    ("https://" + "a." * 127 + "com/", "valid host"),
    ("https://a..com/", "valid host"),
    ("https://-a.com/", "valid host"),
    ("https://a-.com/", "valid host"),
    ("https://exa%6dple.com/", "valid host"),
    ("https://exa*mple.com/", "valid host"),
    ("https://[::1/", "valid URL"),
    ("https://example.com:99999/", "valid URL"),
    ("https://example.com:0/", "port 0"),
    ("https://example.com:25/", "port 25"),
    ("https://localhost/", "localhost"),
    ("https://LOCALHOST./", "localhost"),
    ("https://a.localhost/", "localhost"),
    ("https://intranet/", "inside a network"),
    ("https://db.internal/", "inside a network"),
    ("https://metadata.google.internal/computeMetadata/v1/", "inside a network"),
    ("https://printer.local/", "inside a network"),
    ("https://router.home.arpa/", "inside a network"),
    ("https://router.lan./", "inside a network"),
    ("https://127.0.0.1/", "public host"),
    ("https://10.0.0.1:8443/", "public host"),
    ("https://169.254.169.254/latest/meta-data/", "public host"),
    ("https://[::1]/", "public host"),
    ("https://[::ffff:127.0.0.1]/", "public host"),
    ("https://[64:ff9b::7f00:1]/", "public host"),
    ("https://[fe80::1%25eth0]/", "in full"),
    ("https://①②⑦.⓪.⓪.①/", "public host"),
    ("https://127。0。0。1/", "public host"),
    ("https://１２７.0.0.1/", "public host"),
    ("https://2130706433/", "in full"),
    ("https://127.1/", "in full"),
    ("https://0177.0.0.1/", "in full"),
    ("https://0x7f000001/", "in full"),
    ("https://0x7f.0.0.0x1/", "in full"),
    ("https://0/", "in full"),
    ("https://127%2e0%2e0%2e1/", "valid host"),
]


@pytest.mark.parametrize(("url", "reason"), BAD_URLS)
def test_bad_urls_are_refused_with_what_to_change(url: str, reason: str) -> None:
    with pytest.raises(UnsafeUrl, match=reason) as refused:
        check_url(url, ())
    assert str(refused.value).startswith("url ") and str(refused.value).endswith(".")
    assert "password@" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9000/hooks", "http://localhost:9000", "http://localhost:9000/", "http://[::1]:9000/x"],
)
def test_loopback_when_the_operator_allows_it(url: str) -> None:
    assert check_url(url, LOOPBACK).port == 9000
    with pytest.raises(UnsafeUrl):
        check_url(url, PRIVATE)


def test_names_inside_a_network_when_the_operator_allows_any() -> None:
    for url in ("http://crm/hooks", "http://crm.internal:81/hooks", "http://10.20.1.2/hooks"):
        assert check_url(url, PRIVATE).scheme == "http"
    for url in ("http://10.21.1.2/", "http://2130706433/", "http://user@crm/", "ftp://crm/", "http://crm:0/"):
        with pytest.raises(UnsafeUrl):
            check_url(url, PRIVATE)


@given(
    st.text()
    | st.builds("https://{}/{}".format, st.text(), st.text())
    | st.builds("http://{}".format, st.from_regex(r"[a-z0-9.:\[\]@/%\\-]*", fullmatch=True))
    | st.builds("http://{}:{}".format, st.ip_addresses(), st.integers(0, 70000))
)
def test_any_text_is_either_read_or_refused(text: str) -> None:
    try:
        destination = check_url(text, ())
    except UnsafeUrl:
        return
    host, target = destination.host, destination.target
    assert host and host == host.lower() and not set(host) & set("/?#@[]\\ ")
    assert target.isascii() and target.isprintable() and target.startswith("/") and "#" not in target
    rest = text.partition("#")[0]
    if rest.isascii():
        assert rest.endswith(target if "/" in rest.partition("//")[2] else target[1:]), "as it was given"
    again = f"{destination.scheme}://{destination.key}{target}"
    assert check_url(again, ()) == destination
