"""A process that delivers webhooks, sends mail and keeps the timers."""

import asyncio
import socket
from contextlib import nullcontext
from datetime import timedelta

from prometheus_client import Counter

from aureum.domain.ids import to_wire
from aureum.mail.letters.about import LetterSettings
from aureum.mail.queue.observing import Observed as MailObserved
from aureum.mail.worker.counters import MailCounters
from aureum.mail.worker.mail_settings import MailSettings
from aureum.metrics import GAUGES, WorkerMetrics
from aureum.processes.resident import leave_alone_what_stays
from aureum.processes.worker_page import WorkerPage, shown
from aureum.settings import Settings
from aureum.settings.mail import mail_directory, mail_from
from aureum.settings.smtp import smtp_server
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.postgres.watch import Watch
from aureum.store.signed_checkpoints import signing_key
from aureum.webhooks.queue.observing import Observed
from aureum.webhooks.worker.counters import Counters
from aureum.webhooks.worker.worker_settings import WorkerSettings
from aureum.worker.checkpointing import CheckpointSettings
from aureum.worker.worker import run_worker

UNLIMITED = 1 << 62


async def deliver(
    settings: Settings,
    url: str,
    key: bytes,
    stop: asyncio.Event,
    listener: socket.socket | None = None,
    local_url: str | None = None,
) -> None:
    """Deliver webhooks and send mail until *stop*; what is under way is finished. On *listener* the worker shows its
    measurements. *local_url* is where this machine reaches the server, for mails of the demonstration."""
    metrics = WorkerMetrics()
    worker = WorkerSettings(
        allow_networks=settings.webhook_allow_networks,
        pool_size=settings.pool_size,
        prepared=settings.prepared_statements,
        database_timeout=settings.database_timeout,
        routing_model=settings.routing_model,
        security_log_days=settings.security_log_days,
        documents_url=settings.documents_url,
        tsa_url=None if settings.tsa_url is None else settings.tsa_url.get_secret_value(),
        docusign_url=settings.docusign_url,
    )
    watch = Watch(settings.database_timeout, metrics.database_timeouts.inc)
    page = nullcontext() if listener is None else shown(WorkerPage(settings, url, metrics, watch), listener)
    leave_alone_what_stays()
    async with page:
        await run_worker(
            url,
            TenantKeys(MasterKey(key)),
            stop,
            settings=worker,
            counters=MeteredCounters(metrics),
            watch=watch,
            mail=mail_settings(settings, local_url),
            mail_counters=MeteredMailCounters(metrics),
            checkpoints=checkpoint_settings(settings, key),
        )


class MeteredCounters(Counters):
    """The worker's counters, shown to Prometheus as well."""

    def __init__(self, metrics: WorkerMetrics) -> None:
        super().__init__()
        self.metrics = metrics
        # Finding a metric by its labels costs more than adding to it.
        self.children: dict[str, Counter] = {}

    def ended(self, outcome: str) -> None:
        super().ended(outcome)
        child = self.children.get(outcome)
        if child is None:
            child = self.children[outcome] = self.metrics.attempts.labels(outcome)
        child.inc()

    def flying(self, attempts: int) -> None:
        super().flying(attempts)
        self.metrics.in_flight.set(attempts)

    def attempted_first(self, lag: timedelta) -> None:
        super().attempted_first(lag)
        self.metrics.delivery_lag.observe(lag.total_seconds())

    def attempted(self, error: str | None, seconds: float) -> None:
        super().attempted(error, seconds)
        self.metrics.observe_attempt(error, seconds)

    def hosts_open(self, hosts: int) -> None:
        super().hosts_open(hosts)
        self.metrics.open_hosts.set(hosts)

    def mended(self, lanes: int) -> None:
        super().mended(lanes)
        self.metrics.mended.inc(lanes)

    def observed(self, found: Observed) -> None:
        super().observed(found)
        values = {name: getattr(found, name) for name in GAUGES}
        self.metrics.show_queue(values, {to_wire(tenant): age for tenant, age in found.oldest_due.items()})


class MeteredMailCounters(MailCounters):
    """What the worker has done with mail, shown to Prometheus as well."""

    def __init__(self, metrics: WorkerMetrics) -> None:
        super().__init__()
        self.metrics = metrics

    def ended(self, outcome: str) -> None:
        super().ended(outcome)
        self.metrics.mails.labels(outcome).inc()

    def accepted_first(self, lag: timedelta) -> None:
        super().accepted_first(lag)
        self.metrics.mail_lag.observe(lag.total_seconds())

    def observed(self, found: MailObserved) -> None:
        super().observed(found)
        self.metrics.show_mail(found.due, found.oldest_due)


def mail_settings(settings: Settings, local_url: str | None) -> MailSettings:
    """The settings of the worker's mail; *local_url* is where this machine reaches the server. Raises SettingsError."""
    server = None if settings.smtp_url is None else smtp_server(settings.smtp_url)
    letters = LetterSettings(
        settings.base_domain, settings.public_url, local_url, settings.confirmation_limit or UNLIMITED
    )
    return MailSettings(mail_from(settings), server, mail_directory(settings), letters=letters)


def checkpoint_settings(settings: Settings, key: bytes) -> CheckpointSettings | None:
    """Where signed checkpoints go; None for nowhere."""
    if settings.checkpoint_file is None and settings.checkpoint_url is None:
        return None
    seconds = 60.0 * settings.checkpoint_minutes
    url = None if settings.checkpoint_url is None else settings.checkpoint_url.get_secret_value()
    return CheckpointSettings(signing_key(key), settings.checkpoint_file, url, seconds)
