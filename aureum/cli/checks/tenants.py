"""Checks of what brokerages have: logins and subscribers, the Hosts that lead to them, read models, webhooks."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aureum.cli.checks.check import Doctor, Finding

LOGINS = """
SELECT b.slug, u.number, coalesce(u.shown_email, u.email), u.disabled
  FROM users u
  LEFT JOIN brokerages b ON b.tenant_id = u.tenant_id
 ORDER BY u.number
"""
SAME_LOGIN = (
    "The logins {logins} are spellings of one email address. Each works as it was created. "
    "Disable all but one: aureum user disable."
)
SAME_SUBSCRIBER = (
    "The newsletter of {slug} had the subscribers {emails}, which are spellings of one email address. They are one "
    "subscriber now, unsubscribed if one of them was. Nothing needs to be done."
)

HOSTS = """
SELECT d.domain, b.slug FROM domains d JOIN brokerages b ON b.tenant_id = d.tenant_id ORDER BY b.number, d.domain
"""
WITHOUT_HOST = "SELECT slug FROM brokerages WHERE domains = '{}' AND NOT disabled ORDER BY number"
NO_HOST = (
    "No Host leads to the brokerage {slug}: it has no domain, and AUREUM_BASE_DOMAIN is not set. Its forms cannot be "
    "reached. A platform admin adds a domain, in the panel or with PATCH /api/v1/admin/brokerages/{{id}}."
)

INTERRUPTED = """
SELECT b.slug, r.read_model
  FROM rebuilds r
  JOIN brokerages b ON b.tenant_id = r.tenant_id
 WHERE r.owner IS NOT NULL AND r.lease_until < now()
 ORDER BY b.number, r.read_model
"""
REBUILD = "A rebuild of {model} of {slug} was interrupted. Run: aureum projections rebuild {model} --brokerage {slug}"

MISCOUNTED = """
SELECT b.slug
  FROM brokerages b
  JOIN heads h ON h.tenant_id = b.tenant_id
 WHERE (SELECT count(*) FROM lead_list l
         WHERE l.tenant_id = h.tenant_id AND l.read_version = h.lead_list_version)
       <> (SELECT coalesce(sum(c.leads), 0) FROM lead_counts c
            WHERE c.tenant_id = h.tenant_id AND c.read_version = h.lead_counts_version)
 ORDER BY b.number
"""
DIFFERS = (
    "The list and the counts of the leads of {slug} differ. Run: "
    "aureum projections rebuild lead_list lead_counts --brokerage {slug}"
)

DISABLED = """
SELECT b.slug, w.endpoint_id, w.host, w.disabled, w.disabled_at
  FROM webhook_endpoints w
  JOIN brokerages b ON b.tenant_id = w.tenant_id
 WHERE w.disabled IS NOT NULL AND w.disabled <> 'staff' AND NOT w.removed
 ORDER BY b.number, w.disabled_at
"""
WAS_DISABLED = (
    "The webhook {id} of {slug} to {host} has been disabled since {at}: {reason}. Once its receiver works: "
    "aureum webhook enable {id} --brokerage {slug}"
)

PARKED = """
SELECT b.slug, count(*) FROM webhook_parked p JOIN brokerages b ON b.tenant_id = p.tenant_id GROUP BY b.slug ORDER BY 1
"""
NOT_TOLD = (
    "{count} events of {slug} could not be read, so no webhook told of them. Once the cause is mended: "
    "aureum webhook retry-parked --brokerage {slug}"
)

LATE_SECONDS = 60
UNTOLD = """
SELECT max(extract(epoch FROM now() - e.recorded_at))::float8
  FROM (SELECT DISTINCT tenant_id FROM webhook_endpoints WHERE NOT removed) AS w
  JOIN brokerages b ON b.tenant_id = w.tenant_id AND NOT b.disabled AND b.plan = ANY (%(plans)s)
 CROSS JOIN LATERAL (
           SELECT coalesce(
                      (SELECT c.position FROM checkpoints c
                        WHERE c.tenant_id = w.tenant_id AND c.consumer = 'webhooks'),
                      (SELECT min(r.position) - 1
                         FROM webhook_endpoints o
                         JOIN events r ON r.tenant_id = o.tenant_id AND r.stream_id = o.endpoint_id AND r.version = 1
                        WHERE o.tenant_id = w.tenant_id AND NOT o.removed)
                  ) AS position
       ) AS reached
  JOIN events e ON e.tenant_id = w.tenant_id AND e.position = reached.position + 1
"""
"""How long the oldest event waits of which no message has been made, in seconds."""
NO_WORKER = (
    "Webhooks have waited for {minutes} minutes. Either no worker runs, or it cannot keep up: 'aureum serve' has one "
    "unless it is told --no-worker, and 'aureum worker' is one."
)


async def logins(doctor: Doctor) -> AsyncIterator[Finding]:
    """Logins whose e-mail addresses are one, and that are not disabled."""
    from aureum.domain.emails import one_form

    same: dict[str, list[tuple[str | None, int, str]]] = {}
    for slug, number, email, disabled in await doctor.store.database.rows(LOGINS):
        if not disabled:
            same.setdefault(one_form(email), []).append((slug, number, email))
    for address, found in same.items():
        if len(found) > 1:
            named = " and ".join(f"{email} (user {number})" for _, number, email in found)
            about = [{"brokerage": slug, "number": number, "email": email} for slug, number, email in found]
            yield Finding("logins", SAME_LOGIN.format(logins=named), {"address": address, "logins": about})


async def subscribers(doctor: Doctor) -> AsyncIterator[Finding]:
    """Subscribers that an upgrade made one of."""
    from aureum.projections import subscriber_list

    for slug, into, emails in await doctor.store.database.rows(subscriber_list.MERGED):
        text = SAME_SUBSCRIBER.format(emails=" and ".join(emails), slug=slug)
        yield Finding("subscribers", text, {"brokerage": slug, "id": into, "emails": emails}, decide=False)


async def hosts(doctor: Doctor) -> AsyncIterator[Finding]:
    """Which Host leads to which brokerage, and to which none; to be told: a brokerage may have no forms."""
    if doctor.settings.base_domain is None:
        for (slug,) in await doctor.store.database.rows(WITHOUT_HOST):
            yield Finding("hosts", NO_HOST.format(slug=slug), {"host": None, "brokerage": slug}, decide=False)
    for host, slug in await doctor.store.database.rows(HOSTS):
        yield Finding("hosts", f"{host} leads to {slug}.", {"host": host, "brokerage": slug}, decide=False)


async def read_models(doctor: Doctor) -> AsyncIterator[Finding]:
    """What a rebuild would mend."""
    rows = doctor.store.database.rows
    for slug, model in await rows(INTERRUPTED):
        yield Finding("read models", REBUILD.format(model=model, slug=slug), {"brokerage": slug, "name": model})
    for slug, *_ in await rows(MISCOUNTED):
        yield Finding("read models", DIFFERS.format(slug=slug), {"brokerage": slug, "name": "lead_counts"})


async def webhooks(doctor: Doctor) -> AsyncIterator[Finding]:
    """Endpoints that were disabled because they failed, events that could not be sent, and whether a worker
    delivers."""
    from aureum.domain.ids import aureum_time, to_wire
    from aureum.webhooks.queue.lanes import PLANS_WITH_WEBHOOKS
    from aureum.webhooks.queue.observing import observe

    database = doctor.store.database
    for slug, endpoint_id, host, reason, at in await database.rows(DISABLED):
        webhook_id = to_wire(endpoint_id)
        text = WAS_DISABLED.format(id=webhook_id, slug=slug, host=host, at=aureum_time(at), reason=reason)
        yield Finding("webhooks", text, {"brokerage": slug, "id": webhook_id, "reason": reason})
    for slug, count in await database.rows(PARKED):
        yield Finding("webhooks", NOT_TOLD.format(count=count, slug=slug), {"brokerage": slug, "events": count})
    ((untold,),) = await database.rows(UNTOLD, {"plans": PLANS_WITH_WEBHOOKS})
    late = max((await observe(database)).oldest_due.values(), default=0.0)
    waits = max(late, untold or 0.0)
    if waits > LATE_SECONDS:
        yield Finding("worker", NO_WORKER.format(minutes=round(waits / 60)), {"seconds": round(waits)})
