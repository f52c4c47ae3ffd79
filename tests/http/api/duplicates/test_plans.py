"""Contacts are found by their indexes, also beside row security, however many there are."""

from uuid import UUID

import psycopg
import pytest

from aureum.projections import contact_list, duplicates
from tests.http.operator import Operator

CONTACTS = 3_000

FILL = """
INSERT INTO contact_list (tenant_id, read_version, contact_id, stream_version, type, tags, updated_at, doc,
                          distinct_from, search, person, email_key, phone_key, name_key)
SELECT h.tenant_id, h.contact_list_version, gen_random_uuid(), 1, 'BUYER', '{}', now(), repeat('x', 400), '{}', '',
       gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid()
  FROM heads h, generate_series(1, %(contacts)s)
 WHERE h.tenant_id = %(tenant)s
"""
NOTHING = UUID(int=0)


@pytest.mark.parametrize(
    "statement",
    [contact_list.LIST.one, contact_list.ANSWERING, duplicates.ALIKE, duplicates.TOLD_APART, *duplicates.PAIRS_BY],
    ids=["one", "answering", "alike", "told_apart", *duplicates.KEYS],
)
def test_no_statement_reads_all_contacts(served_url: str, operator: Operator, statement: str) -> None:
    tenant = operator.brokerage()
    parameters = {
        **{"tenant": tenant.id, "id": NOTHING, "own": NOTHING, "distinct": []},
        **{"email_keys": [NOTHING], "phone_keys": [NOTHING], "name_keys": [NOTHING]},
        **{"key": NOTHING, "newer": NOTHING, "older": NOTHING, "limit": 51},
    }
    with psycopg.connect(served_url) as connection:
        connection.execute(FILL, {"tenant": tenant.id, "contacts": CONTACTS})
        connection.execute("ANALYZE contact_list")
        connection.execute("SET LOCAL ROLE aureum_service")
        connection.execute("SELECT set_config('aureum.tenant_id', %(tenant)s, true)", {"tenant": str(tenant.id)})
        plan = connection.execute(f"EXPLAIN {statement}".encode(), parameters).fetchall()
        connection.rollback()
    lines = [line for (line,) in plan]
    # Keys may be grouped by a scan of all, once, where the table was not vacuumed yet. Nothing is looked up so.
    scans = [line for line in lines if "Seq Scan on contact_list" in line and "contact_list c " not in line]
    assert not scans, "\n".join(lines)
