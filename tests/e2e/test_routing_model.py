"""The routing model's process beside ``aureum serve``: loaded before readiness, started again, gone with it."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.conftest import fresh_database
from tests.e2e.system import Running, System, descendants, eventually, kill, lives, system
from tests.e2e.test_story import FORM

OPEN = "Somewhere close to the river where we can walk to dinner, top floor, with a view and a garage"


def models(running: Running) -> set[int]:
    """The model's processes that *running* has started."""
    return {pid for pid in descendants(running.process.pid) if b"aureum.routing.model_server" in command(pid)}


def command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def form(running: Running) -> int:
    """The status of a form that is like no other."""
    return running.ask("POST", "/api/contact", FORM | {"message": f"{OPEN} {uuid4().hex}"}).status


def events(running: Running) -> list[str]:
    """What it has logged of the model."""
    return [line["event"] for line in running.logged() if line["event"].startswith("routing_model")]


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Where nothing may be left."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    return folder


@pytest.fixture
def home(server_url: str, template: str, temporary: Path) -> Iterator[System]:
    """An installation with the demo, and the model that ships."""
    with (
        fresh_database(server_url, template) as url,
        system(url, AUREUM_ROUTING_MODEL="bundled", AUREUM_FORM_RATE_LIMIT="0", TMPDIR=str(temporary)) as made,
    ):
        made.json("demo")
        yield made


def test_it_lives_and_dies_with_the_server(home: System, temporary: Path) -> None:
    running = home.serve("--workers", "2")
    # It is announced when one of the processes is ready. The other one may not be yet.
    eventually(lambda: all(running.ask("GET", "/readyz").status == 200 for _ in range(8)))
    (first,) = models(running)
    assert form(running) == 200
    kill(first)
    assert form(running) == 200
    eventually(lambda: models(running) - {first})
    assert form(running) == 200 and events(running) == ["routing_model_died"]
    # The other processes end when the supervisor is gone; so does the model's.
    family = descendants(running.process.pid)
    kill(running.process.pid)
    running.process.wait(10)
    eventually(lambda: not any(lives(pid) for pid in family), 30)
    eventually(lambda: not list(temporary.glob("aureum-model-*")), 5)


def test_what_cannot_be_loaded_is_said_once_and_holds_nothing_up(home: System) -> None:
    home.settings["AUREUM_ROUTING_MODEL"] = "no.such:model"
    running = home.serve("--no-worker")
    assert form(running) == 200
    (line,) = [line for line in running.logged() if line["event"].startswith("routing_model")]
    assert (line["event"], line["level"]) == ("routing_model_not_loaded", "error")
    assert line["reason"] == "The model no.such:model cannot be loaded: ModuleNotFoundError."
    assert "AUREUM_ROUTING_MODEL" in line["then"]
    assert running.stop() == 0
    home.settings["AUREUM_ROUTING_MODEL"] = "none"
    without = home.serve("--no-worker")
    assert models(without) == set() and form(without) == 200 and events(without) == []
    assert without.stop() == 0
