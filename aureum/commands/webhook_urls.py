"""Which URLs a webhook may be given: those that the worker would call, and that do not lead back here."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network
from urllib.parse import urlsplit

from aureum.domain.errors import Invalid
from aureum.webhooks.addresses import UnsafeUrl, check_url

OWN_HOST = "url must not lead back to Aureum itself: what it sends there would make new events without an end."

Networks = Sequence[IPv4Network | IPv6Network]


def checked_url(url: str, allow_networks: Networks, own_domain: str | None) -> str:
    """*url* in its normal form. Raises Invalid if nothing may be sent there, or if it is below *own_domain*."""
    try:
        checked = check_url(url, allow_networks)
    except UnsafeUrl as error:
        raise Invalid("url", str(error)) from error
    host = urlsplit(checked).hostname or ""
    if own_domain and f".{host}".endswith(f".{own_domain}"):
        raise Invalid("url", OWN_HOST)
    return checked
