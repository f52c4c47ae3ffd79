"""Which forms are confirmed to the visitor by mail.

Anyone can send a form, and type any address into it. So the limits here bound how many mails an address gets, and how
many a brokerage sends. The follower decides for a whole batch, in the transaction that holds its checkpoint: two
workers never decide for one brokerage at the same moment, and a decision that is rolled back is made again.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from psycopg import AsyncConnection

from aureum.domain.emails import one_form
from aureum.mail.letters.headers import usable
from aureum.store.cipher import TenantKey

log = structlog.get_logger()

LONGEST_NAME = 20

MOST_OF_MAILBOX = 3
"""In 24 hours, to what may be one mailbox: many providers leave out dots, and what follows a plus sign."""

LATELY = """
SELECT c.address, c.mailbox FROM confirmations c
 WHERE c.tenant_id = %(tenant)s AND c.mailbox = ANY (%(mailboxes)s) AND c.sent_at > now() - interval '24 hours'
"""

IN_THE_HOUR = """
SELECT count(*) FROM confirmations c
 WHERE c.tenant_id = %(tenant)s AND c.sent_at > now() - interval '1 hour'
"""

REMEMBER = """
INSERT INTO confirmations (tenant_id, address, mailbox, sent_at)
SELECT %(tenant)s, r.address, r.mailbox, now()
  FROM unnest(%(addresses)s::bytea[], %(mailboxes)s::bytea[]) AS r (address, mailbox)
ON CONFLICT (tenant_id, address) DO UPDATE SET sent_at = excluded.sent_at
"""


@dataclass(frozen=True, slots=True)
class Digests:
    """What stands for an address, and for all that may be the same mailbox."""

    address: bytes
    mailbox: bytes


async def confirmed(
    connection: AsyncConnection[Any], tenant_key: TenantKey, addresses: Sequence[str], most_an_hour: int
) -> list[str]:
    """Those of *addresses*, in their order, that get a confirmation now, each once; they are remembered as such."""
    asked: dict[Digests, str] = {}
    for address in filter(usable, addresses):
        asked.setdefault(digests_of(tenant_key, address), address)
    if not asked:
        return []
    about: dict[str, Any] = {"tenant": tenant_key.tenant_id, "mailboxes": [one.mailbox for one in asked]}
    lately = await (await connection.execute(LATELY, about)).fetchall()
    hour = await (await connection.execute(IN_THE_HOUR, about)).fetchone()
    assert hour is not None, "it counts"
    sent = {bytes(address) for address, _ in lately}
    room = max(0, most_an_hour - hour[0])
    of_mailbox = Counter(bytes(mailbox) for _, mailbox in lately)
    chosen: list[Digests] = []
    for one in asked:
        if one.address in sent or of_mailbox[one.mailbox] >= MOST_OF_MAILBOX:
            continue
        if len(chosen) == room:
            log.warning("confirmations_capped", tenant=str(tenant_key.tenant_id), most_an_hour=most_an_hour)
            break
        of_mailbox[one.mailbox] += 1
        chosen.append(one)
    about = {
        "tenant": tenant_key.tenant_id,
        "addresses": [one.address for one in chosen],
        "mailboxes": [one.mailbox for one in chosen],
    }
    await connection.execute(REMEMBER, about)
    return [asked[one] for one in chosen]


def digests_of(tenant_key: TenantKey, address: str) -> Digests:
    """The table holds no address, only these."""
    compared = one_form(address)
    local, _, domain = compared.rpartition("@")
    mailbox = f"{local.partition('+')[0].replace('.', '')}@{domain}"
    address_digest, mailbox_digest = (
        tenant_key.digest(b"confirmation", text.encode("utf-8", "replace")) for text in (compared, mailbox)
    )
    return Digests(address_digest, mailbox_digest)


def given_name(typed: str) -> str | None:
    """The first name in what a visitor *typed* into its field: one short word of letters. None for anything else,
    because it is all that a stranger can put into a mail of the brokerage."""
    name = unicodedata.normalize("NFC", (typed.split() or [""])[0])
    fits = name[:1].isalpha() and len(name) <= LONGEST_NAME
    return name if fits and all(unicodedata.category(one)[0] in "LM" for one in name) else None
