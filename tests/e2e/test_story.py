"""The whole story: ``aureum run`` on an empty machine, the printed lines pasted into a shell, a lead that is listed,
counted, delivered, verified by others' code, audited, verified and rebuilt.
"""

import json
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from standardwebhooks.webhooks import Webhook

from aureum.cli.serve import STOP
from tests.e2e.system import Running, System, eventually, lives, system
from tests.webhooks.sending.test_signing import Case, ask_node

FORM = {
    "firstName": "Grace",
    "lastName": "Hopper",
    "email": "grace.hopper@example.com",
    "phone": "208-555-0123",
    "subject": "Ten acres",
    "message": "Land for a cabin, ten acres or more.",
}


@dataclass
class Inbox:
    """A consumer's system: what it received, body and headers."""

    url: str
    received: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    before_answer: Callable[[], object] = lambda: None

    def events(self) -> list[Any]:
        return [json.loads(body) for body, _ in self.received]


@contextmanager
def inbox() -> Iterator[Inbox]:
    """A receiver on the loopback address that answers 204."""
    made = Inbox("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.received.append((body, {name.lower(): value for name, value in self.headers.items()}))
            made.before_answer()
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_port}/hooks"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def home() -> Iterator[System]:
    with system(AUREUM_WEBHOOK_ALLOW_NETWORKS="127.0.0.0/8") as made:
        yield made


@pytest.fixture(scope="module")
def running(home: System) -> Running:
    """What ``make run`` starts, when it has said all."""
    started = home.start("run", "--port", "0", "--workers", "2")
    started.until_said(STOP)
    return started


@pytest.fixture(scope="module")
def demo(home: System, running: Running) -> Any:
    """What a script learns of the demo, while the server runs."""
    return home.json("demo")


READ_MODELS = (
    "lead_list",
    "lead_counts",
    "contact_list",
    "conversation_list",
    "shortlists",
    "key_dates",
    "property_list",
    "task_list",
    "tour_list",
    "envelope_template_list",
    "envelope_list",
    "subscriber_list",
)
"""That can be rebuilt."""


def pasted(line: str) -> Any:
    """What a line prints when it is pasted into a shell."""
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=True, timeout=30)
    return json.loads(done.stdout)


def test_the_printed_lines_work_in_a_shell(running: Running) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed.")
    said = running.out.read_text()
    assert said.startswith("Aureum is ready at http://127.0.0.1:")
    count, post, listing = (line.strip() for line in said.splitlines() if line.startswith("  curl "))
    before = pasted(count)
    assert before["total"] == 40 and all(before[status] > 0 for status in before)
    thanked = pasted(post)
    assert thanked["success"] is True and isinstance(thanked["lead_id"], int)
    assert pasted(count) == before | {"new": before["new"] + 1, "total": 41}
    newest = pasted(listing)
    assert len(newest) == 3 and newest[0]["name"] == "John Smith" and newest[0]["assignedToId"]


def test_what_is_printed_is_what_scripts_get(running: Running, demo: Any) -> None:
    said = running.out.read_text()
    assert set(demo) == {"url", "apiKey", "admin", "client"} and set(demo["admin"]) == {"email", "password"}
    for printed in (demo["apiKey"], *demo["admin"].values()):
        assert re.search(rf"\s{re.escape(printed)}\n", said)


def test_from_the_form_to_the_audit(home: System, running: Running, demo: Any) -> None:
    key = {"Authorization": f"Bearer {demo['apiKey']}"}
    with inbox() as consumer:
        registered = home.json(
            "webhook", "create", "--brokerage", "demo", "--url", consumer.url, "--event", "lead.created"
        )
        thanked = running.ask("POST", "/api/contact", FORM)
        assert thanked.status == 200
        number = thanked.json["lead_id"]
        # Read your own write, whichever process answers.
        newest = [running.ask("GET", "/api/leads?limit=1", headers=key).json[0] for _ in range(8)]
        assert {lead["email"] for lead in newest} == {FORM["email"]}
        lead = newest[0]
        eventually(lambda: consumer.received)

    body, headers = consumer.received[0]
    event = json.loads(body)
    assert (event["event"], event["data"]) == ("lead.created", lead)
    assert headers["x-aureum-event"] == "lead.created"
    secret = registered["secret"]
    signed = Case(body, headers["x-aureum-signature"], secret)
    assert ask_node([signed, signed._replace(body=body + b" ")]) == [True, False]
    assert Webhook(secret).verify(body, headers) == event

    audited = home.json("audit", "lead", str(number))
    assert audited["id"] == lead["id"]
    assert {name: audited["state"][name] for name in lead} == lead
    assert audited["state"]["number"] == number and audited["state"]["phoneE164"] == "+12085550123"
    (captured,) = audited["events"]
    assert (captured["type"], captured["actor"]["type"], captured["at"]) == (
        "lead.captured",
        "visitor",
        lead["createdAt"],
    )
    assert home.json("audit", "verify")["ok"] is True
    listed = running.ask("GET", "/api/leads", headers=key).body
    rebuilt = home.json("projections", "rebuild", "--brokerage", "demo")
    assert [(one["brokerage"], one["name"]) for one in rebuilt] == [("demo", name) for name in READ_MODELS]
    assert running.ask("GET", "/api/leads", headers=key).body == listed

    eventually(lambda: b'aureum_webhook_attempts_total{outcome="delivered"} 1.0' in metrics(running))
    assert b"aureum_webhook_lag_seconds_count 1.0" in metrics(running)
    eventually(lambda: b"aureum_webhook_in_flight 0.0" in metrics(running))
    assert b"aureum_webhook_running_replays 0.0" in metrics(running)


def test_the_mails_of_the_form_are_files_where_the_printed_line_says(running: Running) -> None:
    """After the form of the story."""
    said = re.search(r"^  Mail +written to files in (.+)$", running.out.read_text(), re.MULTILINE)
    assert said is not None

    def of_the_form() -> list[EmailMessage]:
        texts = [path.read_bytes() for path in Path(said[1]).glob("*.eml")]
        mails = [message_from_bytes(text, policy=policy.default) for text in texts]
        return [mail for mail in mails if FORM["email"] in f"{mail['To']} {mail['Reply-To']}"]

    eventually(lambda: len(of_the_form()) == 2)
    staffs, visitors = sorted(of_the_form(), key=lambda mail: FORM["email"] in mail["To"])
    assert staffs["Reply-To"] == FORM["email"] and "Grace Hopper" in staffs["Subject"]
    text = staffs.get_body(("plain",))
    assert text is not None
    link = re.search(r"http://localhost:\d+/admin/leads/\w+", text.get_content())
    assert link is not None and running.ask("GET", urlsplit(link[0]).path).status == 303
    assert FORM["message"] not in visitors.as_string() and visitors["Auto-Submitted"] == "auto-generated"
    assert b'aureum_mails_total{outcome="sent"}' in metrics(running)


def metrics(running: Running) -> bytes:
    return running.ask("GET", "/metrics").body


def test_history_as_of_a_moment(home: System, running: Running, demo: Any) -> None:
    key = {"Authorization": f"Bearer {demo['apiKey']}"}
    leads = running.ask("GET", "/api/leads", headers=key).json
    lead = next(lead for lead in leads if lead["status"] == "converted")
    whole = home.json("audit", "lead", lead["id"])
    assert len(whole["events"]) >= 6
    told = running.ask("GET", f"/api/leads/{lead['id']}/history", headers=key).json
    # To clients it also says the names of those who did it, and what can be undone.
    said = [{name: entry[name] for name in ("version", "type", "at", "changes")} for entry in told]
    assert said == [{name: entry[name] for name in ("version", "type", "at", "changes")} for entry in whole["events"]]
    moment = whole["events"][2]["at"]
    then = home.json("audit", "lead", lead["id"], "--as-of", moment)
    assert then["events"] == [event for event in whole["events"] if event["at"] <= moment] != whole["events"]
    shown = running.ask("GET", f"/api/leads/{lead['id']}?asOf={moment}", headers=key).json
    # The command line tells more of the routing: what met, and the pool.
    state = then["state"]
    state["routing"] = {name: state["routing"][name] for name in shown["routing"]}
    assert {name: state[name] for name in shown} == shown != lead


def test_the_log_names_requests_and_no_person(running: Running) -> None:
    asked = running.ask("GET", "/api/leads/count?secret=whispered", headers={"X-Request-Id": "tour-1"})
    assert asked.headers["x-request-id"] == "tour-1"
    eventually(lambda: any(line.get("request") == "tour-1" for line in running.logged()))
    entry = next(line for line in running.logged() if line.get("request") == "tour-1")
    assert (entry["event"], entry["route"], entry["status"]) == ("request", "/api/leads/count", 200)
    log = running.err.read_text().lower()
    for private in ("whispered", "grace", "hopper", "john", "smith", "208-555", "ten acres", "aur_", "whsec_"):
        assert private not in log, private


def test_ctrl_c_is_quiet(running: Running) -> None:
    """Last in this file: it ends what the others use."""
    family = running.children()
    assert len(family) == 4  # two HTTP processes, the worker, the database
    said = running.err.read_text()
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(60) == 0
    assert running.err.read_text() == said
    eventually(lambda: not any(lives(pid) for pid in family), 5)
