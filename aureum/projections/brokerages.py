"""The directory of brokerages and their domains: how a request's Host, or a slug, finds its tenant."""

from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from typing import Any, NamedTuple
from uuid import UUID

from aureum.domain.brokerage import Brokerage

NAME = "brokerages"
EVENTS: type = Brokerage.Event
TAKEN = {
    "brokerages": "This slug is already taken by another brokerage. Choose another one.",
    "domains": "This domain already belongs to a brokerage. A domain can belong to only one brokerage.",
}

APPEND = """
WITH r AS (
    SELECT r.* FROM json_to_recordset(rows) AS r (
               item integer, tenant_id uuid, number bigint, slug text, name text, plan text, time_zone text,
               country text, public_lead_count boolean, disabled boolean, opened_at timestamptz, domains text[],
               stream_version integer, routing jsonb, confirmations boolean, reply_to text,
               color text, logo text, logo_media text, erase_lost_after_months integer)
     WHERE tenants[r.item] IS NOT NULL
), opened AS (
    INSERT INTO heads AS h (tenant_id) SELECT tenant_id FROM r
    ON CONFLICT (tenant_id) DO UPDATE SET directory_version = h.directory_version + 1
), gone AS (
    DELETE FROM domains k USING r WHERE k.tenant_id = r.tenant_id AND k.domain <> ALL (r.domains)
), named AS (
    INSERT INTO domains (domain, tenant_id)
    SELECT d.domain, r.tenant_id FROM r CROSS JOIN LATERAL unnest(r.domains) AS d (domain)
     WHERE NOT EXISTS (SELECT FROM domains k WHERE k.domain = d.domain AND k.tenant_id = r.tenant_id)
), ended AS (
    DELETE FROM portal_sessions s USING r WHERE s.tenant_id = r.tenant_id AND (r.disabled OR r.plan = 'Starter')
)
INSERT INTO brokerages (tenant_id, number, slug, name, plan, time_zone, country, public_lead_count, disabled, opened_at,
                        domains, stream_version, routing, confirmations, reply_to, color, logo, logo_media,
                        erase_lost_after_months)
SELECT tenant_id, number, slug, name, plan, time_zone, country, public_lead_count, disabled, opened_at,
       domains, stream_version, routing, coalesce(confirmations, true), reply_to, color, logo, logo_media,
       erase_lost_after_months
  FROM r
ON CONFLICT (tenant_id) DO UPDATE SET
       name = excluded.name, plan = excluded.plan, time_zone = excluded.time_zone, country = excluded.country,
       public_lead_count = excluded.public_lead_count, disabled = excluded.disabled, domains = excluded.domains,
       stream_version = excluded.stream_version, routing = excluded.routing,
       confirmations = excluded.confirmations, reply_to = excluded.reply_to,
       color = excluded.color, logo = excluded.logo, logo_media = excluded.logo_media,
       erase_lost_after_months = excluded.erase_lost_after_months
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
                "stream_version": event.originator_version,
                "routing": None,
                "confirmations": True,
                "reply_to": None,
                "color": None,
                "logo": None,
                "logo_media": None,
                "erase_lost_after_months": None,
            }
        case Brokerage.Event() if row is not None:
            return row | {"stream_version": event.originator_version} | changed(event)
    return row


def changed(event: Brokerage.Event) -> Row:
    """The columns that *event* sets."""
    match event:
        case Brokerage.PlanChanged():
            return {"plan": event.plan}
        case Brokerage.Renamed():
            return {"name": event.name}
        case Brokerage.DomainsChanged():
            return {"domains": event.domains}
        case Brokerage.SettingsChanged():
            return event.changes
        case Brokerage.LogoChanged():
            return {"logo": event.logo, "logo_media": event.media}
        case Brokerage.RoutingChanged():
            return {"routing": event.settings}
        case Brokerage.Disabled():
            return {"disabled": True}
        case Brokerage.Enabled():
            return {"disabled": False}
    return {}


def rows(before: Sequence[Any], new: Sequence[Any]) -> list[Row]:
    """One row for a brokerage's stream, none for others."""
    if not isinstance(new[0], Brokerage.Event):
        return []
    row = reduce(step, new, reduce(step, before, None))
    return [] if row is None else [row]


BY_SLUG = "SELECT tenant_id, slug, name, plan, disabled FROM brokerages WHERE slug = %(slug)s"

SITE = "SELECT name, routing, time_zone, color, logo FROM brokerages WHERE tenant_id = %(tenant)s"

DOMAINS = "SELECT domain FROM domains WHERE tenant_id = %(tenant)s"

ALL = "SELECT tenant_id, slug, name, plan, disabled, number, domains FROM brokerages ORDER BY number"


class BrokerageRow(NamedTuple):
    """A brokerage as the table has it."""

    tenant_id: UUID
    stream_version: int
    number: int
    slug: str
    name: str
    domains: Sequence[str]
    plan: str
    time_zone: str
    country: str
    public_lead_count: bool
    disabled: bool
    opened_at: datetime
    confirmations: bool
    reply_to: str | None
    color: str | None
    logo: str | None
    erase_lost_after_months: int | None


SHOWN = """
SELECT tenant_id, stream_version, number, slug, name, domains, plan, time_zone, country, public_lead_count, disabled,
       opened_at, confirmations, reply_to, color, logo, erase_lost_after_months
  FROM brokerages
"""

PAGE = SHOWN + " ORDER BY number DESC LIMIT %(limit)s OFFSET %(skipped)s"

COUNT = "SELECT count(*) FROM brokerages"

OF_NUMBER = SHOWN + " WHERE number = %(number)s"

POSITION = "SELECT position FROM heads WHERE tenant_id = %(tenant)s"
"""How far a tenant's log has come: with it, the gate has told of the caller's own only."""

NAMED = "SELECT number, slug, name, plan, time_zone FROM brokerages WHERE tenant_id = %(tenant)s"

ROUTING = "SELECT stream_version, routing FROM brokerages WHERE tenant_id = %(tenant)s"
"""NULL while the brokerage has never chosen anything."""

ROUTED_BY = "SELECT routing, time_zone FROM brokerages WHERE tenant_id = %(tenant)s"

ZONE = "SELECT time_zone FROM brokerages WHERE tenant_id = %(tenant)s"

NAMES = """
SELECT b.name, b.slug, ARRAY(SELECT d.domain FROM domains d WHERE d.tenant_id = b.tenant_id)
  FROM brokerages b
 WHERE b.tenant_id = %(tenant)s
"""
"""What everyone may know a brokerage by."""

LOGO = """
SELECT b.logo, b.logo_media, l.image
  FROM brokerages b
  JOIN brokerage_logos l ON l.tenant_id = b.tenant_id AND l.digest = b.logo
 WHERE b.tenant_id = %(tenant)s
"""
"""The picture that a brokerage shows, if any."""
