"""The log is JSON, a line an entry, also of what libraries say; and it quotes no personal data."""

import json
import os
import pty
import subprocess
import sys
from typing import Any

import pytest

SPEAKING = """
import asyncio, gc, logging, sys, warnings
import psycopg
import structlog
from aureum.log import configure

configure("info")
log = structlog.get_logger()
log.info("request", request="r-1", status=200)
log.debug("not at this level")

def fail():
    raise ValueError("Jane Doe, jane@example.com")

async def forgotten():
    asyncio.get_running_loop().create_task(asyncio.to_thread(fail))
    await asyncio.sleep(0.2)
    gc.collect()

asyncio.run(forgotten())
try:
    fail()
except ValueError as error:
    logging.getLogger("uvicorn.error").error("Exception in ASGI application\\n", exc_info=error)
    logging.getLogger("psycopg").warning("error ignored in %r: %s", "pipeline", error)
logging.getLogger("uvicorn.error").info("Started server process")
try:
    psycopg.connect("postgresql://aureum:hush@127.0.0.1:1/aureum")
except psycopg.OperationalError as error:
    logging.getLogger("psycopg.pool").warning("error connecting in %r: %s", "pool-1", error)
warnings.warn("this is old", DeprecationWarning, stacklevel=1)
"""


def test_every_line_is_an_object_and_no_exception_is_quoted() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", SPEAKING], capture_output=True, check=True, text=True, timeout=60
    )
    assert done.stdout == ""
    lines: list[dict[str, Any]] = [json.loads(line) for line in done.stderr.splitlines()]
    assert all({"event", "level", "timestamp"} <= set(line) for line in lines)
    assert lines[0] | {"timestamp": ""} == {
        "event": "request",
        "request": "r-1",
        "status": 200,
        "level": "info",
        "timestamp": "",
    }
    task, server, driver, pool, warning = lines[1:]
    assert (task["logger"], task["message"]) == ("asyncio", "Task exception was never retrieved")
    assert (task["error"], task["level"]) == ("ValueError", "error") and any("fail" in place for place in task["trace"])
    assert (server["message"], server["error"]) == ("Exception in ASGI application", "ValueError")
    assert driver["message"] == "error ignored in 'pipeline': ValueError"
    assert "port 1 failed: Connection refused" in pool["message"]
    assert warning["logger"] == "py.warnings" and "this is old" in warning["message"]
    for private in ("Jane", "jane@example.com", "hush", "Traceback"):
        assert private not in done.stderr


BOUND = """
import structlog
from aureum.log import configure

configure({level!r})
log = structlog.get_logger().bind(process="http")
log.info("request", status=200)
log.warning("slow", ms=1_000)
log.bind(process="worker").info("begun")
"""


def test_what_is_bound_is_in_each_line_and_each_level_has_its_own() -> None:
    logged = {}
    for level in ("debug", "info", "warning"):
        command = [sys.executable, "-c", BOUND.format(level=level)]
        done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60)
        logged[level] = [json.loads(line) for line in done.stderr.splitlines()]
        assert all(line.pop("timestamp") for line in logged[level])

    request = {"process": "http", "status": 200, "event": "request", "level": "info"}
    slow = {"process": "http", "ms": 1_000, "event": "slow", "level": "warning"}
    begun = {"process": "worker", "event": "begun", "level": "info"}
    assert logged == {"debug": [request, slow, begun], "info": [request, slow, begun], "warning": [slow]}


def test_a_process_that_cannot_start_says_why_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "aureum.processes.child", "worker"],
        env={"AUREUM_DATABASE_URL": "postgresql://aureum:hush@127.0.0.1:1/aureum", "PATH": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = [json.loads(line) for line in done.stderr.splitlines()]
    assert (line["event"], line["process"]) == ("process_ended", "worker")
    assert line["reason"].startswith("AUREUM_MASTER_KEY is not set") and "hush" not in done.stderr


@pytest.mark.parametrize(("wish", "coloured"), [("", True), ("1", False)])
def test_colours_on_a_terminal_unless_they_are_not_wanted(wish: str, coloured: bool) -> None:
    ours, theirs = pty.openpty()
    script = (
        "import structlog; from aureum.log import configure; configure('info'); structlog.get_logger().info('said')"
    )
    environment = {**os.environ, "NO_COLOR": wish, "TERM": "xterm-256color"}
    subprocess.run([sys.executable, "-c", script], env=environment, stderr=theirs, check=True, timeout=60)
    os.close(theirs)
    said = os.read(ours, 10_000)
    os.close(ours)
    assert b"said" in said and (b"\x1b[" in said) == coloured
