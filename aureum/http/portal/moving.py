"""A client changes the client's own address: enters the new one, then the code of a mail to it. The sign-in must be of
the last 15 minutes, so that a phone that lies on a table does not give away all that is the client's.
"""

from pydantic import SecretStr
from starlette.responses import RedirectResponse, Response

from aureum.commands.portal.moving import AddressTaken, AskMove, Move, ask_move, move
from aureum.domain.emails import is_email, one_form, trimmed
from aureum.domain.ids import from_wire, now
from aureum.http.access.portal_cookie import keep_session
from aureum.http.portal.catalogue import later
from aureum.http.portal.data import PATH as DATA
from aureum.http.portal.data import agent_of
from aureum.http.portal.page import PortalPage
from aureum.http.portal.people import ClientCard, cards_of
from aureum.http.portal.proving import LONGEST, NO_ADDRESS, WRONG_CODE, is_fresh, marks_of, token_of
from aureum.http.portal.telling import Asked, add_task
from aureum.http.portal.typed import origin_of
from aureum.http.portal.visit import PortalVisit

PATH = "/portal/data/address"

SAME = later("This is your address already.")
NO_CONTACT = later("Choose whose address it is.")
TAKEN = later(
    "The brokerage has another entry with this address. It will look at both entries, and your address stays as it is "
    "until then."
)

TASK = (
    "The client %(former)s has proved in the portal that %(email)s is the client's address, too, and another contact "
    "has it. If both are one person, merge the contacts. If not, change the address of the one."
)
"""Staff read it, in the language of the panel."""


async def movable(visit: PortalVisit) -> list[ClientCard]:
    """The contacts whose address the client can change: theirs is the one that was proved. Raises Unavailable."""
    return [
        card for card in await cards_of(visit) if card.contact and one_form(card.email or "") == visit.client.address
    ]


async def show_form(visit: PortalVisit, *, status: int = 200, email: str = "", problem: str | None = None) -> Response:
    """The form for the new address; with an older sign-in, a button that asks for a code to the present one."""
    return visit.render(
        "address.html",
        status=status,
        cards=await movable(visit),
        fresh=is_fresh(visit, now()),
        email=email,
        problem=problem,
        action=PATH,
    )


async def show(visit: PortalVisit) -> Response:
    """The same. Nothing changes."""
    return await show_form(visit)


async def ask(visit: PortalVisit) -> Response:
    """The form for the code, and a mail: the same page whether the address is known or not. Raises TooMany."""
    cards = await movable(visit)
    if not cards or not is_fresh(visit, now()):
        return visit.go(PATH)
    email = trimmed(visit.form["email"])
    wanted = visit.form["contact"] or (cards[0].contact if len(cards) == 1 else "")
    problem = None
    if not is_email(email):
        problem = NO_ADDRESS
    elif one_form(email) == visit.client.address:
        problem = SAME
    elif wanted not in {card.contact for card in cards}:
        problem = NO_CONTACT
    contact_id = from_wire(wanted or "")
    if problem is not None or contact_id is None:
        text = visit.gettext(problem or NO_CONTACT)
        return await show_form(visit, status=422, email=email[:LONGEST], problem=text)
    command = AskMove(
        session=session_of(visit),
        contact_id=contact_id,
        former=visit.client.address,
        email=email,
        language=visit.locale,
        client=visit.counted_as,
    )
    await ask_move(visit.app.database, await visit.app.store.tenant_key(visit.at.tenant_id), command)
    return code_form(visit, status=202)


def code_form(visit: PortalVisit, *, status: int = 200, problem: str | None = None) -> Response:
    """The form for the code."""
    return visit.render("address_code.html", status=status, problem=problem, action=PATH)


async def show_code(visit: PortalVisit) -> Response:
    """The form for a code that has come by now."""
    return code_form(visit)


async def enter_code(visit: PortalVisit) -> Response:
    """The contact has the address, and the browser a session of it; or the form again. Raises TooMany, Unavailable."""
    app = visit.app
    command = Move(
        session=session_of(visit),
        former=visit.client.address,
        code=SecretStr(visit.form["code"][:LONGEST]),
        client=visit.counted_as,
        plan=visit.at.plan,
        known=marks_of(visit),
    )
    tenant_key = await app.store.tenant_key(visit.at.tenant_id)
    try:
        signed_in = await move(app.store, tenant_key, command, origin_of(visit))
    except AddressTaken as taken:
        told = TASK % {"former": visit.client.address, "email": taken.email}
        await add_task(visit, Asked("A client has an address that another contact has", told, await agent_of(visit)))
        return code_form(visit, status=409, problem=visit.gettext(TAKEN))
    if signed_in is None:
        return code_form(visit, status=422, problem=visit.gettext(WRONG_CODE))
    response = RedirectResponse(f"{DATA}?done=moved", 303)
    keep_session(visit.request, response, signed_in, app.settings.trusted_proxies)
    return response


def session_of(visit: PortalVisit) -> SecretStr:
    """The token of the client's session."""
    token = token_of(visit)
    assert token is not None, "the page has a client"
    return SecretStr(token)


PAGES = (
    PortalPage("GET", PATH, show),
    PortalPage("POST", PATH, ask),
    PortalPage("GET", f"{PATH}/code", show_code),
    PortalPage("POST", f"{PATH}/code", enter_code),
)
