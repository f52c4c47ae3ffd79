"""What all letters of a brokerage need to know of it."""

from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from aureum.mail.letters import links
from aureum.mail.letters.recipients import STAFF, Member, staff_of

ABOUT = """
SELECT b.slug, b.domains, b.confirmations, b.reply_to, b.time_zone, b.disabled,
       ARRAY(SELECT s.domain FROM domains_seen s WHERE s.tenant_id = b.tenant_id)
  FROM brokerages b
 WHERE b.tenant_id = %(tenant)s
"""


class LetterSettings(NamedTuple):
    """Of the installation: where links lead, and how many confirmations a brokerage sends in an hour. ``local_url`` is
    where the demonstration is reached, at no domain."""

    base_domain: str | None = None
    public_url: str | None = None
    local_url: str | None = None
    confirmations_an_hour: int = 1_000


class About(NamedTuple):
    """The staff, where links begin, whether visitors get confirmations, and where replies to these go."""

    staff: dict[UUID, Member]
    link: str | None
    confirmations: bool
    reply_to: str | None
    time_zone: str


async def about_brokerage(
    connection: AsyncConnection[Any], tenant_id: UUID, settings: LetterSettings, host: str | None = None
) -> About | None:
    """What letters need to know of a brokerage; None for the platform, and for one that is disabled. Links begin
    with the brokerage's name below the base domain if a request has arrived at that *host*. Any other host is only
    what the request says: one that the brokerage has given up may belong to a stranger."""
    of = {"tenant": tenant_id}
    row = await (await connection.execute(ABOUT, of)).fetchone()
    if row is None or row[5]:
        return None
    slug, domains, confirmations, reply_to, time_zone, _, seen = row
    staff = staff_of(await (await connection.execute(STAFF, of)).fetchall())
    arrives = [domain for domain in domains if domain in seen or domain == links.LOCAL]
    if settings.base_domain is not None and host == f"{slug}.{settings.base_domain}":
        arrives = []
    begin = links.base(slug, arrives, settings.base_domain, settings.public_url, settings.local_url)
    return About(staff, begin, confirmations, reply_to, time_zone)
