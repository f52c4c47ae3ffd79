"""The worker: follows the logs, delivers webhooks, sends mail, passes leads on, and tidies up, until it has to stop.

    listen ──wakes──▶ project ──hints──▶ dispatch ──▶ attempts ──▶ complete
               │      reap, feed ───────────┘                maintenance
               └────▶ follow for mail ──hints──▶ send mail
    set timers ── due ──▶ fire timers      keep figures
    finish erasures     seal envelopes     delete documents     sign checkpoints, where the operator wants them

Each part is a loop of its own with one rule for failures: log it, wait a little, go on. So a database that goes away
and comes back needs no operator. Notifications make it quick; polling twice a second is what makes it correct.
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from aureum.background.follower import Follower
from aureum.background.persevering import persevere
from aureum.background.waiting import wait_for
from aureum.figures.keeping import Keeper
from aureum.mail.worker.counters import MailCounters
from aureum.mail.worker.mail_settings import MailSettings
from aureum.mail.worker.post import Post
from aureum.signing.completing import sealing_round
from aureum.signing.docusign.http import Docusign
from aureum.signing.docusign.working import docusign_round
from aureum.store.blobs.keeping import KeptBlobs
from aureum.store.blobs.opening import bucket_of
from aureum.store.cipher import TenantKeys
from aureum.store.event_store import EventStore
from aureum.store.postgres.connection import IDLE_SHARE
from aureum.store.postgres.database import Database, connect
from aureum.store.postgres.notify import CHANNEL
from aureum.store.postgres.watch import Watch
from aureum.store.writer import AppendWriter
from aureum.timers.envelopes import envelope_round
from aureum.timers.firing import Setter, fire_round
from aureum.webhooks.queue import leases
from aureum.webhooks.sending.sender import Sender
from aureum.webhooks.telling.projector import WEBHOOKS, Projected
from aureum.webhooks.worker.counters import Counters
from aureum.webhooks.worker.dispatcher import WRITE_SECONDS, Dispatcher
from aureum.webhooks.worker.endpoints import Endpoints
from aureum.webhooks.worker.feeder import Feeder
from aureum.webhooks.worker.maintenance import maintenance
from aureum.webhooks.worker.rehearser import rehearsal_round
from aureum.webhooks.worker.worker_settings import WorkerSettings
from aureum.worker.checkpointing import Checkpointing, CheckpointSettings
from aureum.worker.documents import documents_round
from aureum.worker.erasing import erasing_round
from aureum.worker.importing import import_round

REAP_SECONDS = 1.0

FINISH_SECONDS = 1.0
"""To end a claim when the worker is told to stop: besides the time limit of an attempt, and what writing takes."""

CHORE_SECONDS = 60.0
CHORES_AT_ONCE = 2

FOR_MAIL = 3
"""Connections to the database that only mail uses, so that webhooks and mail do not wait for each other."""

SEAL_SECONDS = 1.0
"""How soon an envelope is sealed that all have signed."""

POLL_DOCUSIGN_SECONDS = 2.0
"""How soon an envelope is sent to DocuSign, or fetched there."""

LISTEN_SECONDS = 2.0
"""How long to listen before asking whether the database is there at all."""

STANDSTILL_SECONDS = 20.0
"""A worker that is paused in the middle of a transaction holds locks that others wait for: no longer than this, so that
what it held goes out again in time."""


async def run_worker(
    url: str,
    keys: TenantKeys,
    stop: asyncio.Event,
    *,
    settings: WorkerSettings | None = None,
    counters: Counters | None = None,
    watch: Watch | None = None,
    mail: MailSettings | None = None,
    mail_counters: MailCounters | None = None,
    checkpoints: CheckpointSettings | None = None,
) -> None:
    """Project, deliver and send until *stop* is set; then finish what is under way, in 19 s at most.

    Without *mail* settings no mail is made or sent, without *checkpoints* none is signed. *url* is the owner role's. A
    database that cannot be reached, or does not answer, is waited for. *watch* is what knows how it does; without it
    the worker has one of its own.
    """
    settings = settings or WorkerSettings()
    watch = watch or Watch(settings.database_timeout)
    prepared = settings.prepared
    # What is done beside deliveries may take its time, and must not be cut short because these may not.
    slowly = Watch(max(CHORE_SECONDS, watch.seconds), watch.counted)
    standstill = min(STANDSTILL_SECONDS, IDLE_SHARE * watch.seconds)
    async with (
        Database(
            url, pool_size=settings.pool_size, prepared=prepared, idle_seconds=standstill, watch=watch
        ) as database,
        Database(url, pool_size=CHORES_AT_ONCE, prepared=prepared, watch=slowly) as unhurried,
        Database(url, pool_size=FOR_MAIL, prepared=prepared, idle_seconds=standstill, watch=watch) as for_mail,
        AppendWriter(url, prepared=prepared, watch=watch) as writer,
        Sender(settings.allow_networks, timeout=settings.timeout_seconds) as sender,
        Docusign(settings.docusign_url) as docusign,
    ):
        store = EventStore(database, writer, keys)
        unhurried_store = EventStore(unhurried, writer, keys)
        counters = counters or Counters()
        dispatcher = Dispatcher(database, Endpoints(store), sender, settings, counters)
        asked = asyncio.Event()
        feeder = Feeder(store, dispatcher.hint, settings.poll_seconds, asked)

        def projected(tenant_id: UUID, batch: Projected) -> None:
            if batch.deliveries or batch.requests:
                dispatcher.hint(tenant_id)
            if batch.requests:
                # Perhaps a replay.
                asked.set()

        follower = Follower(store, WEBHOOKS, projected, settings.poll_seconds)
        mail_store = EventStore(for_mail, writer, keys)
        files = None if mail is None else mail.directory
        post = mail and Post(mail_store, unhurried, mail, mail_counters or MailCounters(), settings.poll_seconds, stop)
        wakes = [follower.wake, *([post.follower.wake] if post else [])]
        drained = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                completing = group.create_task(persevere("complete", dispatcher.completer.round, drained))
                listening = group.create_task(persevere("listen", lambda: listen(url, wakes, watch), stop))
                following = group.create_task(persevere("project", follower.round, stop))
                dispatching = group.create_task(persevere("dispatch", dispatcher.round, stop))
                reaping = group.create_task(persevere("reap", lambda: reap(dispatcher, stop), stop))
                feeding = group.create_task(persevere("feed", feeder.round, stop))
                rehearsing = group.create_task(
                    persevere("rehearse", lambda: rehearsal_round(unhurried_store, settings.routing_model, stop), stop)
                )
                importing = group.create_task(
                    persevere("import", lambda: import_round(unhurried_store, stop, settings.routing_model), stop)
                )
                erasing = group.create_task(
                    persevere("erase persons", lambda: erasing_round(unhurried_store, files, stop), stop)
                )
                blobs = KeptBlobs(unhurried, bucket_of(settings.documents_url))
                keeping = group.create_task(
                    persevere("delete documents", lambda: documents_round(unhurried_store, blobs, stop), stop)
                )
                sealing = group.create_task(
                    persevere(
                        "seal envelopes",
                        lambda: sealing_round(unhurried_store, blobs, settings.tsa_url, SEAL_SECONDS, stop),
                        stop,
                    )
                )
                at_docusign = group.create_task(
                    persevere(
                        "work on DocuSign envelopes",
                        lambda: docusign_round(unhurried_store, blobs, docusign, POLL_DOCUSIGN_SECONDS, stop),
                        stop,
                    )
                )
                pauses = (settings.lease_seconds, settings.poll_seconds)
                timing = [
                    group.create_task(persevere("set timers", Setter(store, settings.poll_seconds, stop).round, stop)),
                    group.create_task(persevere("fire timers", lambda: fire_round(store, *pauses, stop), stop)),
                    group.create_task(
                        persevere("fire timers of envelopes", lambda: envelope_round(store, *pauses, stop), stop)
                    ),
                    group.create_task(
                        persevere("keep figures", Keeper(store, settings.poll_seconds, stop).round, stop)
                    ),
                ]
                others = [
                    group.create_task(persevere(part, work, stop))
                    for part, work in {
                        **maintenance(unhurried, counters, dispatcher.hint, stop, settings.security_log_days),
                        **(post.chores if post else {}),
                    }.items()
                ]
                posting = [
                    group.create_task(persevere(part, work, stop)) for part, work in (post.work if post else {}).items()
                ]
                if checkpoints is not None:
                    signing = Checkpointing(unhurried, checkpoints, stop)
                    others.append(group.create_task(persevere("sign checkpoints", signing.round, stop)))
                await stop.wait()
                for task in (
                    listening,
                    reaping,
                    feeding,
                    rehearsing,
                    importing,
                    erasing,
                    keeping,
                    sealing,
                    at_docusign,
                    *timing,
                    *others,
                ):
                    task.cancel()
                dispatcher.stop()
                follower.wake.set()
                if post:
                    post.stop()
                # Not cancelled at once: what a claim under way has leased is to be given back.
                await asyncio.wait((following, dispatching, *posting), timeout=FINISH_SECONDS)
                for hurried in (watch, slowly):
                    hurried.hurry(WRITE_SECONDS)
                sending = [post.dispatcher.finish(settings.timeout_seconds)] if post else []
                await asyncio.gather(dispatcher.finish(settings.timeout_seconds), *sending)
                drained.set()
                for task in (following, dispatching, completing, *posting):
                    task.cancel()
        finally:
            # Of a worker that was not told to stop, but cancelled.
            await dispatcher.finish(0, 0)
            if post:
                await post.dispatcher.finish(0)


async def listen(url: str, wakes: Sequence[asyncio.Event], watch: Watch) -> None:
    """Set all *wakes* whenever something was appended. Raises what the driver raises when the connection is lost."""
    async with await connect(url, watch=watch) as connection:
        await connection.execute(f"LISTEN {CHANNEL}")
        while True:
            async for _ in connection.notifies(timeout=LISTEN_SECONDS):
                for wake in wakes:
                    wake.set()
            # Silence may be the line's.
            await connection.execute("SELECT 1")


async def reap(dispatcher: Dispatcher, stop: asyncio.Event) -> None:
    """Make due again what a dead or paused worker held, once a second."""
    for tenant_id in await leases.reap(dispatcher.database):
        dispatcher.hint(tenant_id)
    await wait_for(stop, REAP_SECONDS)
