"""On to DocuSign, for documents that are signed there.

The address is made when the client presses the button, and the browser is sent to it: it opens once, within five
minutes, and stands in no page, mail or log. The page to which DocuSign leads back has the worker ask DocuSign, at most
twice a minute, and then says how things stand here. What DocuSign adds to that address proves nothing and is not read.
"""

import asyncio
from urllib.parse import urlsplit

from starlette.responses import Response

from aureum.domain.errors import Busy, WrongState
from aureum.http.access.callers import named_host
from aureum.http.portal.catalogue import later
from aureum.http.portal.documents.case import Case, case_of
from aureum.http.portal.documents.identifying import to_identify
from aureum.http.portal.page import PortalPage
from aureum.http.portal.proving import is_fresh
from aureum.http.portal.visit import PortalVisit
from aureum.http.wire.headers import header
from aureum.projections.docusign_envelopes import ANSWERED, ASK_NOW
from aureum.signing.docusign.account import DOMAINS
from aureum.signing.docusign.viewing import signing_url

NOT_NOW = later("DocuSign cannot show the documents right now. Try again in a few minutes.")
NOT_YOU = later("DocuSign does not let you sign these documents now. Ask the brokerage about it.")

LOOKS, LOOK_SECONDS = 8, 0.25
"""How long a client who comes back waits for the worker."""


def allowed(visit: PortalVisit) -> str:
    """Where the form of a page may lead to besides this host: browsers judge redirects of forms, too."""
    elsewhere = visit.app.settings.docusign_url
    return elsewhere or " ".join(f"https://*.{domain}" for domain in DOMAINS)


async def go_to_docusign(visit: PortalVisit) -> Response:
    """Where this client signs, once the client has proved the address lately."""
    case = await case_of(visit)
    if case.standing != "elsewhere":
        return case.to_first_page()
    if not is_fresh(visit, case.at):
        return to_identify(case)
    app = visit.app
    try:
        url = await signing_url(
            app.store,
            app.docusign_tokens,
            app.settings.docusign_url,
            visit.client.tenant_id,
            case.envelope,
            case.recipient,
            return_url=f"{begin(visit)}{case.path}/returned",
            signed_in_at=visit.client.signed_in_at,
        )
    except WrongState:
        return told(case, 409, NOT_YOU)
    except Busy as busy:
        return told(case, 503, NOT_NOW, {"Retry-After": str(busy.retry_after)})
    return visit.go(url)


async def come_back(visit: PortalVisit) -> Response:
    """On to the page of the documents, once the worker has asked DocuSign about them, or after a moment."""
    case = await case_of(visit)
    if case.standing == "elsewhere":
        about = {"tenant": visit.client.tenant_id, "envelope": case.envelope.id}
        asked = bool(await visit.app.database.rows(ASK_NOW, about))
        for _ in range(LOOKS if asked else 0):
            if await visit.app.database.rows(ANSWERED, about):
                break
            await asyncio.sleep(LOOK_SECONDS)
    return case.to_first_page()


def told(case: Case, status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    """Why it does not go on, on a page that leads back."""
    problem = case.visit.gettext(text)
    return case.visit.render(
        "documents/docusign.html",
        status=status,
        headers=headers,
        case=case,
        problem=problem,
        leads_to=allowed(case.visit),
    )


def begin(visit: PortalVisit) -> str:
    """This brokerage's host as the browser calls it. The form came from there, or it would have been refused."""
    host, _ = named_host(visit.request)
    origin = header(visit.request.scope, b"origin") or ""
    ours = origin.startswith(("https://", "http://")) and urlsplit(origin).hostname == host
    return origin if ours else f"https://{host}"


PAGES = (
    PortalPage("POST", "/portal/documents/{id}/docusign", go_to_docusign, signers=True),
    PortalPage("GET", "/portal/documents/{id}/returned", come_back, signers=True),
)
