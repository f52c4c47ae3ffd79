"""``serve`` and ``worker``: ready, measured, drained."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

from aureum.domain.ids import from_wire
from tests.conftest import fresh_database
from tests.e2e.system import PATIENCE, Ended, Running, System, descendants, eventually, kill, lives, system
from tests.e2e.test_story import FORM, inbox

ATTEMPTS = "SELECT outcome FROM webhook_attempts WHERE endpoint_id = %s"


def another() -> dict[str, str]:
    """A form that has not been sent yet."""
    return FORM | {"message": uuid4().hex}


@pytest.fixture(scope="module")
def demo_url(server_url: str, template: str) -> Iterator[str]:
    """A database of the operator's own with the demo in it."""
    with fresh_database(server_url, template) as url, system(url) as home:
        assert home.json("demo")["apiKey"].startswith("aur_")
        yield url


@pytest.fixture
def home(demo_url: str) -> Iterator[System]:
    with system(demo_url, AUREUM_WEBHOOK_ALLOW_NETWORKS="127.0.0.0/8") as made:
        yield made


def value(running: Running, name: str) -> float:
    """A measurement of all processes together."""
    text = running.ask("GET", "/metrics").body.decode()
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert found is not None, f"{name} is missing in\n{text}"
    return float(found[1])


def test_two_processes_without_a_worker_measured_as_one(home: System) -> None:
    running = home.serve("--workers", "2", "--no-worker")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", running.url)
    assert len(running.children()) == 2
    for path in ("/healthz", "/readyz"):
        for host in ("localhost", "nobody.example.com", "127.0.0.1"):
            assert running.ask("GET", path, host=host).status == 200
    for _ in range(34):
        running.ask("GET", "/healthz")
    # A request is counted when its answer is out: the last one perhaps a moment after we have read it.
    eventually(lambda: value(running, 'aureum_http_request_seconds_count{route="/healthz"}') == 37, 5)
    assert value(running, 'aureum_http_requests_total{method="GET",route="/healthz",status="200"}') == 37
    assert running.stop() == 0


DOCUMENTS = ("/lxml/", "/pypdfium2_raw/", "/PIL/", "/uharfbuzz/")
"""Where the libraries of documents that are no Python have their code."""

LOADING = """
import lxml.etree, pypdfium2, PIL._imaging, uharfbuzz
print(open("/proc/self/maps").read())
"""


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux tells what a process has loaded")
def test_what_documents_need_is_loaded_by_no_process_before_a_file_comes(home: System) -> None:
    control = subprocess.run([sys.executable, "-c", LOADING], check=True, capture_output=True, text=True, timeout=60)
    assert all(one in control.stdout for one in DOCUMENTS)
    running = home.serve("--workers", "2")

    def loaded() -> dict[int, list[str]]:
        """By process, the libraries of documents that it has loaded."""
        maps = {}
        for pid in descendants(running.process.pid):
            with suppress(OSError):  # it has ended meanwhile
                maps[pid] = Path(f"/proc/{pid}/maps").read_text()
        return {pid: found for pid, text in maps.items() if (found := [one for one in DOCUMENTS if one in text])}

    assert running.ask("POST", "/api/contact", another()).status == 200
    for path in ("/healthz", "/portal", "/portal/verify", "/admin/login", "/api/leads/count"):
        assert running.ask("GET", path).status in (200, 303), path
    assert loaded() == {}
    serving = set(descendants(running.process.pid))
    file = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.pdf"\r\n\r\nhello\r\n--b--\r\n'
    about = {
        "Content-Type": "multipart/form-data; boundary=b",
        "Content-Length": str(len(file)),
        "Origin": "http://localhost",
    }
    parts = urlsplit(running.url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
    connection.request("POST", "/portal/verify", file, about | {"Host": "localhost"})
    assert b"This file is not a PDF" in connection.getresponse().read()
    connection.close()
    assert not serving & set(loaded()), "a process of its own looks at the file"
    assert running.stop() == 0


def test_ready_as_a_document_and_measurements_not_for_everybody(home: System) -> None:
    home.settings["AUREUM_METRICS_NETWORKS"] = "192.0.2.0/24"
    running = home.start("serve", "--port", "0", "--no-worker", "--json")
    running.until_said("}\n")
    assert list(json.loads(running.out.read_text())) == ["url"]
    refused = running.ask("GET", "/metrics")
    assert refused.status == 404 and b"aureum_" not in refused.body
    assert running.ask("GET", "/healthz").status == 200


def test_run_prints_one_document_and_nothing_else(home: System) -> None:
    demo = home.json("demo")
    running = home.start("run", "--port", "0", "--json")
    running.until_said("}\n")
    document = Ended(0, running.out.read_text(), "").json
    url = document["url"]
    assert document == {**demo, "url": url} and url.startswith("http://localhost:")
    answer = running.ask("GET", "/api/me", headers={"Authorization": f"Bearer {document['apiKey']}"})
    assert answer.status == 200
    assert running.stop() == 0
    assert Ended(0, running.out.read_text(), "").json == document
    running.logged()


def test_requests_and_attempts_under_way_are_finished(home: System, demo_url: str) -> None:
    """SIGTERM comes while a form is half sent and a consumer has not answered yet."""
    with inbox() as consumer:
        answering = threading.Event()
        consumer.before_answer = lambda: answering.wait(20)
        endpoint = home.json(
            "webhook", "create", "--brokerage", "demo", "--url", consumer.url, "--event", "lead.created"
        )
        running = home.serve()
        family = descendants(running.process.pid)
        assert len(family) == 3
        assert running.ask("POST", "/api/contact", another()).status == 200
        eventually(lambda: consumer.received)
        # Endpoints of other tests, whose consumers are gone, have had their attempts.
        eventually(lambda: value(running, "aureum_webhook_in_flight") == 1)

        body = json.dumps(another()).encode()
        address = (urlsplit(running.url).hostname, urlsplit(running.url).port)
        with socket.create_connection(address, timeout=20) as half_sent:
            head = "POST /api/contact HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            head += f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
            half_sent.sendall(head.encode())
            assert half_sent.recv(1000).startswith(b"HTTP/1.1 100")
            running.process.terminate()
            eventually(lambda: refuses(address))
            half_sent.sendall(body)
            answered = b""
            while chunk := half_sent.recv(10_000):
                answered += chunk
        assert answered.startswith(b"HTTP/1.1 200") and b'"success":true' in answered
        answering.set()
        assert running.process.wait(30) == 0
    eventually(lambda: not any(lives(pid) for pid in family), 5)
    with psycopg.connect(demo_url) as connection:
        outcomes = connection.execute(ATTEMPTS, [from_wire(endpoint["id"])]).fetchall()
    assert outcomes == [("delivered",)]


def test_who_cannot_wait_says_so_twice(home: System) -> None:
    with inbox() as consumer:
        answering = threading.Event()
        consumer.before_answer = lambda: answering.wait(20)
        home.json("webhook", "create", "--brokerage", "demo", "--url", consumer.url, "--event", "lead.created")
        running = home.serve()
        family = descendants(running.process.pid)
        assert running.ask("POST", "/api/contact", another()).status == 200
        eventually(lambda: consumer.received)
        running.process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            running.process.wait(1)
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(5) == 0
        answering.set()
    assert not any(lives(pid) for pid in family)


def refuses(address: tuple[str | None, int | None]) -> bool:
    """Whether nothing listens any more."""
    try:
        socket.create_connection(address, timeout=5).close()
    except OSError:
        return True
    return False


def test_a_worker_alone_delivers_what_a_server_without_one_took(home: System) -> None:
    with inbox() as consumer:
        home.json("webhook", "create", "--brokerage", "demo", "--url", consumer.url, "--event", "lead.created")
        server = home.serve("--no-worker")
        worker = home.start("worker", "--json")
        worker.until_said("\n")
        assert json.loads(worker.out.read_text()) == {"delivering": True}
        assert server.ask("POST", "/api/contact", another()).status == 200
        eventually(lambda: consumer.received)
        assert [event["event"] for event in consumer.events()] == ["lead.created"]
        assert worker.stop() == 0
        assert server.stop() == 0


def test_a_port_that_is_taken(home: System) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = home.run("serve", "--port", str(port))
    assert (ended.code, ended.out) == (1, "")
    why = f"Cannot listen on 127.0.0.1 port {port}: Address already in use. Choose another with --host and --port.\n"
    assert ended.err == why


def test_a_process_that_is_killed_while_it_starts_is_started_again(home: System) -> None:
    running = home.start("serve", "--port", "0", "--workers", "3", "--no-worker")
    killed: set[int] = set()
    for _ in range(2):
        eventually(lambda: set(running.children()) - killed or running.process.poll() is not None)
        assert running.process.poll() is None, running.err.read_text()
        victim = min(set(running.children()) - killed)
        kill(victim)
        killed.add(victim)
    running.until_said("Aureum is ready at")
    eventually(lambda: len(set(running.children()) - killed) == 3)
    assert running.ask("GET", "/readyz").status == 200
    assert running.stop() == 0
