"""Where links in mails lead: pages of the panel, which only show something; what is done there takes a click more.

They begin with a domain of the brokerage under which requests have arrived, so that no mail names one that leads
nowhere yet.
"""

from collections.abc import Collection, Sequence

LOCAL = "localhost"
"""The domain of the demonstration alone, which no certificate names."""


def base(
    slug: str, domains: Sequence[str], seen: Collection[str], base_domain: str | None, public_url: str | None
) -> str | None:
    """What links begin with: the first of *domains* that was *seen*, else the brokerage's name below the base domain,
    else the installation's own URL. None if there is none of them: then mails have no links."""
    host = next((domain for domain in domains if domain in seen and domain != LOCAL), None)
    if host is None and base_domain is not None:
        host = f"{slug}.{base_domain}"
    if host is not None:
        return f"https://{host}"
    return None if public_url is None else public_url.rstrip("/")


def page(begin: str | None, path: str) -> str | None:
    """The link to a page of the panel."""
    return None if begin is None else f"{begin}/admin/{path}"
