"""A client's address as the tables have it: a digest to find it by, and the address itself, sealed. Both are made with
the brokerage's key, so that no table tells that two brokerages have the same client."""

from typing import NamedTuple

from aureum.domain.emails import one_form
from aureum.store.cipher import TenantKey


class ClientAddress(NamedTuple):
    """``text`` is the address in its one form, ``key`` its digest."""

    text: str
    key: bytes


def client_address_of(tenant_key: TenantKey, given: str) -> ClientAddress:
    """The address that was *given*, at this brokerage."""
    text = one_form(given)
    return ClientAddress(text, tenant_key.digest(b"portal address", text.encode("utf-8", "replace")))


def sealed(tenant_key: TenantKey, address: ClientAddress) -> bytes:
    """The address, to be stored beside its digest."""
    return tenant_key.seal_client(address.text.encode("utf-8", "replace"), address.key)


def opened(tenant_key: TenantKey, key: bytes, stored: bytes) -> ClientAddress:
    """The inverse of ``sealed``."""
    return ClientAddress(tenant_key.open_client(stored, key).decode(), key)
