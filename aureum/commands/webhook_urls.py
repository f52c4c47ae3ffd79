"""Which URLs a webhook may be given: those that the worker would call, and that do not lead back here."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network

from aureum.domain.errors import Invalid
from aureum.domain.webhook_urls import UnsafeUrl
from aureum.webhooks.sending.addresses import check_url

OWN_HOST = "url must not lead back to Aureum itself, because each delivery would cause new events without end."

Networks = Sequence[IPv4Network | IPv6Network]


def checked_url(url: str, allow_networks: Networks, own_domain: str | None) -> str:
    """*url* as it was given. Raises Invalid if nothing may be sent there, or if it is below *own_domain*."""
    try:
        host = check_url(url, allow_networks).host
    except UnsafeUrl as error:
        raise Invalid("url", str(error)) from error
    if own_domain and f".{host}".endswith(f".{own_domain}"):
        raise Invalid("url", OWN_HOST)
    return url
