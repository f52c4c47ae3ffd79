"""What a brokerage's tables keep of persons besides the log: removed in the transaction in which their streams are
erased, and once more a little later, since requests that were under way may have written meanwhile.

``docs/how-to/erase-a-person.md`` says it table by table. Mails are removed by ``mail/queue/retention.py``, since files
may belong to them.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import orjson
from psycopg import AsyncConnection

from aureum.commands.importing.keeping import FORGET as FORGET_REFUSED
from aureum.commands.portal.addresses import client_address_of
from aureum.commands.portal.feeds import FORGET_FEEDS
from aureum.commands.portal.languages import FORGET_LANGUAGES
from aureum.commands.portal.opening import opens_any
from aureum.commands.portal.sessions import FORGET_MOVES, FORGET_SESSIONS, FORGET_SIGN_INS
from aureum.domain.ids import to_wire
from aureum.mail.letters.confirming import digests_of
from aureum.mail.queue.sealing import recipient_digest
from aureum.projections.document_list import DocumentList
from aureum.registry import LISTS
from aureum.store.blobs import ledger
from aureum.store.cipher import TenantKey
from aureum.webhooks.telling.reading import made_again

KEYS = "DELETE FROM subject_keys WHERE tenant_id = %(tenant)s AND subject_id = ANY (%(subjects)s)"

VERSIONS = """(
           SELECT v FROM generate_series(0, greatest(
               (SELECT h.{table}_version FROM heads h WHERE h.tenant_id = %(tenant)s),
               (SELECT max(r.read_version) FROM rebuilds r WHERE r.tenant_id = %(tenant)s AND r.read_model = '{table}')
           )) AS v
       )"""
"""All versions of a list that may have rows: the live one, and those that are being rebuilt or removed."""

ROWS = f"""
DELETE FROM {{table}}
 WHERE tenant_id = %(tenant)s AND {{id}} = ANY (%(subjects)s) AND read_version IN {VERSIONS}
"""  # noqa: S608  # of constants

SEARCHED = f"""
DELETE FROM searched_texts
 WHERE tenant_id = %(tenant)s AND list = '{{table}}' AND id = ANY (%(subjects)s) AND read_version IN {VERSIONS}
"""  # noqa: S608  # of constants

OTHERS = (
    "DELETE FROM recent_streams WHERE tenant_id = %(tenant)s AND stream_id = ANY (%(subjects)s)",
    "DELETE FROM timers WHERE tenant_id = %(tenant)s AND lead_id = ANY (%(subjects)s)",
    "DELETE FROM envelope_timers WHERE tenant_id = %(tenant)s AND envelope_id = ANY (%(subjects)s)",
    "DELETE FROM sealings WHERE tenant_id = %(tenant)s AND envelope_id = ANY (%(subjects)s)",
    # One that is still to be ended at DocuSign goes once it is.
    "DELETE FROM docusign_envelopes WHERE tenant_id = %(tenant)s AND envelope_id = ANY (%(subjects)s) "
    "AND (step IS DISTINCT FROM 'end' OR due_at IS NULL)",
    "DELETE FROM envelope_recipients WHERE tenant_id = %(tenant)s AND envelope_id = ANY (%(subjects)s)",
    "DELETE FROM digest_items WHERE tenant_id = %(tenant)s AND stream_id = ANY (%(subjects)s)",
    "DELETE FROM lead_facts WHERE tenant_id = %(tenant)s AND lead_id = ANY (%(subjects)s)",
    "DELETE FROM agenda WHERE tenant_id = %(tenant)s AND id = ANY (%(subjects)s)",
    "DELETE FROM routing_examples WHERE tenant_id = %(tenant)s AND lead_id = ANY (%(subjects)s)",
    ledger.FORGET,
    "DELETE FROM unsubscribe_tokens WHERE tenant_id = %(tenant)s AND subscriber_id = ANY (%(subjects)s)",
    """
UPDATE routing_rehearsal_leads SET erased = true, reason = NULL
 WHERE tenant_id = %(tenant)s AND stream_id = ANY (%(subjects)s)
""",
    """
UPDATE webhook_attempts a SET answer = ''
  FROM webhook_endpoints w, events e
 WHERE w.tenant_id = %(tenant)s AND e.tenant_id = %(tenant)s AND e.stream_id = ANY (%(subjects)s)
   AND a.tenant_id = %(tenant)s AND a.endpoint_id = w.endpoint_id AND a.position = e.position AND a.answer <> ''
""",
)
"""What an endpoint answered may repeat what it was sent."""

OF_CLIENTS = (FORGET_SIGN_INS, FORGET_MOVES, FORGET_SESSIONS, FORGET_FEEDS, FORGET_LANGUAGES)
"""What the portal keeps of an address."""

OF_ADDRESSES = (
    "DELETE FROM confirmations WHERE tenant_id = %(tenant)s AND address = ANY (%(confirmed)s)",
    "DELETE FROM mail_bounces WHERE tenant_id = %(tenant)s AND recipient = ANY (%(recipients)s)",
    *OF_CLIENTS,
)

MESSAGES = """
SELECT m.position FROM webhook_messages m
  JOIN events e ON e.tenant_id = m.tenant_id AND e.position = m.position
 WHERE e.tenant_id = %(tenant)s AND e.stream_id = ANY (%(subjects)s)
"""

REWRITE = """
UPDATE webhook_messages m SET body = n.body
  FROM unnest(%(positions)s::bigint[], %(bodies)s::bytea[]) AS n (position, body)
 WHERE m.tenant_id = %(tenant)s AND m.position = n.position
"""

ANSWERS = """
SELECT key, answer FROM idempotency_keys
 WHERE tenant_id = %(tenant)s AND key > %(after)s
 ORDER BY key LIMIT %(limit)s
"""

FORGET_ANSWERS = "DELETE FROM idempotency_keys WHERE tenant_id = %(tenant)s AND key = ANY (%(keys)s)"

FILES = "SELECT import_id, shown FROM imports WHERE tenant_id = %(tenant)s AND ended_at IS NOT NULL"

FORGET_ROWS = "UPDATE imports SET shown = %(shown)s WHERE tenant_id = %(tenant)s AND import_id = %(import)s"

ANSWERS_AT_ONCE = 1_000

SHORTEST_TERM = 4


async def forget(
    connection: AsyncConnection[Any],
    tenant_key: TenantKey,
    subjects: Sequence[UUID],
    addresses: Iterable[str] = (),
    texts: Iterable[str] = (),
) -> None:
    """Remove what is kept of the *subjects*, in the transaction of *connection*, which is the owner's. *addresses* are
    the person's, *texts* what answers that were remembered may have of it, besides ids."""
    known = list(addresses)
    about: dict[str, Any] = {
        "tenant": tenant_key.tenant_id,
        "subjects": list(subjects),
        "confirmed": [digests_of(tenant_key, one).address for one in known],
        "recipients": [recipient_digest(tenant_key, one) for one in known],
        "clients": [client_address_of(tenant_key, one).key for one in known],
    }
    for statement in statements():
        await connection.execute(statement, about)
    await rewrite_messages(connection, tenant_key, about)
    await forget_files(connection, tenant_key)
    terms = [*map(to_wire, subjects), *known, *texts]
    await forget_answers(connection, tenant_key, [one for one in terms if len(one) >= SHORTEST_TERM])


async def forget_clients(connection: AsyncConnection[Any], tenant_key: TenantKey, addresses: Iterable[str]) -> None:
    """Remove what the portal keeps of those *addresses* that open nothing there any more, in the transaction of
    *connection*."""
    clients = [client_address_of(tenant_key, one) for one in addresses]
    closed = [one.key for one in clients if not await opens_any(connection, tenant_key.tenant_id, one)]
    if closed:
        for statement in OF_CLIENTS:
            await connection.execute(statement, {"tenant": tenant_key.tenant_id, "clients": closed})


def statements() -> Iterable[str]:
    """All that need nothing but ids and digests."""
    yield KEYS
    for model in LISTS:
        yield from of_list(model)
    yield from OTHERS
    yield from OF_ADDRESSES


def of_list(model: DocumentList) -> Iterable[str]:
    """Those of one list."""
    yield model.statement(ROWS)
    if model.searched:
        yield model.statement(SEARCHED)


async def rewrite_messages(connection: AsyncConnection[Any], tenant_key: TenantKey, about: dict[str, Any]) -> None:
    """Write what endpoints are told of the subjects as it can be made of the log now. A delivery that is still due
    needs its message, so none is removed."""
    kept = {position for (position,) in await (await connection.execute(MESSAGES, about)).fetchall()}
    if not kept:
        return
    made = await made_again(connection, tenant_key, about["subjects"], min(kept) - 1, max(kept))
    bodies = {message.position: message.body for message in made}
    await connection.execute(
        REWRITE, about | {"positions": list(kept), "bodies": [bodies.get(position, b"{}") for position in kept]}
    )


async def forget_files(connection: AsyncConnection[Any], tenant_key: TenantKey) -> None:
    """Forget what is kept of imported files, which may name the person: the rows that were refused, and the first rows
    of each. A file that is still to be imported goes once it is."""
    about = {"tenant": tenant_key.tenant_id}
    await connection.execute(FORGET_REFUSED, about)
    rows = await (await connection.execute(FILES, about, binary=True)).fetchall()
    for import_id, sealed in rows:
        shown = orjson.loads(tenant_key.open_import(sealed, import_id, b"shown")) | {"samples": []}
        again = tenant_key.seal_import(orjson.dumps(shown), import_id, b"shown")
        await connection.execute(FORGET_ROWS, about | {"import": import_id, "shown": again})


async def forget_answers(connection: AsyncConnection[Any], tenant_key: TenantKey, terms: Sequence[str]) -> None:
    """Forget the remembered answers in which one of *terms* stands. They are sealed with the brokerage's key, so each
    is opened."""
    wanted = [one.lower().encode("utf-8", "replace") for one in terms]
    after = b""
    while True:
        page = {"tenant": tenant_key.tenant_id, "after": after, "limit": ANSWERS_AT_ONCE}
        rows = await (await connection.execute(ANSWERS, page, binary=True)).fetchall()
        named = [key for key, sealed in rows if has_any(tenant_key.open_answer(sealed, key), wanted)]
        if named:
            await connection.execute(FORGET_ANSWERS, {"tenant": tenant_key.tenant_id, "keys": named})
        if len(rows) < ANSWERS_AT_ONCE:
            return
        after = rows[-1][0]


def has_any(answer: bytes, wanted: Sequence[bytes]) -> bool:
    """Whether one of *wanted* stands in it, in any case."""
    small = answer.decode("utf-8", "replace").lower().encode()
    return any(one in small for one in wanted)
