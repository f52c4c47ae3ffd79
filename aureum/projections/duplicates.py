"""Contacts of a brokerage that may be one person, found by the keys in their rows: address and name, address, phone,
name. Each list is read from the indexes of these keys, so it is as exact as the contacts.

A pair is found by the strongest key that it shares. A contact is paired only with the oldest that share its key, so
that an office's phone on a thousand contacts does not make half a million pairs. A contact that was merged into another
one stands for that one. Pairs that a user told apart are left out, and so are erased persons.
"""

from typing import NamedTuple
from uuid import UUID

KEYS = ("person", "email_key", "phone_key", "name_key")
"""The strongest first. ``person`` is the address and the name together."""

STRONGER = {
    "person": (),
    "email_key": ("person",),
    "phone_key": ("email_key",),
    "name_key": ("email_key", "phone_key"),
}
"""For each key the stronger keys. A pair that shares one of these was found by it already."""


class Place(NamedTuple):
    """Where a pair stands in the list: which of ``KEYS`` it shares, its value, and the two rows."""

    kind: int
    key: UUID
    newer: UUID
    older: UUID


BEGINNING = Place(0, UUID(int=0), UUID(int=0), UUID(int=0))

LIVE = "(SELECT h.contact_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)"

STANDS_FOR = "CASE WHEN x.merged_into IS NULL THEN x.contact_id ELSE x.merged_into END"
"""The contact that a row stands for. Not ``coalesce``, which PostgreSQL does not take for leakproof: beside row
security it would keep the index from being used."""

LIKE = """
SELECT DISTINCT ON (c.contact_id) c.contact_id, c.doc
  FROM ({by_keys}
  ) x
  JOIN contact_list c
    ON c.tenant_id = %(tenant)s AND c.read_version = {live} AND c.contact_id = {of_x}
 WHERE c.contact_id <> %(own)s
   AND NOT ARRAY[x.contact_id, c.contact_id] && %(distinct)s::uuid[]
   AND NOT %(own)s = ANY (x.distinct_from || c.distinct_from)
   AND EXISTS (SELECT FROM subject_keys k WHERE k.tenant_id = %(tenant)s AND k.subject_id = c.contact_id)
 ORDER BY c.contact_id
"""
"""The contacts that share a key with a person, without ``own``, which is that person's contact or lead, and without
``distinct``, from which it was told apart."""

BY_KEY = """
      (SELECT x.contact_id, x.merged_into, x.distinct_from FROM contact_list x
        WHERE x.tenant_id = %(tenant)s AND x.read_version = {live} AND x.{key} = ANY (%({key}s)s)
        ORDER BY x.contact_id LIMIT {most})"""

MOST = 50
"""How many contacts that share one key with a person are compared."""

DISTINCT_FROM = """
SELECT x.distinct_from FROM contact_list x
 WHERE x.tenant_id = %(tenant)s AND x.read_version = {live} AND x.contact_id = %(id)s
"""


def statement(template: str, **names: str) -> str:
    """*template* with these names, and the live version."""
    for place, name in (names | {"live": LIVE, "of_x": STANDS_FOR}).items():
        template = template.replace(f"{{{place}}}", name)
    return template


def pairs(key: str) -> dict[str, str]:
    """The placeholders of ``contact_pairs.sql``, for the function that finds pairs by this key."""
    return {"{key}": key, "{stronger}": "".join(f" AND (x.{one} = y.{one}) IS NOT TRUE" for one in STRONGER[key])}


PAIRS_BY = tuple(
    f"SELECT * FROM contact_pairs_{key}(%(tenant)s, %(key)s, %(newer)s, %(older)s, %(limit)s)"  # noqa: S608  # of constants
    for key in KEYS
)

ALIKE = statement(
    LIKE,
    by_keys=" UNION ALL".join(statement(BY_KEY, key=key, most=str(MOST)) for key in KEYS[1:]),
)

TOLD_APART = statement(DISTINCT_FROM)

BY_PERSON = """
SELECT l.doc FROM lead_list l
 WHERE l.tenant_id = %(tenant)s
   AND l.read_version = (SELECT h.lead_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
   AND l.person >= %(person)s AND l.person <= %(person)s
   AND (%(visible_to)s::uuid IS NULL OR l.assigned_to = %(visible_to)s OR l.created_by = %(visible_to)s)
   AND EXISTS (SELECT FROM subject_keys k WHERE k.tenant_id = l.tenant_id AND k.subject_id = l.lead_id)
 ORDER BY l.person DESC, l.lead_id DESC LIMIT %(limit)s
"""
"""The newest leads with this address and name. A range, though it is one value: see ``people.LEADS``."""

OF_ADDRESS = "SELECT ord, contact_id FROM contacts_of_address(%b::uuid[], %b::uuid[], %b::uuid[], %b::integer[])"
"""The contacts with an address, for all contacts that are created at the same moment: ``contacts_of_address.sql``."""

OF_WORDS = "SELECT lead_id, doc FROM leads_of_address(%(tenant)s, %(words)s, %(staff)s, %(limit)s)"
"""The newest leads in which words stand that an index finds: ``leads_of_address.sql``."""
