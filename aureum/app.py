"""The composition root: everything that a process needs, opened once and closed in order."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aureum.http.answer_cache import AnswerCache
from aureum.http.gate import Gate
from aureum.http.sites import Sites
from aureum.metrics import Metrics
from aureum.settings import Settings
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.database import Database
from aureum.store.event_store import EventStore
from aureum.store.notify import Notifier
from aureum.store.writer import AppendWriter


@dataclass(frozen=True)
class Aureum:
    """What the HTTP functions reach through ``request.app.state.aureum``."""

    settings: Settings
    database: Database
    store: EventStore
    gate: Gate
    answers: AnswerCache
    metrics: Metrics
    sites: Sites


@asynccontextmanager
async def open_store(settings: Settings, url: str, key: bytes) -> AsyncIterator[EventStore]:
    """The event store alone, as the command line uses it. *url* is the database's, *key* the master key."""
    prepared = settings.prepared_statements
    async with (
        Database(url, pool_size=settings.pool_size, prepared=prepared) as database,
        AppendWriter(url, prepared=prepared, form_limit=settings.form_rate_limit) as writer,
        Notifier(database) as notifier,
    ):
        yield EventStore(database, writer, TenantKeys(MasterKey(key)), notifier)


@asynccontextmanager
async def open_aureum(settings: Settings, url: str, key: bytes) -> AsyncIterator[Aureum]:
    """All that one HTTP process needs: a writer, a gate, a notifier and ``pool_size`` readers."""
    gate = Gate(url, form_rate_limit=settings.form_rate_limit, prepared=settings.prepared_statements)
    async with open_store(settings, url, key) as store, gate:
        yield Aureum(
            settings,
            store.database,
            store,
            gate,
            AnswerCache(),
            Metrics(),
            Sites(gate, store.database, settings.base_domain),
        )
