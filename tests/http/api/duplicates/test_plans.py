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
    [contact_list.LIST.one, contact_list.ANSWERING, duplicates.ALIKE, duplicates.TOLD_APART],
    ids=["one", "answering", "alike", "told_apart"],
)
def test_no_statement_reads_all_contacts(served_url: str, operator: Operator, statement: str) -> None:
    tenant = operator.brokerage()
    parameters = {
        **{"tenant": tenant.id, "id": NOTHING, "own": NOTHING, "distinct": []},
        **{"email_keys": [NOTHING], "phone_keys": [NOTHING], "name_keys": [NOTHING]},
    }
    with psycopg.connect(served_url) as connection:
        connection.execute(FILL, {"tenant": tenant.id, "contacts": CONTACTS})
        connection.execute("ANALYZE contact_list")
        connection.execute("SET LOCAL ROLE aureum_service")
        connection.execute("SELECT set_config('aureum.tenant_id', %(tenant)s, true)", {"tenant": str(tenant.id)})
        plan = connection.execute(f"EXPLAIN {statement}".encode(), parameters).fetchall()
        connection.rollback()
    lines = [line for (line,) in plan]
    assert not [line for line in lines if "Seq Scan on contact_list" in line], "\n".join(lines)
