"""Refusals as pages: what happened and what to do, in the client's language. Programs find the code in a header."""

from typing import NamedTuple

from starlette.responses import Response

from aureum.domain.errors import TooMany, Unavailable
from aureum.domain.ids import now
from aureum.http.portal.catalogue import later
from aureum.http.portal.visit import PortalVisit
from aureum.http.wire.error_log import log_error
from aureum.http.wire.errors import render

HERE = "This page does not accept this method."
NOT_ON_THIS_PLAN = "The brokerage's plan does not have the client portal."

KEPT = (b"retry-after", b"allow", b"x-error-code", b"accept-encoding")


class Words(NamedTuple):
    """What a page of a refusal says."""

    title: str
    text: str


CHANGED = Words(later("This has changed in the meantime"), later("Open the page again to see how it is now."))

WORDS = {
    400: Words(later("We couldn't read that"), later("Go back and try again.")),
    403: Words(
        later("This form came from another website"), later("Open the page here and send the form again from there.")
    ),
    404: Words(later("This page does not exist"), later("The address may be mistyped, or the page no longer exists.")),
    405: Words(later("This page cannot be opened this way"), later("Go to the home page and try again from there.")),
    409: CHANGED,
    412: CHANGED,
    413: Words(later("That is too large"), later("Send less text or a smaller file.")),
    415: Words(later("We couldn't read that"), later("Go back and send the form as the page shows it.")),
    422: Words(later("Something in the form is not right"), later("Go back, correct it and send the form again.")),
    429: Words(later("Please wait a moment"), later("There were too many attempts. Wait a few minutes and try again.")),
    503: Words(later("Please try again in a moment"), later("This part of our website cannot be reached right now.")),
}
OTHER = Words(later("Something went wrong"), later("We have been notified. Please try again later."))
NO_BROKERAGE = Words(
    later("There is no such website"), later("Check the address. No brokerage that uses Aureum is found here.")
)


def refused(visit: PortalVisit, error: Exception) -> Response:
    """The page for *error*, with the status and headers that any endpoint would answer."""
    status, headers, _ = render(error, "aureum")
    if status == 500 or isinstance(error, Unavailable):
        log_error(visit.request.scope, error)
    kept = {name.decode(): value.decode() for name, value in headers if name in KEPT}
    if isinstance(error, TooMany):
        kept["retry-after"] = str(max(1, int((error.retry_at - now()).total_seconds()) + 1))
    words = WORDS.get(status, OTHER)
    if status == 404 and visit.brokerage is None:
        words = NO_BROKERAGE
    return visit.render("refused.html", status=status, headers=kept, words=words)
