"""Which URLs and addresses webhooks may be sent to: what is out on the public Internet, or what the operator allows.

A tenant chooses the URL, and our worker calls it from inside our network. So `check_url` refuses at once what can never
be right, and tells why; and `is_allowed` judges the address of every single connection (see ``sender``), because a name
that was harmless yesterday may lead inside today.

``ipaddress.is_global`` is not enough: it lets multicast, the NAT64 and 6to4 forms of private addresses and a cloud's
own 168.63.129.16 pass, and its answers changed between Python versions. The ranges here are the IANA special-purpose
registries.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aureum.domain.webhook_urls import Destination, UnsafeUrl, read_url

Network = IPv4Network | IPv6Network

_DENIED_IPV4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's host, seen from its guests
        "169.254.0.0/16",  # link-local, with the clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, with broadcast
    )
)

# For IPv6 the other way round: only global unicast, and of that not what wraps an IPv4 address or is not routed.
_GLOBAL_IPV6 = IPv6Network("2000::/3")
_DENIED_IPV6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)

_LOOPBACK = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
_INSIDE_DOMAINS = (
    "local",
    "internal",
    "localdomain",
    "home.arpa",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
)
"""Never in the public DNS: RFC 6762 (and its appendix G), RFC 8375, ICANN's reservation of ``internal``."""

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
# A last label like this makes the whole host an IPv4 address to inet_aton: 0x7f000001, 2130706433, 127.1.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

_PUBLIC_PORTS = (80, 443)
_FIRST_FREE_PORT = 1024


def is_allowed(address: str | IPv4Address | IPv6Address, allow_networks: Iterable[Network]) -> bool:
    """Whether a connection to *address* may be made: the public Internet routes it, or the operator allows its network.
    What cannot be read, or has a scope id, is not."""
    parsed = _parse(address)
    return parsed is not None and (_is_public(parsed) or any(parsed in network for network in allow_networks))


def check_url(url: str, allow_networks: Iterable[Network]) -> Destination:
    """Where *url* leads, if webhooks may be sent there. Raises UnsafeUrl.

    Looks nothing up: a name that leads to a forbidden address is refused when it is called. A name that only exists
    inside a network is refused here, unless the operator allows networks: for ``localhost`` its loopback address, for
    the others any.
    """
    networks = tuple(allow_networks)
    destination = read_url(url)
    _check_host(destination.host, networks)
    port = destination.port
    if port not in _PUBLIC_PORTS and (port == 0 or (port < _FIRST_FREE_PORT and not networks)):
        raise UnsafeUrl(f"url must not name port {port}. Use 443, 80, or one from 1024 up.")
    return destination


def _check_host(host: str, networks: tuple[Network, ...]) -> None:
    """*host* is lower case, in the form that goes over the wire (IDNA), without brackets and trailing dot."""
    labels = host.split(".")
    if ":" in host or _NUMBER.fullmatch(labels[-1]):
        if _parse(host) is None:
            raise UnsafeUrl("url must name its host, or write its IP address in full, like 198.51.100.7.")
        if not is_allowed(host, networks):
            raise UnsafeUrl("url must name a public host. This IP address is reserved or private.")
        return
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise UnsafeUrl("url must name a valid host, like https://example.com/hooks.")
    if labels[-1] == "localhost":
        if not any(address in network for address in _LOOPBACK for network in networks):
            raise UnsafeUrl("url must name a public host. localhost is the machine that Aureum runs on.")
    elif not networks and (len(labels) == 1 or host.endswith(tuple(f".{domain}" for domain in _INSIDE_DOMAINS))):
        raise UnsafeUrl("url must name a public host, like example.com. This name is only known inside a network.")


def _parse(address: str | IPv4Address | IPv6Address) -> IPv4Address | IPv6Address | None:
    """*address* as IPv4 where it is an IPv4-mapped IPv6 address, since that is what the kernel would connect to."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address):
        return None if parsed.scope_id is not None else parsed.ipv4_mapped or parsed
    return parsed


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _DENIED_IPV4)
    return address in _GLOBAL_IPV6 and not any(address in network for network in _DENIED_IPV6)
