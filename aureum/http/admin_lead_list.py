"""``GET /api/v1/admin/leads``: a brokerage's leads in numbered pages; all, for a platform admin who names none."""

from typing import Any

from starlette.responses import Response

from aureum.http.admin_lead_fields import AdminLeadFilters
from aureum.http.admin_scope import in_brokerage, is_platform_admin
from aureum.http.answers import encoded
from aureum.http.endpoint import Asked
from aureum.http.pages import Found, paged
from aureum.projections import admin_leads

PATH = "/api/v1/admin/leads"


async def get_admin_leads(asked: Asked, filters: AdminLeadFilters) -> Response:
    """Newest first. An agent sees what is assigned to or created by him or her. Raises NotFound, HttpError 400."""
    database = asked.app.database
    chosen: dict[str, Any] = {
        "status": filters.status,
        "source": filters.source,
        "source_domain": filters.source_domain,
        "agent": filters.assigned_agent_id,
        "words": admin_leads.patterns(filters.q or ""),
        "sees": asked.about.sees,
        "limit": filters.page_size,
        "skipped": filters.skipped,
    }

    if is_platform_admin(asked) and filters.brokerage_id is None:
        # Before the rows: a list that is newer than its ETag is only sent once more.
        ((head, read_version),) = await database.rows(admin_leads.EVERYWHERE)

        async def of_all() -> Found:
            return found(await database.rows(admin_leads.PAGE_OF_ALL, chosen))

        return await paged(asked, filters, (PATH, "everywhere", head, read_version), of_all)

    asked = await in_brokerage(asked, filters.brokerage_id, "list leads")
    about = asked.about

    async def of_one() -> Found:
        parameters = chosen | {"tenant": about.tenant_id}
        return found(await database.tenant_rows(about.tenant_id, admin_leads.PAGE, parameters))

    return await paged(asked, filters, (PATH, about.tenant_id, about.head, about.read_version, about.view), of_one)


def found(rows: list[Any]) -> Found:
    """A page of details, of the statement's rows: the first column of each is how many there are in all."""
    leads = [admin_leads.loaded(values) for _, *values in rows if values[0] is not None]
    details = (encoded(admin_leads.detail(lead, lead["brokerage_id"], lead["agent"])).decode() for lead in leads)
    return Found(",".join(details), rows[0][0])
