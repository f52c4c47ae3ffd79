"""A contact's portal as the client sees it, for all staff who may read the contact. The pages are the portal's own."""

from starlette.responses import Response

from aureum.domain.brokerage import includes
from aureum.domain.ids import from_wire
from aureum.http.panel.page import Page, page
from aureum.http.panel.visit import Visit
from aureum.http.portal.preview import page_at, previewed
from aureum.http.portal.visit import PLAN, PortalBrokerage
from aureum.http.wire.errors import PlanRequired
from aureum.projections.brokerages import OF_NUMBER, BrokerageRow


async def show(visit: Visit) -> Response:
    """The client's page, or why there is none. Raises NotFound, HttpError."""
    contact = (await visit.ask("GET", "/api/contacts/{id}", id=visit.id())).body
    brokerage = await brokerage_of(visit)
    if not includes(brokerage.plan, PLAN):
        raise PlanRequired(PLAN)
    rest = visit.request.path_params.get("path", "")
    path = f"/portal/{rest}".rstrip("/")
    page_at(path)
    if not contact["email"]:
        return await page(visit, "no_portal.html", contact=contact)
    begin = f"/admin/contacts/{contact['id']}/portal"
    agent = visit.me["id"] if visit.me is not None and visit.role == "agent" else None
    return await previewed(
        visit.request,
        brokerage,
        contact["email"],
        begin,
        path,
        None if agent is None else from_wire(agent),
    )


async def brokerage_of(visit: Visit) -> PortalBrokerage:
    """The brokerage that the page is about, as its portal looks."""
    assert visit.acting is not None, "there is no contact without a brokerage"
    rows = await visit.request.app.state.aureum.database.rows(OF_NUMBER, {"number": visit.acting["id"]})
    row = BrokerageRow(*rows[0])
    return PortalBrokerage(row.tenant_id, row.name, row.slug, row.plan, row.color, row.logo, row.time_zone)


PAGES = (Page("/admin/contacts/{id}/portal", show), Page("/admin/contacts/{id}/portal/{path:path}", show))
