"""Two real PostgreSQL 15, of which one follows the other: what the log tells is read at the replica, a client reads its
own writes whatever happens to the replica, and no request fails for it."""

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from aureum.cli.checks.check import Doctor, Finding
from aureum.cli.checks.replicas import replicas
from aureum.settings import load_settings
from aureum.store.cipher import MasterKey
from aureum.store.postgres.migrate import migrate
from tests.conftest import MASTER_KEY
from tests.freezer import Freezer, freezer
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server, served, until
from tests.logins import LOGIN, login_that_owns_nothing
from tests.replication import PROGRAMS, Postgres, caught_up, replicated, url_of

PAUSED = "SELECT pg_get_wal_replay_pause_state() = 'paused'"


@dataclass
class Pair:
    """A server of Aureum that reads at a replica, through a proxy that can freeze."""

    primary: Postgres
    standby: Postgres
    proxy: Freezer
    server: Server
    operator: Operator
    tenant: Tenant

    def measured(self, name: str) -> Counter[str]:
        """A measurement of the server by its labels."""
        text = self.server.ask("GET", "/metrics").body.decode()
        return Counter({labels: float(value) for labels, value in re.findall(rf"^{name}{{(.*)}} (\S+)$", text, re.M)})

    def used(self) -> bool:
        """Whether the replica is read at."""
        return set(self.measured("aureum_replica_used").values()) == {1.0}

    def reads(self) -> dict[str, float]:
        """How many lists were read, at the primary and at the replica."""
        found = self.measured("aureum_list_reads_total")
        primary = found['server="primary"']
        return {"primary": primary, "replica": found.total() - primary}

    def fits(self) -> bool:
        """Whether the replica shows all, and is read at."""
        caught_up(self.primary, self.standby)
        return self.used()

    @contextmanager
    def replay_paused(self) -> Iterator[None]:
        """The replica receives, and shows nothing new."""
        with psycopg.connect(self.standby.url, autocommit=True) as connection:
            connection.execute("SELECT pg_wal_replay_pause()")
            until(lambda: connection.execute(PAUSED).fetchone() == (True,))
            try:
                yield
            finally:
                connection.execute("SELECT pg_wal_replay_resume()")

    @contextmanager
    def minutes_late(self) -> Iterator[None]:
        """The replica receives, and shows what was committed five minutes later."""
        try:
            self.delay("5min")
            yield
        finally:
            self.delay("0")

    def delay(self, delay: str) -> None:
        """How long the replica waits before it shows a commit."""
        self.standby.execute(f"ALTER SYSTEM SET recovery_min_apply_delay = '{delay}'")
        self.standby.execute("SELECT pg_reload_conf()")

    def write_and_read(self, name: str) -> None:
        """What a client has written, it reads then: in lists, alone, and in its history."""
        lead = self.server.lead(self.tenant, name=name)
        path = f"/api/leads/{lead['id']}"
        assert self.server.by_key(self.tenant, "GET", path).json["firstName"] == name
        now = self.server.by_key(self.tenant, "GET", f"{path}?asOf=2100-01-01")
        assert (now.status, now.json["firstName"]) == (200, name)
        assert len(self.server.by_key(self.tenant, "GET", f"{path}/history").json) == 1
        assert self.server.leads(self.tenant, "?limit=1")[0]["id"] == lead["id"]
        assert [one["id"] for one in self.server.leads(self.tenant, f"?search={name}")] == [lead["id"]]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    if not PROGRAMS.exists():
        pytest.skip("PostgreSQL 15 is not installed (Debian's package postgresql-15)")
    with replicated(synchronous=False) as (primary, standby):
        asyncio.run(migrate(primary.url, MasterKey(MASTER_KEY)))
        # Requests are answered by a login that sees one brokerage at a time, at the replica too.
        login = login_that_owns_nothing(primary.url)
        caught_up(primary, standby)
        with freezer(standby.url) as proxy, Operator.opened(primary.url) as operator:
            settings = {"replica_urls": as_login(proxy.url), "form_rate_limit": "0"}
            with served(login, **settings) as server:
                made = Pair(primary, standby, proxy, server, operator, operator.brokerage())
                until(made.fits)
                yield made


def as_login(url: str) -> str:
    """*url* with the login that owns nothing."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{LOGIN}@{parts.netloc.rpartition('@')[2]}"))


def found(pair: Pair, monkeypatch: pytest.MonkeyPatch, *urls: str) -> list[Finding]:
    """What ``aureum doctor`` says of replicas at *urls*."""
    monkeypatch.setenv("AUREUM_REPLICA_URLS", " ".join(urls))
    settings = load_settings()

    async def looked() -> list[Finding]:
        return [finding async for finding in replicas(Doctor(settings, pair.operator.store))]

    return pair.operator.run(lambda _: looked())


def test_whatever_the_log_tells_is_read_at_the_replica(pair: Pair) -> None:
    pair.operator.fill(pair.tenant, 5)
    boss = pair.operator.staff(pair.tenant.id, "brokerage_owner")
    until(pair.fits)
    before, missed = pair.reads(), pair.measured("aureum_replica_misses_total")
    paths = (
        *("/api/leads", "/api/leads?limit=2", "/api/leads?search=e&limit=2", "/api/leads?status=new"),
        *("/api/leads?limit=2&sort=name", "/api/leads/count", "/api/contacts?limit=3", "/api/tasks"),
    )
    for path in paths:
        assert pair.server.by_key(pair.tenant, "GET", path).status == 200, path
    delta = re.search(r'<([^>]+)>; rel="delta"', pair.server.by_key(pair.tenant, "GET", paths[0]).headers["link"])
    assert delta is not None
    assert pair.server.by_key(pair.tenant, "GET", delta[1].removeprefix("http://127.0.0.1")).json == []
    for path in ("/api/v1/admin/leads?page_size=3", "/api/v1/admin/search?q=exam"):
        assert pair.server.ask("GET", path, headers=boss.bearer, host=pair.tenant.domain).status == 200, path
    lead = pair.server.leads(pair.tenant)[0]
    one, as_of = f"/api/leads/{lead['id']}", "asOf=2100-01-01"
    alone = (
        *(one, f"{one}?{as_of}", f"{one}/history", f"{one}/activities", f"/api/leads?{as_of}&limit=3"),
        *(f"/api/leads/count?{as_of}", f"/api/leads?{as_of}&sort=name&limit=3"),
    )
    for path in alone:
        assert pair.server.by_key(pair.tenant, "GET", path).status == 200, path
    file = pair.server.ask(
        "GET", "/admin/leads.csv", headers={"Cookie": f"aureum={boss.token}"}, host=pair.tenant.domain
    )
    assert file.status == 200 and file.body.count(b"\r\n") == 6
    assert len(pair.server.leads(pair.tenant)) == 5
    now = pair.reads()
    assert now["replica"] - before["replica"] >= len(paths) + len(alone) + 3
    assert now["primary"] == before["primary"]
    assert pair.measured("aureum_replica_misses_total") == missed


def test_a_client_reads_what_it_has_written(pair: Pair) -> None:
    """While the replica shows it, does not show it yet, and goes on."""
    before, over = pair.reads(), threading.Event()

    def pause_and_resume() -> None:
        while not over.is_set():
            with pair.replay_paused():
                over.wait(0.1)
            over.wait(0.1)

    def write_and_read(client: int) -> None:
        tenant = tenants[client]
        for number in range(20):
            pair.server.lead(tenant)
            assert len(pair.server.leads(tenant, "?limit=100")) == number + 1
            assert pair.server.by_key(tenant, "GET", "/api/leads/count").json["new"] == number + 1

    tenants = [pair.operator.brokerage() for _ in range(4)]
    with ThreadPoolExecutor(5) as clients:
        pausing = clients.submit(pause_and_resume)
        try:
            for client in [clients.submit(write_and_read, number) for number in range(4)]:
                client.result()
        finally:
            over.set()
        pausing.result()
    assert sum(pair.measured("aureum_replica_misses_total").values()) > 0
    until(pair.fits)
    assert len(pair.server.leads(tenants[0], "?limit=90")) == 20
    assert pair.reads()["replica"] > before["replica"]


def test_a_late_replica_is_not_asked_until_it_has_caught_up(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    with pair.minutes_late():
        pair.write_and_read("Late")
        until(lambda: not pair.used())
        assert min(pair.measured("aureum_replica_lag_seconds").values()) > 2
        missed = pair.measured("aureum_replica_misses_total")
        pair.write_and_read("Later")
        assert pair.measured("aureum_replica_misses_total") == missed
        (late,) = found(pair, monkeypatch, pair.standby.url)
        assert late.decide and "more than 2 s late" in late.text
    until(pair.fits)
    (well,) = found(pair, monkeypatch, pair.standby.url)
    assert not well.decide and well.about["replica"] == pair.standby.host
    pair.write_and_read("Again")


def test_what_freezes_costs_a_bounded_wait(pair: Pair) -> None:
    pair.server.leads(pair.tenant, "?limit=7")
    assert pair.proxy.freeze() > 0
    with ThreadPoolExecutor(6) as clients:
        asked = [clients.submit(pair.server.leads, pair.tenant, f"?limit={limit}") for limit in range(20, 26)]
        assert all(len(one.result()) > 0 for one in asked)
    pair.proxy.thaw()
    until(pair.fits)
    pair.write_and_read("Thawed")


def test_a_replica_that_is_killed_costs_nothing_but_its_share(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    over, statuses = threading.Event(), Counter[int]()

    def read() -> None:
        limit = 1
        while not over.is_set():
            limit = limit % 100 + 1
            statuses[pair.server.by_key(pair.tenant, "GET", f"/api/leads?limit={limit}").status] += 1
            pair.server.lead(pair.tenant)

    with ThreadPoolExecutor(2) as clients:
        reading = [clients.submit(read) for _ in range(2)]
        try:
            pair.standby.stop()
            until(lambda: not pair.used())
            (dead,) = found(pair, monkeypatch, pair.standby.url)
            assert dead.decide and "does not answer" in dead.text
            pair.standby.start()
            until(pair.used)
        finally:
            over.set()
        for one in reading:
            one.result()
    assert set(statuses) == {200} and "unavailable" not in pair.server.logged()


def test_one_that_is_promoted_goes_its_own_way(pair: Pair, server_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (foreign,) = found(pair, monkeypatch, server_url)
    assert foreign.decide, foreign
    pair.standby.promote()
    pair.write_and_read("Promoted")
    until(lambda: not pair.used())
    pair.write_and_read("Alone")
    (promoted,) = found(pair, monkeypatch, url_of(pair.standby.host))
    assert promoted.decide and "promoted" in promoted.text
