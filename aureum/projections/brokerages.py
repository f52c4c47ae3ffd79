"""The directory of brokerages and their domains: how a request's Host, or a slug, finds its tenant."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

from aureum.domain.brokerage import Brokerage

NAME = "brokerages"

APPEND = """
WITH r AS (
    SELECT r.* FROM json_to_recordset(p_rows -> 'brokerages') AS r (
               item integer, tenant_id uuid, number bigint, slug text, name text, plan text, time_zone text,
               country text, public_lead_count boolean, disabled boolean, opened_at timestamptz, domains text[])
      JOIN unnest(accepted) AS a ON a.item = r.item
), opened AS (
    INSERT INTO heads AS h (tenant_id) SELECT tenant_id FROM r
    ON CONFLICT (tenant_id) DO UPDATE SET site_version = h.site_version + 1
), named AS (
    INSERT INTO domains (domain, tenant_id)
    SELECT d.domain, r.tenant_id FROM r CROSS JOIN LATERAL unnest(r.domains) AS d (domain)
     WHERE NOT EXISTS (SELECT FROM domains k WHERE k.domain = d.domain AND k.tenant_id = r.tenant_id)
)
INSERT INTO brokerages (tenant_id, number, slug, name, plan, time_zone, country, public_lead_count, disabled, opened_at)
SELECT tenant_id, number, slug, name, plan, time_zone, country, public_lead_count, disabled, opened_at FROM r
ON CONFLICT (tenant_id) DO UPDATE SET
       name = excluded.name, plan = excluded.plan, time_zone = excluded.time_zone, country = excluded.country,
       public_lead_count = excluded.public_lead_count, disabled = excluded.disabled
"""

Row = dict[str, Any]


def step(row: Row | None, event: Any) -> Row | None:
    """What *event* makes of a brokerage's row."""
    match event:
        case Brokerage.Opened():
            return {
                "tenant_id": event.originator_id,
                "number": event.number,
                "slug": event.slug,
                "name": event.name,
                "plan": event.plan,
                "time_zone": event.time_zone,
                "country": event.country,
                "public_lead_count": event.public_lead_count,
                "disabled": False,
                "opened_at": event.timestamp,
                "domains": event.domains,
            }
        case Brokerage.PlanChanged() if row is not None:
            return row | {"plan": event.plan}
        case Brokerage.Disabled() if row is not None:
            return row | {"disabled": True}
        case Brokerage.Enabled() if row is not None:
            return row | {"disabled": False}
    return row


def rows(before: Sequence[Any], new: Sequence[Any]) -> list[Row]:
    """One row for a brokerage's stream, none for others."""
    if not isinstance(new[0], Brokerage.Event):
        return []
    row = reduce(step, new, reduce(step, before, None))
    return [] if row is None else [row]


BY_SLUG = "SELECT tenant_id, slug, name, plan, disabled FROM brokerages WHERE slug = %(slug)s"

DOMAINS = "SELECT domain FROM domains WHERE tenant_id = %(tenant)s"

ALL = "SELECT tenant_id, slug, name, plan, disabled FROM brokerages ORDER BY number"
