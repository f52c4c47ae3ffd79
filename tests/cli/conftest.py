"""``aureum`` in this process, on a real database: a second of imports less for every command."""

import asyncio
import io
import os
import signal
import sys
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest
import structlog

from aureum.cli.installation import tenant_of
from aureum.cli.main import main
from aureum.domain.lead import Lead
from aureum.store.event_store import EventStore
from tests.conftest import MASTER_KEY
from tests.e2e.system import Ended
from tests.stores import capture, opened_store

Result = TypeVar("Result")


@dataclass
class Terminal:
    """A terminal in which commands are typed."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    url: str

    def run(self, *arguments: str, stdin: str = "") -> Ended:
        """Run a command to its end."""
        self.capsys.readouterr()
        self.monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code: int | str | None = 0
        try:
            main(list(arguments))
        except SystemExit as end:
            code = end.code
        said = self.capsys.readouterr()
        assert isinstance(code, int), code
        return Ended(code, said.out, said.err)

    def json(self, *arguments: str, stdin: str = "") -> Any:
        """The document that a command prints; it must succeed and say nothing else."""
        ended = self.run(*arguments, "--json", stdin=stdin)
        assert (ended.code, ended.err) == (0, ""), ended
        return ended.json

    def brokerage(self, plan: str = "elite") -> str:
        """The slug of a new one."""
        slug = f"b-{uuid4().hex}"
        assert self.json("brokerage", "create", "--name", "B", "--slug", slug, "--plan", plan)["slug"] == slug
        return slug

    def capture(self, slug: str, **fields: Any) -> Lead:
        """A new lead of a brokerage."""

        async def work(store: EventStore) -> Lead:
            return await capture(store, await tenant_of(store.database, slug), **fields)

        return self.in_store(work)

    def in_store(self, work: Callable[[EventStore], Awaitable[Result]]) -> Result:
        """Do *work* on the same database, without the command line."""

        async def run() -> Result:
            async with opened_store(self.url) as store:
                return await work(store)

        return asyncio.run(run())


@pytest.fixture
def terminal(
    module_database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Terminal]:
    """A terminal in an empty directory, with an operator's own database in the settings."""
    for name in os.environ:
        if name.startswith("AUREUM_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AUREUM_DATABASE_URL", module_database_url)
    monkeypatch.setenv("AUREUM_MASTER_KEY", b64encode(MASTER_KEY).decode())
    monkeypatch.setenv("AUREUM_DATA_DIR", str(tmp_path / "unused"))
    monkeypatch.chdir(tmp_path)
    handler = signal.getsignal(signal.SIGTERM)
    yield Terminal(monkeypatch, capsys, module_database_url)
    signal.signal(signal.SIGTERM, handler)
    structlog.reset_defaults()
    assert not (tmp_path / "unused").exists(), "with a database of one's own nothing is kept in the data directory"
