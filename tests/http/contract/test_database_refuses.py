"""The database is there, but cannot store anything, or is another version's: what can go on goes on, everything else is
503 with a plain sentence, and ``/readyz`` says the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from aureum.http.access.gate import UNCOUNTED_SECONDS
from aureum.store.postgres.database import FULL, NOT_THIS_VERSION, ONLY_READS
from aureum.store.postgres.functions import own_name, signatures
from aureum.store.postgres.watch import RECENT_SECONDS
from tests.conftest import execute, fresh_database
from tests.http.contract.test_database_gone import TERMINATE, WELL, everything, statuses
from tests.http.operator import Operator, Tenant
from tests.http.serving import JANE, Server, served, until

NO_ROOM = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'could not extend file "base/5/16384": No space left on device' USING ERRCODE = 'disk_full';
END
$$;
CREATE TRIGGER no_room BEFORE INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION no_room();
"""
ROOM = "DROP FUNCTION no_room CASCADE"
GATE_ONE = own_name("gate_one")

READS = {name: status for name, status in WELL.items() if name not in ("contact", "post", "ready")}


@pytest.fixture(scope="module")
def url(server_url: str, template: str) -> Iterator[str]:
    with fresh_database(server_url, template) as own:
        yield own


@pytest.fixture(scope="module")
def lonely(url: str) -> Iterator[Server]:
    # Forms are counted, and none is one too many.
    with served(url, form_rate_limit="100000") as running:
        yield running


@pytest.fixture
def brokerage(url: str) -> Iterator[Tenant]:
    with Operator.opened(url) as operator:
        yield operator.brokerage()


def measured(server: Server, name: str) -> float:
    return float(server.ask("GET", "/metrics").body.decode().split(f"\n{name} ")[1].split()[0])


def well_again(server: Server, tenant: Tenant) -> None:
    """Wait until everything is as it should be."""
    within = 2 * (RECENT_SECONDS + UNCOUNTED_SECONDS)
    until(lambda: server.ask("GET", "/readyz").status == 200, within=within)
    until(lambda: statuses(server, tenant) == WELL, lambda: str(statuses(server, tenant)), within)


def cut(server_url: str, url: str) -> None:
    """End all connections to the database."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(TERMINATE, {"database": urlsplit(url).path[1:]})


def not_of_this_version(server: Server, method: str, path: str) -> bool:
    answer = server.ask(method, path)
    return answer.status == 503 and answer.error == NOT_THIS_VERSION


@contextmanager
def changed(url: str, there: str, back: str) -> Iterator[None]:
    execute(url, sql.SQL(there).format())
    try:
        yield
    finally:
        execute(url, sql.SQL(back).format())


@pytest.mark.parametrize("table", ["rate_limits", "events"])
def test_with_a_full_disk_reads_go_on(lonely: Server, brokerage: Tenant, url: str, table: str) -> None:
    well_again(lonely, brokerage)
    with changed(url, NO_ROOM.format(table=table), ROOM):
        for _ in range(2):
            answers = everything(lonely, brokerage)
            assert {name: answers[name].status for name in READS} == READS
            for refused in (answers["contact"].detail, answers["ready"].error):
                assert refused == FULL
            assert answers["contact"].headers["retry-after"] == answers["ready"].headers["retry-after"] == "5"
            # By key nothing has to be counted in the append.
            assert answers["post"].status == (201 if table == "rate_limits" else 503)
            assert lonely.ask("GET", "/healthz").status == 200
    if table == "rate_limits":
        assert measured(lonely, "aureum_http_uncounted_requests_total") >= 5
        assert '"event":"limits_not_counted"' in lonely.logged()
    well_again(lonely, brokerage)


def test_what_only_reads_is_read(lonely: Server, brokerage: Tenant, server_url: str, url: str) -> None:
    well_again(lonely, brokerage)
    name = sql.Identifier(urlsplit(url).path[1:])
    execute(server_url, sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
    try:
        cut(server_url, url)
        # Connections that were ended cost a request each.
        until(lambda: {k: v for k, v in statuses(lonely, brokerage).items() if k in READS} == READS)
        answers = everything(lonely, brokerage)
        assert {name: answers[name].status for name in READS} == READS
        assert (answers["contact"].status, answers["contact"].detail) == (503, ONLY_READS)
        assert (answers["post"].status, answers["post"].error) == (503, ONLY_READS)
        assert (answers["ready"].status, answers["ready"].error) == (503, ONLY_READS)
    finally:
        execute(server_url, sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(name))
    # Those sessions stay as they are: others are looked for.
    well_again(lonely, brokerage)


@pytest.mark.parametrize(
    ("there", "back", "asked"),
    [
        (f"ALTER FUNCTION {GATE_ONE} RENAME TO another_gate", f"ALTER FUNCTION another_gate RENAME TO {GATE_ONE}",
         "list"),
        ("ALTER TABLE events RENAME COLUMN metadata TO about", "ALTER TABLE events RENAME COLUMN about TO metadata",
         "contact"),
    ],
    ids=["function", "column"],
)  # fmt: skip
def test_a_database_of_another_version_is_no_fault_of_ours(
    lonely: Server, brokerage: Tenant, server_url: str, url: str, there: str, back: str, asked: str
) -> None:
    well_again(lonely, brokerage)
    with changed(url, there, back):
        if "FUNCTION" in there:
            # What was planned before goes on by the old name.
            cut(server_url, url)
            until(lambda: not_of_this_version(lonely, "GET", "/readyz"))
        until(lambda: everything(lonely, brokerage)[asked].status == 503)
        answers = everything(lonely, brokerage)
        assert {answer.status for answer in answers.values()} <= {200, 201, 404, 503}
        answer = answers[asked]
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert (answer.json.get("error") or answer.json["detail"]) == NOT_THIS_VERSION
        assert not_of_this_version(lonely, "GET", "/readyz")
    well_again(lonely, brokerage)


def test_why_there_is_no_connection_is_in_the_log(lonely: Server, brokerage: Tenant, server_url: str, url: str) -> None:
    name = sql.Identifier(urlsplit(url).path[1:])
    limit = sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}")
    execute(server_url, limit.format(name, sql.Literal(0)))
    try:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(TERMINATE, {"database": urlsplit(url).path[1:]})
            superuser = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        if superuser == (False,):

            def told() -> bool:
                assert lonely.by_key(brokerage, "POST", "/api/leads", JANE).status == 503
                return "too many connections for database" in lonely.logged()

            until(told, lambda: lonely.logged()[-2000:])
    finally:
        execute(server_url, limit.format(name, sql.Literal(-1)))
    well_again(lonely, brokerage)


def test_the_functions_that_are_looked_for_are_those_that_are_called(url: str) -> None:
    names = {signature.partition("(")[0] for signature in signatures()}
    with psycopg.connect(url) as connection:
        installed = connection.execute(
            "SELECT p.proname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang "
            "WHERE p.pronamespace = 'public'::regnamespace AND l.lanname IN ('plpgsql', 'sql') "
            "AND p.prorettype <> 'trigger'::regtype"
        ).fetchall()
        assert names == {name for (name,) in installed}
        query = "SELECT bool_and(to_regprocedure(name) IS NOT NULL) FROM unnest(%s::text[]) AS f (name)"
        assert connection.execute(query, [signatures()]).fetchone() == (True,)
