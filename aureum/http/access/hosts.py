"""The name in Host and the client's address, also behind proxies.

Forwarded headers count only from a peer in the trusted networks, because any client can send them. Everything here is
pure and runs on every request; what is expensive is kept in small bounded caches.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import idna
from starlette.types import Scope

from aureum.http.wire.errors import BadForwardedHost, BadHost

Networks = Sequence[IPv4Network | IPv6Network]

NO_ADDRESS = "unix"
"""Stands for a peer without an address (a Unix socket); such a peer is never trusted."""

LONGEST = 300
"""A name has at most 253 characters; the rest leaves room for a port and for letters that IDNA makes shorter."""

# Underscores are no part of a domain, but names inside a container network have them, and a key needs no known host.
LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
NAME = re.compile(rf"(?=.{{1,253}}\Z){LABEL}(?:\.{LABEL})*")
WITH_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+))(?::[0-9]{0,5})?")
ADDRESS_WITH_PORT = re.compile(r"(?:\[([^\[\]]+)\]|([0-9.]+))(?::[0-9]{1,5})?")


@lru_cache(maxsize=4096)
def normalise_host(raw: str) -> str:
    """``Münchner-Häuser.DE.:8000`` → ``xn--mnchner-huser-jfb56a.de``: lower case, ASCII, no port, no trailing dot.

    IPv6 literals keep their brackets. Raises BadHost for anything that is not one valid name or address.
    """
    match = WITH_PORT.fullmatch(raw.strip(" \t")) if len(raw) <= LONGEST else None
    if match is None:
        raise BadHost
    literal, name = match.groups()
    if literal is not None:
        return f"[{_ipv6(literal)}]"
    if not name.isascii() or "xn--" in name.lower():
        try:
            name = idna.encode(name, uts46=True, std3_rules=False).decode("ascii")
        except UnicodeError as error:
            raise BadHost from error
    name = name.lower().removesuffix(".")
    if NAME.fullmatch(name) is None:
        raise BadHost
    return name


def _ipv6(literal: str) -> IPv6Address:
    try:
        return IPv6Address(literal)
    except ValueError as error:
        raise BadHost from error


def requested_host(scope: Scope, trusted_proxies: Networks) -> str | None:
    """The normalised host that the client asked for; None if it named none (HTTP/1.0). Raises BadHost.

    X-Forwarded-Host wins over Host, but only from a trusted peer; a list in either of them is refused.
    """
    if trusted_proxies and _is_trusted(_peer(scope), trusted_proxies):
        try:
            forwarded = _header(scope, b"x-forwarded-host")
            if forwarded is not None:
                return normalise_host(forwarded)
        except BadHost as error:
            raise BadForwardedHost from error
    host = _header(scope, b"host")
    return normalise_host(host) if host else None


def _header(scope: Scope, name: bytes) -> str | None:
    """The one value of a header, None without it; two lines of it are a list, which no host is."""
    values = [value for key, value in scope["headers"] if key == name]
    if not values:
        return None
    try:
        return b",".join(values).decode()
    except UnicodeDecodeError as error:
        raise BadHost from error


def split_slug(host: str, base_domain: str | None) -> str | None:
    """The slug in ``{slug}.{base_domain}``: exactly one label; None for any other *host*. Both are normalised."""
    if not base_domain or not host.endswith("." + base_domain):
        return None
    slug = host[: -len(base_domain) - 1]
    return slug if "." not in slug else None


def client_address(scope: Scope, trusted_proxies: Networks) -> str:
    """Whom to count a request to: an IPv4 address, an IPv6 network of 64 bits, or ``unix``.

    The peer's address, or behind a trusted proxy the rightmost X-Forwarded-For entry that is not itself trusted. An
    entry that is no address ends the search at the hop that wrote it: no trusted hop vouches for what stands left of
    it.
    """
    address = _peer(scope)
    if trusted_proxies and _is_trusted(address, trusted_proxies):
        for entry in _forwarded_for(scope):
            hop = _parse(entry)
            if hop is None:
                break
            address = hop
            if not _is_trusted(hop, trusted_proxies):
                break
    return NO_ADDRESS if address is None else _counted(address)


def _peer(scope: Scope) -> IPv4Address | IPv6Address | None:
    client = scope.get("client")
    return _parse(client[0]) if client else None


def _forwarded_for(scope: Scope) -> Iterator[str]:
    """The entries from the nearest hop to the farthest; several lines of the header are one list."""
    for value in reversed([value for key, value in scope["headers"] if key == b"x-forwarded-for"]):
        for entry in reversed(value.decode("latin-1").split(",")):
            yield entry.strip(" \t")


@lru_cache(maxsize=4096)
def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """The address in *text*, which may have a port; None if there is none. IPv4 inside IPv6 is IPv4."""
    match = ADDRESS_WITH_PORT.fullmatch(text)
    try:
        address = ip_address((match[1] or match[2]) if match else text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _is_trusted(address: IPv4Address | IPv6Address | None, trusted_proxies: Networks) -> bool:
    return address is not None and any(address in network for network in trusted_proxies)


@lru_cache(maxsize=4096)
def _counted(address: IPv4Address | IPv6Address) -> str:
    # One subscriber holds at least a /64 and can use a new address of it for each request.
    return str(address) if isinstance(address, IPv4Address) else f"{IPv6Address(int(address) >> 64 << 64)}/64"
