"""A page of what is rare is found by an index: with any filter, not all of the brokerage's rows are read."""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import Connection

from aureum.projections.document_list import ABOVE_ALL, DocumentList, View
from aureum.projections.list_filters import Filter
from aureum.registry import LISTS
from aureum.store.postgres.functions import named

TENANT, AGENT = uuid4(), uuid4()
MANY, RARE = 4_000, 5

HEAD = "INSERT INTO heads (tenant_id, position) VALUES (%(tenant)s, 0) ON CONFLICT DO NOTHING"

# Every id grows with i, and the rare rows are the oldest: reading on from the newest finds them last.
ROWS = """
INSERT INTO {table} (tenant_id, read_version, {id}, stream_version, updated_at, doc{columns})
SELECT %(tenant)s, 1, lpad(to_hex(i), 32, '0')::uuid, 1,
       CASE WHEN rare THEN timestamptz '2026-01-01' ELSE timestamptz '2025-01-01' END,
       CASE WHEN rare THEN '{{"lostReason":"price"}}'
            WHEN waiting THEN '{{"name":"Jane","suspect":true}}' ELSE '{{}}' END{values}
  FROM (
      SELECT i, i <= %(rare)s AS rare, i > %(rare)s AND i <= 2 * %(rare)s AS waiting
        FROM generate_series(1, %(many)s) i
  ) r
"""

CREATOR = "CASE WHEN rare THEN %(agent)s::uuid END"
ASSIGNED = "CASE WHEN rare THEN %(agent)s::uuid ELSE gen_random_uuid() END"

TABLES: dict[str, tuple[str, dict[str, str]]] = {
    "lead_list": (
        "lead_id",
        {
            "number": "i",
            "status": "CASE WHEN rare THEN 'lost' ELSE 'new' END",
            "source": "CASE WHEN rare THEN 'rare' ELSE 'api' END",
            "created_by": CREATOR,
            "assigned_to": "CASE WHEN rare THEN %(agent)s::uuid WHEN NOT waiting THEN gen_random_uuid() END",
            "person": "CASE WHEN NOT waiting THEN gen_random_uuid() END",
            "details": """CASE WHEN waiting THEN '{"routing":{"why":"pond"}}' ELSE '{}' END""",
        },
    ),
    "property_list": (
        "property_id",
        {"slug": "i::text", "status": "CASE WHEN rare THEN 'SOLD' ELSE 'ACTIVE' END", "is_featured": "rare"}
        | {"mls": "''"},
    ),
    "contact_list": (
        "contact_id",
        {
            "type": "CASE WHEN rare THEN 'VENDOR' ELSE 'BUYER' END",
            "tags": "CASE WHEN rare THEN ARRAY['rare'] ELSE ARRAY['many'] END",
            "search": "''",
        },
    ),
    "task_list": (
        "task_id",
        {
            "status": "CASE WHEN rare THEN 'completed' ELSE 'pending' END",
            "assigned_to": ASSIGNED,
            "created_by": CREATOR,
            "lead_id": CREATOR,
        },
    ),
    "envelope_list": (
        "envelope_id",
        {"state": "CASE WHEN rare THEN 'declined' ELSE 'sent' END", "assigned_to": ASSIGNED, "created_by": CREATOR}
        | {"lead_id": CREATOR, "contact_id": CREATOR, "shared": "false"},
    ),
    "envelope_template_list": ("template_id", {}),
    "tour_list": (
        "tour_id",
        {"number": "i", "status": "CASE WHEN rare THEN 'cancelled' ELSE 'pending' END", "leads_doc": "'{{}}'"}
        | {"listing_id": "CASE WHEN rare THEN 'rare' ELSE 'many' END", "assigned_to": ASSIGNED, "created_by": CREATOR},
    ),
}

READ = """
SELECT coalesce(sum(idx_tup_fetch + seq_tup_read), 0) FROM pg_stat_xact_user_tables WHERE relname = %(table)s
"""


def also(names: Iterable[str]) -> str:
    """Further columns or values."""
    return "".join(f", {name}" for name in names)


@pytest.fixture(scope="module")
def filled(module_database_url: str) -> Iterator[Connection[Any]]:
    """A brokerage with many rows in each list, of which a few are rare."""
    given = {"tenant": TENANT, "agent": AGENT, "many": MANY, "rare": RARE}
    with psycopg.connect(module_database_url, autocommit=True) as connection:
        connection.execute(HEAD, given)
        for table, (key, columns) in TABLES.items():
            names = {"table": table, "id": key, "columns": also(columns), "values": also(columns.values())}
            connection.execute(ROWS.format(**names).encode(), given)
            connection.execute(f"VACUUM ANALYZE {table}".encode())
        yield connection


RARE_VALUES: dict[str, object] = {
    "assigned_to": AGENT,
    "visible_to": AGENT,
    "source": "rare",
    "lost_reason": "price",
    "featured": True,
    "listing_id": "rare",
    "updated_since": "2025-06-01",
    "type": "VENDOR",
    "tag": "rare",
    "lead_id": AGENT,
    "contact_id": AGENT,
    "state": "declined",
    "unassigned": True,
    "suspect": True,
    "pond": True,
}
RARE_STATUS = {"lead_list": "lost", "property_list": "SOLD", "task_list": "completed", "tour_list": "cancelled"}

VIEWS = [pytest.param(model, view, id=view.name) for model in LISTS for view in model.views]
FILTERS = [
    pytest.param(model, view, one, id=f"{view.name}-{one.name}")
    for model in LISTS
    for view in model.views
    for one in view.filters
    if f"x.{model.id} " not in one.holds
]
"""All but those by the id: pages go by ids."""


def everything(view: View) -> dict[str, object]:
    """The parameters of the first page without filters."""
    return {**{one.name: None for one in view.filters}, "tenant": TENANT, "before": ABOVE_ALL, "limit": 50}


@pytest.mark.parametrize(("model", "view", "one"), FILTERS)
def test_what_is_rare_is_found_by_an_index(
    filled: Connection[Any], model: DocumentList, view: View, one: Filter
) -> None:
    table, page, wanted = model.table, view.page, everything(view)
    filters = {one.name: RARE_STATUS[table] if one.name == "status" else RARE_VALUES[one.name]}
    with filled.transaction():
        # As a chunk of the whole list would be read before.
        assert filled.execute(named(page).encode(), wanted).fetchall()[0][2] == 51
        before = filled.execute(READ, {"table": table}).fetchone() or (0,)
        ((_, _, found),) = filled.execute(named(page).encode(), wanted | filters).fetchall()
        after = filled.execute(READ, {"table": table}).fetchone() or (0,)
    assert found == RARE
    assert after[0] - before[0] <= 10 * RARE


@pytest.mark.parametrize(("model", "view"), VIEWS)
def test_the_newest_are_read_and_no_others(filled: Connection[Any], model: DocumentList, view: View) -> None:
    table, page, pages, wanted = model.table, view.page, view.pages, everything(view)
    with filled.transaction():
        counted = [(filled.execute(READ, {"table": table}).fetchone() or (0,))[0]]
        chunk = filled.execute(named(page).encode(), wanted).fetchall()
        counted += filled.execute(READ, {"table": table}).fetchone() or (0,)
        together = filled.execute(named(pages).encode(), [[TENANT] * 2, [ABOVE_ALL] * 2, [50] * 2]).fetchall()
        counted += filled.execute(READ, {"table": table}).fetchone() or (0,)
    assert [row for _, *row in together] == [[*chunk[0]]] * 2
    assert counted[1] - counted[0] <= 60
    assert counted[2] - counted[1] <= 120
