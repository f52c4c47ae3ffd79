"""Letters to users about their own accounts: invitations, links for a password that was forgotten, and news that a
password was changed.

The token of a link is made here, in the transaction that queues its mail. So it exists in the sealed mail and, as a
hash, in ``password_links``, and nowhere else.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from aureum.commands.api_keys import hash_key
from aureum.commands.password_links import INVITATION_DAYS
from aureum.domain.ids import PLATFORM, to_wire
from aureum.mail.letter import Letter
from aureum.mail.letters import links
from aureum.mail.letters.about import LetterSettings, about_brokerage
from aureum.mail.letters.occasions import Invited, OfAccount
from aureum.mail.letters.recipients import STAFF, Member, letter_to, staff_of
from aureum.store.postgres.database import Database

INVITATION = timedelta(days=INVITATION_DAYS)
RESET = timedelta(hours=1)

MOST_RESETS = 3
"""Links for a forgotten password that a user has at the same time: at most so many mails come in an hour, however often
a link is asked for."""

INVITED_AT = "SELECT invited_at FROM users WHERE tenant_id = %(tenant)s AND user_id = %(user)s"

FORGET_INVITATIONS = """
DELETE FROM password_links WHERE tenant_id = %(tenant)s AND user_id = %(user)s AND purpose = 'invitation'
"""

ADD_LINK = """
INSERT INTO password_links (token_hash, tenant_id, user_id, purpose, expires_at)
VALUES (%(hash)s, %(tenant)s, %(user)s, %(purpose)s, %(until)s)
"""

RESETS = """
SELECT count(*) FROM password_links
 WHERE tenant_id = %(tenant)s AND user_id = %(user)s AND purpose = 'reset' AND expires_at > now()
"""

ASKED = "SELECT number, tenant_id FROM reset_requests ORDER BY number LIMIT 100"

FORGET_OF_NOBODY = "DELETE FROM reset_requests WHERE tenant_id IS NULL AND number <= %(number)s"

TAKE = "DELETE FROM reset_requests WHERE number = %(number)s RETURNING user_id, asked_at"


class Asked(NamedTuple):
    """A request for a link by a user of this tenant."""

    number: int
    tenant_id: UUID


class AboutStaff(NamedTuple):
    """The users who can get letters, by their ids, and what links begin with."""

    staff: dict[UUID, Member]
    link: str | None


async def about_staff(connection: AsyncConnection[Any], tenant_id: UUID, settings: LetterSettings) -> AboutStaff | None:
    """The staff of a brokerage, or of the platform; None for a brokerage that is disabled."""
    if tenant_id != PLATFORM:
        about = await about_brokerage(connection, tenant_id, settings)
        return None if about is None else AboutStaff(about.staff, about.link)
    rows = await (await connection.execute(STAFF, {"tenant": tenant_id})).fetchall()
    url = settings.public_url or settings.local_url
    return AboutStaff(staff_of(rows), None if url is None else url.rstrip("/"))


async def account_letters(
    connection: AsyncConnection[Any], tenant_id: UUID, occasions: Sequence[OfAccount], settings: LetterSettings
) -> list[Letter]:
    """The letters of *occasions*, whose links are stored in the transaction of *connection*."""
    about = await about_staff(connection, tenant_id, settings) if occasions else None
    letters = []
    for one in occasions if about is not None else ():
        assert about is not None
        member = about.staff.get(one.user_id)
        if member is None:
            continue
        if isinstance(one, Invited):
            letters += await invitation(connection, tenant_id, one, member, about)
        else:
            link = links.page(about.link, "forgotten")
            letters.append(letter_to(member, "password_changed", {"link": link}, one.position))
    return letters


async def invitation(
    connection: AsyncConnection[Any], tenant_id: UUID, one: Invited, member: Member, about: AboutStaff
) -> list[Letter]:
    """The letter of an invitation, unless it was replaced, cancelled or followed since."""
    of = {"tenant": tenant_id, "user": one.user_id}
    row = await (await connection.execute(INVITED_AT, of)).fetchone()
    if row is None or row[0] != one.at:
        return []
    await connection.execute(FORGET_INVITATIONS, of)
    fields = {
        "by": next((other.name for other in about.staff.values() if to_wire(other.user_id) == one.by), None),
        "days": INVITATION.days,
        "link": await new_link(connection, tenant_id, one.user_id, "invitation", one.at + INVITATION, about.link),
    }
    letter = letter_to(member, "invitation", fields, one.position)
    return [Letter(letter.kind, letter.recipient, None, one.language, letter.fields, letter.position)]


async def resets_asked(database: Database) -> list[Asked]:
    """Requests for links that are to be sent; those for addresses without a user are removed. Raises Unavailable."""
    rows = await database.rows(ASKED)
    if any(tenant_id is None for _, tenant_id in rows):
        await database.rows(FORGET_OF_NOBODY + " RETURNING 1", {"number": rows[-1][0]})
    return [Asked(number, tenant_id) for number, tenant_id in rows if tenant_id is not None]


async def reset(connection: AsyncConnection[Any], asked: Asked, settings: LetterSettings) -> list[Letter]:
    """The letter with the link, in a transaction of *connection* that takes the request: two workers send one."""
    taken = await (await connection.execute(TAKE, {"number": asked.number})).fetchone()
    about = None if taken is None else await about_staff(connection, asked.tenant_id, settings)
    if taken is None or about is None or taken[0] not in about.staff:
        return []
    user_id, asked_at = taken
    counted = await (await connection.execute(RESETS, {"tenant": asked.tenant_id, "user": user_id})).fetchone()
    assert counted is not None, "it counts"
    if counted[0] >= MOST_RESETS:
        return []
    link = await new_link(connection, asked.tenant_id, user_id, "reset", asked_at + RESET, about.link)
    fields = {"hours": round(RESET / timedelta(hours=1)), "link": link}
    # No event makes it, and each request is a letter of its own: positions of events are above zero.
    return [letter_to(about.staff[user_id], "password_reset", fields, -asked.number)]


async def new_link(
    connection: AsyncConnection[Any], tenant_id: UUID, user_id: UUID, purpose: str, until: datetime, begin: str | None
) -> str | None:
    """A link with a token of its own, stored as a hash; None if it is not known where links lead."""
    if begin is None:
        return None
    token = secrets.token_urlsafe(32)
    about = {"hash": hash_key(token), "tenant": tenant_id, "user": user_id, "purpose": purpose, "until": until}
    await connection.execute(ADD_LINK, about)
    return links.to_choose_password(begin, token)
