"""The settings of mail as they are checked: the server of AUREUM_SMTP_URL, and the address of AUREUM_MAIL_FROM."""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from aureum.settings.values import Unusable, domain

ESCAPED = "in a user or password, write % as %25, / as %2F, ? as %3F, # as %23 and @ as %40"
UNREADABLE = f"its host or port cannot be read ({ESCAPED})"

STARTTLS = ("required", "optional", "never")
PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed over. ``tls``: from the first byte; ``starttls``: one of ``STARTTLS``."""

    host: str
    port: int
    tls: bool
    starttls: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The server in messages and logs, without a secret."""
        return f"{self.host}:{self.port}"


def smtp_server(url: str) -> SmtpServer:
    """The server that *url* names. Raises Unusable, whose text quotes no part of it that may be secret.

    A password is not sent unless the connection is encrypted: with one, STARTTLS is required unless the URL says
    ``starttls=never``.
    """
    url = url.strip()
    if any(letter.isspace() or not letter.isprintable() for letter in url):
        raise Unusable("it has a blank or a control character in it (in a user or password, write a blank as %20)")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Unusable(UNREADABLE) from None
    if parts.scheme not in PORTS:
        raise Unusable("it begins with neither smtp:// nor smtps://")
    if not host:
        raise Unusable("it names no host")
    if port == 0:
        raise Unusable(UNREADABLE)
    if parts.path not in ("", "/") or parts.fragment:
        raise Unusable(f"something follows the host and port ({ESCAPED})")
    user, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
    if (user is None or user == "") != (password is None or password == ""):
        raise Unusable("it has a user without a password, or a password without a user")
    chosen = dict(parse_qsl(parts.query, keep_blank_values=True))
    starttls = chosen.pop("starttls", None)
    if chosen:
        raise Unusable("it has a parameter other than starttls")
    if starttls is not None and starttls not in STARTTLS:
        raise Unusable("starttls is one of " + ", ".join(STARTTLS))
    tls = parts.scheme == "smtps"
    if tls and starttls not in (None, "never"):
        raise Unusable("smtps:// is encrypted from the beginning, so starttls does not go with it")
    if starttls is None:
        starttls = "never" if tls else "required" if user else "optional"
    return SmtpServer(host, port or PORTS[parts.scheme], tls, starttls, user or None, password)


def mail_address(text: str) -> str:
    """An address that mail can come from. Raises Unusable."""
    local, at, host = text.rpartition("@")
    if not at or not local or not text.isascii() or any(letter in ' <>,;:"()[]\\' for letter in text):
        raise Unusable("it is not a plain address")
    try:
        domain(host)
    except ValueError:
        raise Unusable("what follows its @ is not a domain name") from None
    return text
