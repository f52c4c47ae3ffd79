"""Whether a file is one that the brokerage has sealed, and what was changed since."""

from typing import NamedTuple
from uuid import UUID

from aureum.commands.seal_certificates import seal_certificate
from aureum.pdf import process
from aureum.pdf.verifying import Trusted, Verdict
from aureum.projections import sealings
from aureum.store.event_store import EventStore


class Judged(NamedTuple):
    """The verdict, and whether the file, or what of it was sealed, is one that the brokerage keeps."""

    verdict: Verdict
    kept: bool


async def judge(store: EventStore, tenant_id: UUID, file: process.Source, asking: process.Asking = "known") -> Judged:
    """What the *file* is to this brokerage. Raises Refused if it takes too much, Busy, Unavailable."""
    verdict = await process.verified(file, await certificates(store, tenant_id), asking)
    sha256 = verdict.sealed_sha256 or verdict.sha256
    about = {"tenant": tenant_id, "sha256": sha256}
    return Judged(verdict, bool(await store.database.tenant_rows(tenant_id, sealings.IS_SEALED, about)))


async def certificates(store: EventStore, tenant_id: UUID) -> list[Trusted]:
    """All certificates by which the brokerage has ever sealed. Raises Unavailable."""
    found = await seal_certificate(store, tenant_id)
    return [] if found is None else [Trusted(one.certificate, one.chain) for one in found.issued]
