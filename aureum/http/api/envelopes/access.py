"""Who may have documents signed: keys and staff on the plan Grow, for DocuSign on Elite, in the panel as well."""

from starlette.requests import Request

from aureum.domain.brokerage import includes
from aureum.http.access.callers import by_key
from aureum.http.access.gate import Caller
from aureum.http.contract.endpoint import Access
from aureum.http.wire.errors import PlanRequired

SIGNING_PLAN = "Grow"
PROVIDER_PLAN = "Elite"


async def by_sender(request: Request) -> Caller:
    """As ``by_key``, also for pages of the panel on no lower plan. Raises what ``by_key`` raises."""
    return await by_key(request, SIGNING_PLAN)


SENDER = Access(by_sender, ("key", "token"))
"""An API key, or a user's token, on a plan that has e-signatures."""


def check_provider(caller: Caller, provider: str | None) -> None:
    """Raises PlanRequired for DocuSign on a lower plan than its own."""
    if provider == "docusign" and not includes(caller.plan, PROVIDER_PLAN):
        raise PlanRequired(PROVIDER_PLAN)
