"""The database says nothing: connections that exist are frozen, or PostgreSQL stands still. Clients hear so
within seconds, what is stored is stored once, and nothing has to be restarted."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from aureum.domain.errors import Unavailable
from aureum.store.cipher import MasterKey
from aureum.store.postgres import embedded
from aureum.store.postgres.migrate import migrate
from tests.conftest import MASTER_KEY, fresh_database
from tests.e2e.system import descendants
from tests.freezer import Freezer, freezer
from tests.http.operator import Operator, Tenant
from tests.http.serving import Answer, Server, served, until

TIMEOUT = 2.0
"""Of one wait for the database, here."""

SOON = 15.0
"""A few of those waits, on a busy machine."""

SILENT = str(Unavailable())


@pytest.fixture(scope="module")
def url(server_url: str, template: str) -> Iterator[str]:
    """A database of the module's own."""
    with fresh_database(server_url, template) as own:
        yield own


@pytest.fixture(scope="module")
def proxy(url: str) -> Iterator[Freezer]:
    with freezer(url) as made:
        yield made


@pytest.fixture(scope="module")
def served_there(proxy: Freezer) -> Iterator[Server]:
    """A process behind the proxy."""
    with served(proxy.url, database_timeout=str(TIMEOUT), form_rate_limit="0") as running:
        yield running


@pytest.fixture
def brokerage(url: str) -> Iterator[Tenant]:
    with Operator.opened(url) as operator:
        yield operator.brokerage()


def leads(url: str, tenant: Tenant) -> list[str]:
    """The streams of all leads that were ever captured."""
    query = "SELECT stream_id::text FROM events WHERE tenant_id = %s AND type = 'lead.captured'"
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute(query, (tenant.id,))]


class Visitors:
    """They send forms, and count those that they were told are stored."""

    def __init__(self, server: Server, tenant: Tenant) -> None:
        self.server, self.tenant, self.told = server, tenant, 0

    def form(self) -> tuple[Answer, float]:
        started = time.monotonic()
        answer = self.server.form(self.tenant)
        self.told += answer.status == 200
        return answer, time.monotonic() - started

    def read(self) -> tuple[Answer, float]:
        started = time.monotonic()
        return self.server.by_key(self.tenant, "GET", "/api/leads?limit=3"), time.monotonic() - started

    def at_once(self, forms: int, reads: int) -> list[tuple[Answer, float]]:
        with ThreadPoolExecutor(forms + reads) as clients:
            asked = [clients.submit(work) for work in [self.form] * forms + [self.read] * reads]
            return [one.result() for one in asked]

    def all_well(self) -> bool:
        return all(answer.status == 200 for answer, _ in (self.form(), self.read())) and (
            self.server.ask("GET", "/readyz").status == 200
        )


def is_refused_soon(answers: list[tuple[Answer, float]]) -> None:
    """Each is answered within seconds, with 200 or with 503 and when to try again."""
    for answer, seconds in answers:
        assert answer.status in (200, 503)
        assert seconds < SOON
        if answer.status == 503:
            assert answer.headers["retry-after"] == "5"
            assert (answer.json.get("error") or answer.json.get("detail")) == SILENT


@pytest.mark.parametrize("answers_only", [False, True])
def test_connections_that_freeze_are_given_up_and_others_made(
    served_there: Server, proxy: Freezer, brokerage: Tenant, url: str, answers_only: bool
) -> None:
    visitors = Visitors(served_there, brokerage)
    assert visitors.all_well()
    for _ in range(2):
        assert proxy.freeze(answers_only=answers_only) >= 3
        is_refused_soon(visitors.at_once(forms=5, reads=5))
        # All this while what froze is still frozen, and without a restart.
        until(visitors.all_well, within=SOON)
        assert {answer.status for answer, _ in visitors.at_once(forms=5, reads=5)} == {200}
    proxy.thaw()
    # What was under way on the old connections arrives now, and is not done any more.
    time.sleep(1)
    assert len(leads(url, brokerage)) == visitors.told

    assert '"event":"database_silent"' in served_there.logged()
    measured = served_there.ask("GET", "/metrics").body.decode()
    assert float(measured.split("\naureum_database_timeouts_total ")[1].split()[0]) >= 2


def test_it_is_not_ready_while_the_database_says_nothing(served_there: Server, proxy: Freezer) -> None:
    assert served_there.ask("GET", "/readyz").status == 200
    proxy.freeze()
    started = time.monotonic()
    answer = served_there.ask("GET", "/readyz")
    assert (answer.status, answer.error) == (503, SILENT)
    assert time.monotonic() - started < 15
    # Others are made at once.
    until(lambda: served_there.ask("GET", "/readyz").status == 200, within=SOON)


@contextmanager
def stopped(pids: set[int]) -> Iterator[None]:
    """Those processes stand still."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@pytest.fixture
def own_server() -> Iterator[tuple[str, int]]:
    """A PostgreSQL of the test's own: its URL, and its first process."""
    with TemporaryDirectory(prefix="aureum-silent-") as directory, embedded.start(Path(directory)) as database:
        asyncio.run(migrate(database.url, MasterKey(MASTER_KEY)))
        first = (Path(directory) / "postgres" / "postmaster.pid").read_text().split()[0]
        yield database.url, int(first)


def test_postgresql_stands_still_and_goes_on(own_server: tuple[str, int]) -> None:
    url, first = own_server
    with Operator.opened(url) as operator:
        tenant = operator.brokerage()
    with served(url, database_timeout=str(TIMEOUT), form_rate_limit="0") as server:
        visitors = Visitors(server, tenant)
        assert visitors.all_well()
        told = visitors.told
        with stopped(descendants(first)):
            for _ in range(3):
                is_refused_soon(visitors.at_once(forms=3, reads=3))
                assert server.ask("GET", "/readyz").status == 503
            assert visitors.told == told
        until(visitors.all_well, within=SOON)
        time.sleep(1)
        # A request that was told it failed has left no lead in there.
        assert len(leads(url, tenant)) == visitors.told


def test_it_ends_soon_though_postgresql_stands_still(own_server: tuple[str, int]) -> None:
    url, first = own_server
    with Operator.opened(url) as operator:
        tenant = operator.brokerage()
    with served(url, form_rate_limit="0") as server:
        visitors = Visitors(server, tenant)
        assert visitors.all_well()
        with stopped(descendants(first)), ThreadPoolExecutor(4) as clients:
            asked = [clients.submit(work) for work in (visitors.form, visitors.read) * 2]
            time.sleep(0.5)
            started = time.monotonic()
            server.process.terminate()
            assert server.process.wait(15) == 0
            # With the default bound: what waits may wait to its end, what follows may not.
            assert time.monotonic() - started < 10
            assert {one.result()[0].status for one in asked} == {503}
