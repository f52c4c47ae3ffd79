"""The endpoints of the API that pages ask: not ``routes.ENDPOINTS``, since the routes are made of the pages as well."""

from collections.abc import Sequence

from aureum.http.api.imports import imports
from aureum.http.api.installation import platform
from aureum.http.api.mail import mails, mails_about
from aureum.http.api.of_resources import endpoints
from aureum.http.api.staff import login, me, passwords, search, security_log, sessions, two_step, undoing_all
from aureum.http.contract.endpoint import Endpoint

ENDPOINTS: Sequence[Endpoint] = (
    *login.ENDPOINTS,
    *passwords.ENDPOINTS,
    *me.ENDPOINTS,
    *sessions.ENDPOINTS,
    *two_step.ENDPOINTS,
    *mails.ENDPOINTS,
    *mails_about.ENDPOINTS,
    *search.ENDPOINTS,
    *security_log.ENDPOINTS,
    *undoing_all.ENDPOINTS,
    *platform.ENDPOINTS,
    *imports.ENDPOINTS,
    *endpoints(),
)

BY_ADDRESS = {(endpoint.method, endpoint.path): endpoint for endpoint in ENDPOINTS}


def endpoint_of(method: str, path: str) -> Endpoint:
    """The endpoint with this *path*, as it is declared."""
    return BY_ADDRESS[method, path]
