"""What can be known of Citus without one: the place of every table, the texts of functions, claims and looks, and what
is done where a node is away."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

import aureum
from aureum.background import follower
from aureum.commands.importing import claiming
from aureum.commands.routing_rehearsals import CLAIM as REHEARSAL
from aureum.domain.errors import NodeAway
from aureum.mail.letters import digesting
from aureum.mail.queue import leases as mail_leases
from aureum.signing import completing
from aureum.signing.docusign import working
from aureum.store import sweep
from aureum.store.postgres.citus.by_tenant import Everywhere
from aureum.store.postgres.citus.nodes import TENANTS_BY_NODE, Nodes, near
from aureum.store.postgres.citus.statements import one_by_one
from aureum.store.postgres.citus.tables import (
    BESIDE,
    BY_TENANT,
    COORDINATOR,
    COPIED,
    EVERY_NODE,
    FIRST,
    TABLES,
    placing,
)
from aureum.store.postgres.database import unavailable
from aureum.store.postgres.functions import carried, functions, names, of_citus, plain, signatures
from aureum.store.postgres.migrate import migrations
from aureum.store.postgres.watch import Watch
from aureum.timers import envelopes, firing
from aureum.webhooks.queue import lanes, leases, observing, reconciliation, retention
from aureum.webhooks.telling import replays

CLAIMS = (
    claiming.CLAIM,
    completing.TAKE,
    envelopes.TAKE,
    firing.TAKE,
    observing.OLDEST_DUE,
    reconciliation.LATE,
    REHEARSAL,
    retention.TENANTS_WITH_OLD,
    working.TAKE,
)

LOOKS = {
    "behind": (follower.BEHIND, "h"),
    "moved": (follower.MOVED, "h"),
    "due deliveries": (lanes.DUE_TENANTS, "l"),
    "expired deliveries": (leases.TENANTS_WITH_EXPIRED, "webhook_deliveries"),
    "due mails": (mail_leases.DUE_TENANTS, "m"),
    "expired mails": (mail_leases.TENANTS_WITH_EXPIRED, "mails"),
    "replays": (replays.TENANTS, "r"),
    "digests": (digesting.WAITING, "i"),
    **{table: (find, table) for table, (find, _) in sweep.OF_TENANTS.items()},
    **{f"claim {claim.table}": (claim.tenants, claim.alias) for claim in CLAIMS},
}


def test_every_table_has_a_place(module_database_url: str) -> None:
    """The heads first; a table of a migration that comes later too, unless it says why not."""
    with psycopg.connect(module_database_url) as connection:
        tables = connection.execute(TABLES, [FIRST]).fetchall()
        found = list(placing(tables, ()))
        statements = [one.statements[-1].as_string(connection) for one in found]
        assert statements[0] == BY_TENANT.format("heads").as_string(connection)
        for name in EVERY_NODE:
            assert COPIED.format(name).as_string(connection) in statements
        assert BESIDE.format("events").as_string(connection) in statements
        assert any(
            "SET LOGGED" in one.statements[0].as_string(connection) for one in found if "rate_limits" in one.told
        )
    named = {name for name, _, _ in tables}
    assert {*EVERY_NODE, *COORDINATOR} <= named
    assert len(found) == len(named) - len(COORDINATOR)


def test_every_function_can_be_made(database_url: str) -> None:
    """PostgreSQL takes the texts of Citus, and they read what is there."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        for one in signatures():
            connection.execute(f"DROP FUNCTION {one}".encode())
        connection.execute(functions(citus=True).encode())
        made = {str(row[0]) for row in connection.execute("SELECT oid::regproc FROM pg_proc WHERE prokind = 'f'")}
        assert {one.split("(")[0] for one in signatures(citus=True)} <= made
        assert carried().startswith("append_events_")


def test_no_call_of_citus_is_of_several_tenants() -> None:
    """Every function that plain PostgreSQL has is there, none with a plan for all tenants."""
    ours = [names(text) for text in of_citus()]
    assert set(names("\n".join(plain()))) <= {name for some in ours for name in some}
    assert "force_generic_plan" not in "".join(of_citus())
    (append,) = (part for part in "".join(of_citus()).split("CREATE OR REPLACE ") if "FUNCTION append_events(" in part)
    assert "tenant_id = i.tenant_id" not in append
    assert "tenant_id = tenants[" not in append


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.table)
def test_a_claim_of_one_tenant_names_it_everywhere(module_database_url: str, claim: Everywhere) -> None:
    """In the statement of one tenant no row's tenant is that of another row. PostgreSQL takes it, and its tenants."""
    assert ".tenant_id = %(tenant)s" in claim.of_tenant
    assert f"WHERE {claim.alias}.tenant_id = %(tenant)s AND {claim.due}" in claim.of_tenant
    about = dict.fromkeys(("tenant", "pause", "lease", "limit", "plans", "worst"))
    casts = {"pause": "%(pause)s::float8", "lease": "%(lease)s", "plans": "%(plans)s::text[]"}
    text = claim.of_tenant
    for name, cast in casts.items():
        text = text.replace(f"%({name})s", cast)
    with psycopg.connect(module_database_url) as connection:
        assert connection.execute(text.encode(), about).fetchall() == []
        assert connection.execute(claim.tenants.encode()).fetchall() == []


@pytest.mark.parametrize(("statement", "alias"), LOOKS.values(), ids=LOOKS)
def test_a_look_at_some_tenants_names_them_for_every_table(
    module_database_url: str, statement: str, alias: str
) -> None:
    """Where a node is away, the tenants of another one are looked at. PostgreSQL takes it, and its first condition is
    not part of an alternative, which would find others' rows."""
    about = {"near": [], "consumer": "webhooks", "plans": ["Elite"], "full": [], "limit": 5}
    text = near(statement, alias)
    assert f"{alias}.tenant_id = {alias}.tenant_id" not in text
    with psycopg.connect(module_database_url) as connection:
        connection.execute("INSERT INTO heads (tenant_id, position, recorded_at) VALUES (%s, 1, now())", [uuid4()])
        assert connection.execute(text.encode(), about).fetchall() == []


def test_a_node_that_is_away_is_missed_by_its_tenants_alone() -> None:
    """From the failure on the look goes node by node, until all nodes answer."""
    first, second = uuid4(), uuid4()
    away: set[UUID] = {second}

    async def rows(statement: str, about: Mapping[str, Any]) -> list[Any]:
        if statement == TENANTS_BY_NODE:
            return [(1, [first]), (2, [second])]
        asked = about.get("near", [first, second])
        if away.intersection(asked):
            raise NodeAway
        return [(tenant_id,) for tenant_id in asked]

    nodes = Nodes(rows)

    def look() -> list[Any]:
        return asyncio.run(nodes.look(statement, "t", {}))

    statement = "SELECT t.tenant_id FROM t\n WHERE t.due"
    assert look() == [(first,)]
    assert nodes.away == {2}
    away.clear()
    assert look() == [(first,), (second,)]
    assert not nodes.away
    away |= {first, second}
    with pytest.raises(NodeAway):
        look()


def test_what_a_coordinator_says_of_a_node_is_no_word_of_its_own() -> None:
    """A node that is away is not the database: a client is told to come again, and our connection goes on."""
    watch = Watch(citus=True)
    lost = psycopg.errors.ConnectionFailure("connection to the remote node failed")
    ours = psycopg.OperationalError("the connection is lost")
    assert isinstance(unavailable(lost, watch), NodeAway)
    assert not isinstance(unavailable(ours, watch), NodeAway)
    # Without a coordinator it is a pooler that speaks of itself.
    pooler = psycopg.errors.ProtocolViolation("server conn crashed?")
    assert isinstance(unavailable(pooler, watch), NodeAway) and not isinstance(unavailable(pooler, Watch()), NodeAway)
    refused = psycopg.errors.FeatureNotSupported("complex joins are only supported when all tables are co-located")
    assert "coordinator" in str(unavailable(refused, watch))
    assert "coordinator" in (watch.trouble() or "")
    changed = psycopg.errors.FeatureNotSupported("cached plan must not change result type")
    assert "version" in str(unavailable(changed, Watch(citus=True)))
    assert "version" in str(unavailable(refused, Watch()))


WRITTEN_AGAIN = re.compile(
    r'INSERT INTO (\w+)(?:(?!INSERT INTO).)*?DO UPDATE SET(.*?)(?:RETURNING|"""|;|\n\))', re.DOTALL
)
CHANGES_BY_ITSELF = re.compile(r"\b(now|clock_timestamp|random|gen_random_uuid|nextval)\(")


def test_what_is_written_again_is_a_value_of_the_row() -> None:
    """Citus refuses ``DO UPDATE SET … = now()`` for tables on its nodes: there it is ``excluded.…``, with that
    default."""
    texts = [file.read_text() for end in ("py", "sql") for file in Path(aureum.__file__).parent.rglob(f"*.{end}")]
    found = [one for text in texts for one in WRITTEN_AGAIN.findall(text)]
    assert {"portal_languages", "brokerage_logos", "portal_feeds"} <= {table for table, _ in found}
    assert {table for table, said in found if CHANGES_BY_ITSELF.search(said)} <= set(COORDINATOR)


def test_a_script_is_parted_at_the_ends_of_its_statements(database_url: str) -> None:
    """Also behind texts, names, comments and bodies with semicolons in them; of the migrations nothing is lost."""
    script = """
    -- One; two.
    SELECT 'it''s; so', "a;b" FROM x; /* ; */
    CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN; END; $body$;
    SELECT 1
    """
    first, second, third = one_by_one(script)
    assert first == """SELECT 'it''s; so', "a;b" FROM x"""
    assert second.endswith("$body$ BEGIN; END; $body$")
    assert third == "SELECT 1"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA again")
        connection.execute("SET search_path = again, public")
        for _, _, statements in migrations():
            with connection.transaction():
                for statement in one_by_one(statements):
                    connection.execute(statement.encode())
        assert connection.execute("SELECT to_regclass('again.heads')::text").fetchone() == ("heads",)
