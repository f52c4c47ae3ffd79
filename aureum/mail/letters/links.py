"""Links in mails. They open pages of the panel or the portal and change nothing.

They begin with a domain of the brokerage at which requests have arrived, so that no mail names a domain that leads
nowhere yet.
"""

from collections.abc import Sequence

LOCAL = "localhost"
"""The domain of the demonstration alone, which no certificate names."""


def base(
    slug: str, arrives: Sequence[str], base_domain: str | None, public_url: str | None, local_url: str | None
) -> str | None:
    """What links begin with: the first of the brokerage's domains at which requests arrive (*arrives*), else its name
    below the base domain, else the installation's own URL. None if there is none of them: then mails have no links."""
    if arrives and arrives[0] != LOCAL:
        return f"https://{arrives[0]}"
    if base_domain is not None:
        return f"https://{slug}.{base_domain}"
    url = public_url or (local_url if arrives else None)
    return None if url is None else url.rstrip("/")


def page(begin: str | None, path: str) -> str | None:
    """The link to a page of the panel; the empty path is its first one."""
    return None if begin is None else f"{begin}/admin/{path}".rstrip("/")


def to_portal(begin: str | None, path: str = "") -> str | None:
    """The link to a page of the client portal, which changes nothing; the empty path is its first one."""
    return None if begin is None else f"{begin}/portal/{path}".rstrip("/")


def to_choose_password(begin: str | None, token: str) -> str | None:
    """The link at which a user chooses a password."""
    return None if begin is None else f"{begin}/admin/choose-password?token={token}"
