"""A page of what is rare is found by an index: with any filter, not all of the brokerage's rows are read."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import Connection

from aureum.projections import contact_list, lead_list, property_list, task_list, tour_list
from aureum.projections.document_list import ABOVE_ALL

TENANT, AGENT = uuid4(), uuid4()
MANY, RARE = 4_000, 5

HEAD = "INSERT INTO heads (tenant_id, position) VALUES (%(tenant)s, 0) ON CONFLICT DO NOTHING"

# Every id grows with i, and the rare rows are the oldest: reading on from the newest finds them last.
ROWS = """
INSERT INTO {table} (tenant_id, read_version, {id}, stream_version, updated_at, doc, {columns})
SELECT %(tenant)s, 1, lpad(to_hex(i), 32, '0')::uuid, 1,
       CASE WHEN rare THEN timestamptz '2026-01-01' ELSE timestamptz '2025-01-01' END, '{{}}', {values}
  FROM (SELECT i, i <= %(rare)s AS rare FROM generate_series(1, %(many)s) i) r
"""

CREATOR = "CASE WHEN rare THEN %(agent)s::uuid END"
ASSIGNED = "CASE WHEN rare THEN %(agent)s::uuid ELSE gen_random_uuid() END"

TABLES = {
    "lead_list": (
        "lead_id",
        {"number": "i", "status": "CASE WHEN rare THEN 'lost' ELSE 'new' END", "source": "'api'", "created_by": CREATOR}
        | {"assigned_to": ASSIGNED},
    ),
    "property_list": (
        "property_id",
        {"slug": "i::text", "status": "CASE WHEN rare THEN 'SOLD' ELSE 'ACTIVE' END", "is_featured": "rare"}
        | {"mls": "''"},
    ),
    "contact_list": (
        "contact_id",
        {"type": "CASE WHEN rare THEN 'VENDOR' ELSE 'BUYER' END", "search": "''", "found_by": "''"},
    ),
    "task_list": (
        "task_id",
        {
            "status": "CASE WHEN rare THEN 'completed' ELSE 'pending' END",
            "assigned_to": ASSIGNED,
            "created_by": CREATOR,
        },
    ),
    "tour_list": (
        "tour_id",
        {"number": "i", "status": "CASE WHEN rare THEN 'cancelled' ELSE 'pending' END", "leads_doc": "'{{}}'"}
        | {"listing_id": "CASE WHEN rare THEN 'rare' ELSE 'many' END", "assigned_to": ASSIGNED, "created_by": CREATOR},
    ),
}

READ = """
SELECT coalesce(sum(idx_tup_fetch + seq_tup_read), 0) FROM pg_stat_xact_user_tables WHERE relname = %(table)s
"""


@pytest.fixture(scope="module")
def filled(module_database_url: str) -> Iterator[Connection[Any]]:
    """A brokerage with many rows in each list, of which a few are rare."""
    given = {"tenant": TENANT, "agent": AGENT, "many": MANY, "rare": RARE}
    with psycopg.connect(module_database_url, autocommit=True) as connection:
        connection.execute(HEAD, given)
        for table, (key, columns) in TABLES.items():
            names = {"table": table, "id": key, "columns": ", ".join(columns), "values": ", ".join(columns.values())}
            connection.execute(ROWS.format(**names).encode(), given)
            connection.execute(f"VACUUM ANALYZE {table}".encode())
        yield connection


@pytest.mark.parametrize(
    ("table", "page", "filters"),
    [
        ("lead_list", lead_list.PAGE, {"status": "lost"}),
        ("lead_list", lead_list.PAGE, {"assigned_to": AGENT}),
        ("lead_list", lead_list.PAGE, {"sees": AGENT}),
        ("property_list", property_list.PAGE, {"status": "SOLD"}),
        ("contact_list", contact_list.PAGE, {"type": "VENDOR"}),
        ("contact_list", contact_list.PAGE, {"updated_since": "2025-06-01"}),
        ("task_list", task_list.PAGE, {"status": "completed"}),
        ("task_list", task_list.PAGE, {"assigned_to": AGENT}),
        ("task_list", task_list.PAGE, {"sees": AGENT}),
        ("tour_list", tour_list.PAGE, {"assigned_to": AGENT}),
        ("tour_list", tour_list.LEADS_PAGE, {"status": "cancelled"}),
        ("tour_list", tour_list.LEADS_PAGE, {"listing_id": "rare"}),
        ("tour_list", tour_list.LEADS_PAGE, {"updated_since": "2025-06-01"}),
        ("tour_list", tour_list.LEADS_PAGE, {"sees": AGENT}),
    ],
)
def test_what_is_rare_is_found_by_an_index(
    filled: Connection[Any], table: str, page: str, filters: dict[str, str | UUID]
) -> None:
    wanted = dict.fromkeys(re.findall(r"%\((\w+)\)s", page))
    wanted |= {"tenant": TENANT, "before": ABOVE_ALL, "limit": 50}
    with filled.transaction():
        # As a chunk of the whole list would be read before.
        assert filled.execute(page.encode(), wanted).fetchall()[0][2] == 51
        before = filled.execute(READ, {"table": table}).fetchone() or (0,)
        ((_, _, found),) = filled.execute(page.encode(), wanted | filters).fetchall()
        after = filled.execute(READ, {"table": table}).fetchone() or (0,)
    assert found == RARE
    assert after[0] - before[0] <= 10 * RARE


@pytest.mark.parametrize(
    ("table", "page", "pages"),
    [
        ("lead_list", lead_list.PAGE, lead_list.PAGES),
        ("property_list", property_list.PAGE, property_list.PAGES),
        ("contact_list", contact_list.PAGE, contact_list.PAGES),
        ("task_list", task_list.PAGE, task_list.PAGES),
        ("tour_list", tour_list.PAGE, tour_list.PAGES),
        ("tour_list", tour_list.LEADS_PAGE, tour_list.LEADS_PAGES),
    ],
)
def test_the_newest_are_read_and_no_others(filled: Connection[Any], table: str, page: str, pages: str) -> None:
    wanted = dict.fromkeys(re.findall(r"%\((\w+)\)s", page))
    wanted |= {"tenant": TENANT, "before": ABOVE_ALL, "limit": 50}
    with filled.transaction():
        counted = [(filled.execute(READ, {"table": table}).fetchone() or (0,))[0]]
        chunk = filled.execute(page.encode(), wanted).fetchall()
        counted += filled.execute(READ, {"table": table}).fetchone() or (0,)
        together = filled.execute(pages.encode(), [[TENANT] * 2, [ABOVE_ALL] * 2, [50] * 2]).fetchall()
        counted += filled.execute(READ, {"table": table}).fetchone() or (0,)
    assert [row for _, *row in together] == [[*chunk[0]]] * 2
    assert counted[1] - counted[0] <= 60
    assert counted[2] - counted[1] <= 120
