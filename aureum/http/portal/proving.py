"""What forms share in which a client proves an address: what the browser has kept, how long a proof counts, and the
words for one that fails."""

from datetime import datetime

from aureum.domain.envelope_rules import FRESH
from aureum.http.access.portal_cookie import client_token, known_marks, pending_nonce
from aureum.http.portal.catalogue import later
from aureum.http.portal.visit import PortalVisit

LONGEST = 200
"""Of what is typed into such a form, so much is looked at."""

NO_ADDRESS = later("Enter your full email address, such as name@example.com.")
WRONG_CODE = later(
    "This code does not work. It may be mistyped, used or older than 15 minutes. After five wrong codes, ask for a new "
    "email."
)

NO_MORE_CODES = later(
    "Too many codes were tried for this address today, so this browser cannot use one now. Open the link in the newest "
    "email in the browser where you asked for it, or use a browser in which you have signed in before."
)


def is_fresh(visit: PortalVisit, at: datetime) -> bool:
    """Whether the client has proved the address within the 15 minutes before *at*."""
    return at - FRESH <= visit.client.signed_in_at


def token_of(visit: PortalVisit) -> str | None:
    """The token of the session that the browser has."""
    return client_token(visit.request.scope, visit.app.settings.trusted_proxies)


def nonce_of(visit: PortalVisit) -> str | None:
    """What shows that this browser has asked."""
    return pending_nonce(visit.request.scope, visit.app.settings.trusted_proxies)


def marks_of(visit: PortalVisit) -> str | None:
    """What shows which addresses have signed in in this browser."""
    return known_marks(visit.request.scope, visit.app.settings.trusted_proxies)
