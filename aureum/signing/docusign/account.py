"""The account that calls are made for, and the addresses of DocuSign's servers."""

from dataclasses import dataclass, field
from hashlib import sha256

from yarl import URL

from aureum.domain.docusign_connection import DocusignConnection

DEMO = URL("https://account-d.docusign.com")
PRODUCTION = URL("https://account.docusign.com")
"""The servers that give tokens."""

DOMAINS = ("docusign.net", "docusign.com")
"""Where the servers of accounts are, as the account server names them."""


@dataclass(frozen=True, slots=True)
class Account:
    """A brokerage's account at DocuSign, and the keys to it."""

    integration_key: str
    user_id: str
    account_id: str
    production: bool
    private_key: str = field(repr=False)

    @property
    def fingerprint(self) -> bytes:
        """What a token is kept by: other keys get another token."""
        names = (self.integration_key, self.user_id, self.account_id, str(self.production), self.private_key)
        return sha256("\n".join(names).encode()).digest()


def account_of(connection: DocusignConnection) -> Account:
    """The account that a brokerage is connected to."""
    return Account(
        connection.integration_key,
        connection.user_id,
        connection.account_id,
        connection.production,
        connection.private_key,
    )


def token_server(account: Account, elsewhere: URL | None) -> URL:
    """Where the account's tokens come from; *elsewhere* is the peer of a test."""
    return elsewhere or (PRODUCTION if account.production else DEMO)


def is_docusign(url: URL, elsewhere: URL | None) -> bool:
    """Whether *url* leads to one of DocuSign's servers: https, no other port, no user. With *elsewhere*: to that."""
    if url.user is not None or not url.host:
        return False
    if elsewhere is not None:
        return (url.scheme, url.host, url.port) == (elsewhere.scheme, elsewhere.host, elsewhere.port)
    if url.scheme != "https" or url.port != 443:
        return False
    return url.host in DOMAINS or url.host.endswith(tuple(f".{domain}" for domain in DOMAINS))


def read_url(text: object) -> URL | None:
    """*text* as a URL, if it is one."""
    try:
        return URL(text) if isinstance(text, str) else None
    except ValueError:
        return None


def consent_url(account: Account, elsewhere: URL | None = None) -> str:
    """Where an administrator of the account allows Aureum once to act for the user."""
    query = {
        "response_type": "code",
        "scope": "signature impersonation",
        "client_id": account.integration_key,
        "redirect_uri": "https://www.docusign.com",
    }
    return str((token_server(account, elsewhere) / "oauth/auth").with_query(query))
