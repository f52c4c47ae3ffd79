"""The composition root: everything that a process needs, opened once and closed in order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aureum.http.access.arrivals import Arrivals
from aureum.http.access.gate import Gate
from aureum.http.access.security import SecurityNotes
from aureum.http.access.sites import Sites
from aureum.http.access.uses import Uses
from aureum.http.contract.answer_cache import AnswerCache
from aureum.http.contract.past import Pasts
from aureum.metrics import Metrics
from aureum.settings import Settings
from aureum.signing.docusign.tokens import Tokens
from aureum.store.blobs import BlobStore
from aureum.store.blobs.opening import open_blobs
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.event_store import EventStore
from aureum.store.postgres.database import Database
from aureum.store.postgres.notify import Notifier
from aureum.store.postgres.replicas import Replicas
from aureum.store.postgres.watch import Watch
from aureum.store.writer import AppendWriter

if TYPE_CHECKING:
    from aureum.routing.model_client import ModelClient


@dataclass(frozen=True)
class Aureum:
    """What the HTTP functions reach through ``request.app.state.aureum``."""

    settings: Settings
    database: Database
    store: EventStore
    gate: Gate
    answers: AnswerCache
    pasts: Pasts
    metrics: Metrics
    sites: Sites
    security: SecurityNotes
    blobs: BlobStore
    """Where the bytes of documents are."""
    docusign_tokens: Tokens
    replicas: Replicas | None = None
    """Where lists are read, if there are replicas."""
    model: ModelClient | None = None
    """The connection to the model by which enquiries are compared with profiles; None if there is no model."""


@asynccontextmanager
async def open_store(settings: Settings, url: str, key: bytes, watch: Watch | None = None) -> AsyncIterator[EventStore]:
    """The event store alone, as the command line uses it. *url* is the database's, *key* the master key.

    Without a *watch* it is waited for with the patience of a tool.
    """
    prepared = settings.prepared_statements
    watch = watch or Watch()
    async with (
        Database(url, pool_size=settings.pool_size, prepared=prepared, watch=watch) as database,
        AppendWriter(url, prepared=prepared, watch=watch) as writer,
        Notifier(database) as notifier,
    ):
        yield EventStore(database, writer, TenantKeys(MasterKey(key)), notifier)


@asynccontextmanager
async def open_aureum(
    settings: Settings, url: str, key: bytes, model_path: Path | None = None
) -> AsyncIterator[Aureum]:
    """All that one HTTP process needs: a writer, a gate, a notifier, ``pool_size`` readers, and the routing model whose
    process answers at *model_path*."""
    # Numpy comes with them, which commands of the command line do without.
    from aureum.commands.ranking import asking, warm_up
    from aureum.routing.model_client import ModelClient

    warm_up()
    metrics = Metrics()
    watch = Watch(settings.database_timeout, metrics.database_timeouts.inc)
    connection = nullcontext() if model_path is None else ModelClient(model_path, seconds=settings.routing_timeout)
    async with (
        open_store(settings, url, key, watch) as store,
        Arrivals(store.database) as arrivals,
        Uses(store.database) as uses,
        SecurityNotes(store) as security,
        Gate(
            url,
            form_rate_limit=settings.form_rate_limit,
            prepared=settings.prepared_statements,
            watch=watch,
            uncounted=metrics.uncounted.inc,
            arrived=arrivals.came,
            used=uses.used,
        ) as gate,
        connection as model,
        replicated(settings, store.database, metrics) as replicas,
    ):
        with asking(model, settings.routing_timeout, metrics.routed_without_model):
            yield Aureum(
                settings,
                store.database,
                store,
                gate,
                AnswerCache(),
                Pasts(),
                metrics,
                Sites(gate, store, settings.base_domain),
                security,
                open_blobs(settings, store.database),
                Tokens(),
                replicas,
                model,
            )


def replicated(settings: Settings, primary: Database, metrics: Metrics) -> AbstractAsyncContextManager[Replicas | None]:
    """The replicas of *primary* that the settings name."""
    if not settings.replica_urls:
        return nullcontext()
    return Replicas(
        primary,
        settings.replica_urls,
        metrics,
        pool_size=settings.pool_size,
        prepared=settings.prepared_statements,
        seconds=settings.database_timeout,
    )
