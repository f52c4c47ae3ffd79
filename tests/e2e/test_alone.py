"""A worker that runs alone shows what it does; variables that are no settings are named; and what SIGHUP does."""

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from aureum.store.postgres.functions import own_name
from tests.conftest import fresh_database
from tests.e2e.system import PATIENCE, Answer, Running, System, eventually, system
from tests.e2e.test_story import FORM, inbox

METRIC = "aureum_webhook_attempts_total"


@pytest.fixture(scope="module")
def url(server_url: str, template: str) -> Iterator[str]:
    with fresh_database(server_url, template) as own:
        yield own


@pytest.fixture
def home(url: str) -> Iterator[System]:
    with system(url, AUREUM_WEBHOOK_ALLOW_NETWORKS="127.0.0.0/8") as made:
        yield made


def ask(base: str, path: str, method: str = "GET") -> Answer:
    """One request to the worker's own pages."""
    parts = urlsplit(base)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


def delivering(home: System, *arguments: str) -> tuple[Running, str]:
    """``aureum worker``, and the URL of its pages."""
    running = home.start("worker", "--json", *arguments)
    running.until_said("\n")
    document = json.loads(running.out.read_text())
    assert document["delivering"] is True
    return running, document["url"]


def test_a_worker_alone_is_measured(home: System) -> None:
    home.json("demo")
    with inbox() as consumer:
        home.json("webhook", "create", "--brokerage", "demo", "--url", consumer.url, "--event", "lead.created")
        serving = home.serve("--no-worker")
        worker, pages = delivering(home, "--metrics-port", "0")
        assert pages.startswith("http://127.0.0.1:")
        assert serving.ask("POST", "/api/contact", FORM).status == 200
        eventually(lambda: consumer.received)
        eventually(lambda: f'{METRIC}{{outcome="delivered"}} 1.0' in ask(pages, "/metrics").body.decode())
        # Who does not deliver does not say that nothing was delivered.
        assert "aureum_webhook_" not in serving.ask("GET", "/metrics").body.decode()
        assert ask(pages, "/healthz").json == {"status": "ok"}
        assert ask(pages, "/readyz").json == {"status": "ready"}
        assert (ask(pages, "/readyz", "HEAD").status, ask(pages, "/readyz", "HEAD").body) == (200, b"")
        for method, path in (("GET", "/"), ("GET", "/api/leads"), ("POST", "/metrics")):
            assert ask(pages, path, method).status == 404
        assert worker.stop() == 0


def test_who_may_read_its_measurements(home: System) -> None:
    home.settings |= {"AUREUM_METRICS_PORT": "0", "AUREUM_METRICS_NETWORKS": "192.0.2.0/24"}
    worker, pages = delivering(home)
    refused = ask(pages, "/metrics")
    assert refused.status == 404 and b"aureum_" not in refused.body
    assert ask(pages, "/healthz").status == 200
    assert worker.stop() == 0


def test_a_port_that_is_taken_is_told(home: System) -> None:
    worker, pages = delivering(home, "--metrics-port", "0")
    ended = home.run("worker", "--metrics-port", str(urlsplit(pages).port))
    assert ended.code == 1 and "Cannot listen on 127.0.0.1 port" in ended.err
    assert worker.stop() == 0


def test_it_is_not_ready_without_its_database(home: System, url: str) -> None:
    worker, pages = delivering(home, "--metrics-port", "0")
    eventually(lambda: ask(pages, "/readyz").status == 200)
    claim = own_name("claim_deliveries")
    with psycopg.connect(url, autocommit=True) as operator:
        operator.execute(f"ALTER FUNCTION {claim} RENAME TO of_another_version".encode())
        try:
            answer = ask(pages, "/readyz")
        finally:
            operator.execute(f"ALTER FUNCTION of_another_version RENAME TO {claim}".encode())
    assert answer.status == 503 and answer.headers["retry-after"] == "5"
    assert "not of this program's version" in answer.json["error"]
    eventually(lambda: ask(pages, "/readyz").status == 200)
    assert worker.stop() == 0


def test_a_slip_in_the_name_of_a_setting_is_told(home: System) -> None:
    home.settings |= {"AUREUM_TRUSTED_PROXYS": "10.0.0.0/8", "AUREUM_NONSENSE": "do not show this"}
    (home.directory / ".env").write_text("AUREUM_POOLSIZE=9\nOTHER=1\nAUREUM_LOG_LEVEL=info\n")
    told = home.run("settings")
    assert told.code == 0
    assert told.err.splitlines() == [
        "Warning: AUREUM_NONSENSE is no setting and does nothing. 'aureum settings' lists those there are.",
        "Warning: AUREUM_POOLSIZE is no setting and does nothing. Did you mean AUREUM_POOL_SIZE?",
        "Warning: AUREUM_TRUSTED_PROXYS is no setting and does nothing. Did you mean AUREUM_TRUSTED_PROXIES?",
    ]
    assert "AUREUM_POOL_SIZE" in {line["name"] for line in home.run("settings", "--json").json}
    assert home.run("brokerage", "list", "--json").err == told.err
    serving = home.serve("--no-worker")
    reasons = [line["reason"] for line in serving.logged() if line["event"] == "unknown_setting"]
    assert [f"Warning: {reason}" for reason in reasons] == told.err.splitlines()
    assert "do not show this" not in serving.err.read_text()
    assert serving.stop() == 0


def expects_sighup(pid: int) -> bool:
    """Whether the process has said what becomes of it; before, a SIGHUP ends any process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return any(int(mask, 16) & 1 for mask in re.findall(r"^Sig(?:Cgt|Ign):\s*([0-9a-f]+)$", status, re.MULTILINE))


@pytest.mark.parametrize("arguments", [("serve", "--port", "0"), ("worker",)])
def test_sighup_ends_nothing(home: System, arguments: tuple[str, ...]) -> None:
    # These tests may run where it is ignored, as nohup has it, and then they leave it so.
    inherited = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        running = home.start(*arguments)
    finally:
        signal.signal(signal.SIGHUP, inherited)
    running.until_said("\n")
    children = set(running.children())
    eventually(lambda: all(expects_sighup(pid) for pid in (running.process.pid, *children)))
    for pid in (running.process.pid, *children):
        os.kill(pid, signal.SIGHUP)
    eventually(lambda: any(line["event"] == "sighup_ignored" for line in running.logged()))
    time.sleep(0.5)
    assert running.process.poll() is None and set(running.children()) == children
    assert running.stop() == 0
