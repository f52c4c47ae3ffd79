"""Access to what concerns the client portal: for keys and users of a brokerage whose plan has it, and for the panel."""

from starlette.requests import Request

from aureum.http.access.callers import API_PLAN, by_key
from aureum.http.access.gate import Caller
from aureum.http.contract.endpoint import Access


async def by_key_with_portal(request: Request) -> Caller:
    """The same as ``by_key``, which lets the panel ask on every plan. Raises what that raises."""
    return await by_key(request, API_PLAN)


WITH_PORTAL = Access(by_key_with_portal, ("key", "token"))
"""An API key, or a user's token, on a plan that has the client portal."""
