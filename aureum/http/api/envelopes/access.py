"""Who may have documents signed at DocuSign: brokerages on the plan Elite. All else is as for the portal."""

from aureum.domain.brokerage import includes
from aureum.http.access.gate import Caller
from aureum.http.wire.errors import PlanRequired

PROVIDER_PLAN = "Elite"


def check_provider(caller: Caller, provider: str | None) -> None:
    """Raises PlanRequired for DocuSign on a lower plan than its own."""
    if provider == "docusign" and not includes(caller.plan, PROVIDER_PLAN):
        raise PlanRequired(PROVIDER_PLAN)
