"""The database goes away, comes back, or has no room; and what the log says of it, without personal data."""

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from aureum.domain.errors import Unavailable
from aureum.http.contract.lists import CHUNK
from aureum.store.cipher import MasterKey
from aureum.store.postgres import embedded
from aureum.store.postgres.functions import named
from aureum.store.postgres.migrate import migrate
from tests.conftest import MASTER_KEY, execute, fresh_database
from tests.http.operator import Operator, Tenant
from tests.http.serving import JANE, MUCH, PATIENCE, Answer, Server, served, until

GONE = str(Unavailable())
FULL = "The database's disk is full. Nothing can be stored until the operator frees space."

TERMINATE = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
 WHERE datname = %(database)s AND usename = current_user AND pid <> pg_backend_pid()
"""
NO_ROOM = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'could not extend file "base/5/16384": No space left on device' USING ERRCODE = 'disk_full';
END
$$;
CREATE TRIGGER no_room BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION no_room();
"""
ROOM = "DROP TRIGGER no_room ON events; DROP FUNCTION no_room;"


@pytest.fixture(scope="module")
def url(server_url: str, template: str) -> Iterator[str]:
    """A database of the module's own."""
    with fresh_database(server_url, template) as own:
        yield own


@pytest.fixture(scope="module")
def lonely(url: str) -> Iterator[Server]:
    """A process on it; its measurements may not be read from loopback."""
    with served(url, metrics_networks="192.0.2.0/24", form_rate_limit="0") as running:
        yield running


@pytest.fixture
def operator(url: str) -> Iterator[Operator]:
    """The operator who makes brokerages there."""
    with Operator.opened(url) as opened:
        yield opened


@pytest.fixture
def brokerage(operator: Operator) -> Tenant:
    return operator.brokerage()


def cut(connection: psycopg.Connection[Any], url: str) -> None:
    """End all connections to a database, of which there must be some."""
    cursor = connection.execute(TERMINATE, {"database": urlsplit(url).path[1:]})
    assert cursor.fetchall()[0][0] > 0


@contextmanager
def gone(server_url: str, url: str) -> Iterator[None]:
    """Every connection to the database is cut, and no new one is let in."""
    database = sql.Identifier(urlsplit(url).path[1:])
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(allow.format(database, sql.Literal(False)))
        cut(connection, url)
        try:
            yield
        finally:
            connection.execute(allow.format(database, sql.Literal(True)))


def everything(server: Server, tenant: Tenant) -> dict[str, Answer]:
    """One request to each endpoint."""
    lead = "/api/leads/c" + "0" * 25
    return {
        "contact": server.form(tenant),
        "count": server.ask("GET", "/api/leads/count", host=tenant.domain),
        "list": server.by_key(tenant, "GET", "/api/leads"),
        "page": server.by_key(tenant, "GET", "/api/leads?limit=3"),
        "post": server.by_key(tenant, "POST", "/api/leads", JANE),
        "get": server.by_key(tenant, "GET", lead),
        "as of": server.by_key(tenant, "GET", f"{lead}?asOf=2025-01-01"),
        "patch": server.by_key(tenant, "PATCH", lead, {"status": "lost"}),
        "history": server.by_key(tenant, "GET", f"{lead}/history"),
        "ready": server.ask("GET", "/readyz"),
    }


WELL = {"contact": 200, "count": 200, "list": 200, "page": 200, "post": 201, "get": 404, "as of": 404, "patch": 404,
        "history": 404, "ready": 200}  # fmt: skip


def statuses(server: Server, tenant: Tenant) -> dict[str, int]:
    return {name: answer.status for name, answer in everything(server, tenant).items()}


def test_while_the_database_is_gone_every_endpoint_says_so(
    lonely: Server, brokerage: Tenant, server_url: str, url: str
) -> None:
    assert statuses(lonely, brokerage) == WELL

    with gone(server_url, url):
        started = time.monotonic()
        answers = everything(lonely, brokerage)
        assert time.monotonic() - started < 20
        assert lonely.ask("GET", "/healthz").status == 200

    for name, answer in answers.items():
        assert (answer.status, answer.headers["retry-after"]) == (503, "5"), name
        assert (answer.detail if name in ("contact", "count") else answer.error) == GONE
    # It recovers by itself.
    until(lambda: statuses(lonely, brokerage) == WELL, within=15)


def test_connections_that_break_are_made_again(lonely: Server, brokerage: Tenant, server_url: str, url: str) -> None:
    assert statuses(lonely, brokerage) == WELL
    before = head(url, brokerage)
    # No request pays for it: reads are asked again on a new connection, and an append that was lost is repeated.
    for _ in range(3):
        with psycopg.connect(server_url, autocommit=True) as connection:
            cut(connection, url)
        assert statuses(lonely, brokerage) == WELL
    assert head(url, brokerage) > before


def test_a_list_that_breaks_off_is_not_taken_for_whole(
    lonely: Server, operator: Operator, brokerage: Tenant, server_url: str, url: str
) -> None:
    # Two chunks are under way before anybody reads; the third is never found.
    operator.fill(brokerage, CHUNK + 1)
    operator.fill(brokerage, CHUNK, message=MUCH)
    with closing(HTTPConnection("127.0.0.1", lonely.port, timeout=PATIENCE)) as connection:
        connection.request("GET", "/api/leads", headers=brokerage.bearer | {"X-Request-Id": "half-1"})
        response = connection.getresponse()
        assert response.status == 200

        with gone(server_url, url), pytest.raises(IncompleteRead):
            response.read()

    until(lambda: '"half-1","method"' in lonely.logged())
    until(lambda: statuses(lonely, brokerage) == WELL, within=15)


def head(url: str, tenant: Tenant) -> int:
    """The position of the tenant's last event, whatever became of the operator's connections."""
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT position FROM heads WHERE tenant_id = %s", (tenant.id,)).fetchone()
    assert found is not None
    return int(found[0])


def test_a_full_disk_is_reported_plainly(lonely: Server, brokerage: Tenant, url: str) -> None:
    before = head(url, brokerage)
    execute(url, sql.SQL(NO_ROOM).format())
    try:
        form, post = lonely.form(brokerage), lonely.by_key(brokerage, "POST", "/api/leads", JANE)
        reads = lonely.by_key(brokerage, "GET", "/api/leads")
    finally:
        execute(url, sql.SQL(ROOM).format())

    assert (form.status, form.detail, form.headers["retry-after"]) == (503, FULL, "5")
    assert (post.status, post.error, post.headers["retry-after"]) == (503, FULL, "5")
    assert reads.status == 200
    assert '"error":"DiskFull","sqlstate":"53100"' in lonely.logged()
    assert head(url, brokerage) == before
    assert lonely.form(brokerage).status == 200


def test_measurements_are_not_there_for_strangers(lonely: Server) -> None:
    answer = lonely.ask("GET", "/metrics", headers={"X-Forwarded-For": "192.0.2.1"})

    assert (answer.status, answer.error) == (404, "This path does not exist.")


BREAK = """
DO $do$
BEGIN
    EXECUTE (
        SELECT regexp_replace(pg_get_functiondef('{page}'::regproc), 'AS \\$function\\$.*', $body$AS $function$
            BEGIN
                RAISE EXCEPTION 'broken at % for %', p_source, (SELECT doc FROM lead_list LIMIT 1)
                    USING ERRCODE = 'internal_error';
            END
            $function$ $body$)
    );
END
$do$
"""
"""The list's function now fails, and its error quotes a lead."""


def test_no_person_and_no_secret_is_ever_logged(lonely: Server, brokerage: Tenant, server_url: str, url: str) -> None:
    tenant = brokerage
    person = {
        "firstName": "Zebulon",
        "lastName": "Quixworth",
        "email": "zq.private@example.com",
        "phone": "208-555-7788",
        "subject": "My divorce",
        "message": "I must sell the house on Confidential Lane",
        "source_page": "/private-listing",
        "utm_campaign": "campaign-of-zebulon",
    }
    secrets = [*person.values(), "Quixworth", "secret idempotency", "secret-cookie", tenant.key, tenant.key[4:]]
    idempotent = {"Idempotency-Key": "secret idempotency"}
    body = {"name": "Zebulon Quixworth", "email": person["email"], "source": person["utm_campaign"]}

    assert lonely.form(tenant, idempotent | {"Cookie": "secret-cookie"}, **person).status == 200
    assert lonely.form(tenant, **person | {"email": "zq.private@"}).status == 422
    lead = lonely.by_key(tenant, "POST", "/api/leads", body).json["id"]
    lonely.by_key(tenant, "PATCH", f"/api/leads/{lead}", {"name": "Zebulon II Quixworth"})
    lonely.by_key(tenant, "GET", f"/api/leads?source={person['utm_campaign']}&limit=9")
    lonely.by_key(tenant, "GET", "/api/leads/zq.private@example.com")
    lonely.ask("GET", "/Quixworth/zq.private@example.com")
    lonely.ask("GET", "/api/leads", headers={"Authorization": f"Bearer {tenant.key}x"})
    lonely.raw(f"GET /Quixworth Quixworth HTTP/1.1\r\nAuthorization: Bearer {tenant.key}\r\nno colon\r\n\r\n".encode())
    execute(url, sql.SQL(BREAK).format(page=sql.SQL(named("lead_page(").removesuffix("("))))
    broken = lonely.by_key(
        tenant, "GET", f"/api/leads?source={person['utm_campaign']}", headers={"X-Request-Id": "broken-1"}
    )
    with gone(server_url, url):
        assert lonely.form(tenant, **person).status == 503

    assert (broken.status, broken.error) == (500, "Internal server error")
    assert "x-ratelimit-limit" in broken.headers
    log = lonely.logged()
    line = next(line for line in log.splitlines() if '"unforeseen"' in line)
    assert '"broken-1"' in line and '"InternalError_"' in line and '"XX000"' in line and "lead_list.py:" in line
    assert '"route":"/api/leads/{id}"' in log
    for secret in secrets:
        assert not re.search(re.escape(secret), log, re.IGNORECASE), secret
    password = psycopg.conninfo.conninfo_to_dict(url).get("password")
    assert not password or str(password) not in log


def test_the_server_of_the_database_is_stopped_and_started_again() -> None:
    with TemporaryDirectory(prefix="aureum-gone-") as directory:
        database = embedded.start(Path(directory))
        try:
            asyncio.run(migrate(database.url, MasterKey(MASTER_KEY)))
            with served(database.url) as server:
                with Operator.opened(database.url) as operator:
                    tenant = operator.brokerage()
                assert statuses(server, tenant) == WELL
                database.close()

                answers = everything(server, tenant)
                assert {(answer.status, answer.headers["retry-after"]) for answer in answers.values()} == {(503, "5")}

                database = embedded.start(Path(directory))
                until(lambda: statuses(server, tenant) == WELL, within=15)
        finally:
            database.close()
