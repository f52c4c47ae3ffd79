"""A tenant's aggregates by the library's ``Repository``, which shows that it can read what is in our log."""

from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.application import Repository
from eventsourcing.persistence import EventStore

from aureum.domain.aggregate import replay
from aureum.store.cipher import TenantKeys
from aureum.store.mapper import EventMapper
from tests.store.recorder import Pool, TenantRecorder, connected

SUBJECT_KEY = """
SELECT s.wrapped, t.wrapped
  FROM subject_keys s
  JOIN tenant_keys t ON t.tenant_id = s.tenant_id
 WHERE s.tenant_id = %(tenant)s AND s.subject_id = %(subject)s
"""


class TenantRepository(Repository[UUID]):
    """The library's repository, folding with our projector."""

    def get(self, aggregate_id: UUID, *, version: int | None = None, **kwargs: Any) -> Any:
        """The aggregate as it is, or was at *version*. Raises the library's AggregateNotFoundError, WrongMasterKey."""
        return super().get(aggregate_id, version=version, projector_func=project, **kwargs)


def project(aggregate: Any, events: Any) -> Any:
    """``replay``, with the arguments as the library gives them."""
    return replay(events, aggregate)


def tenant_repository(pool: Pool, tenant_id: UUID, keys: TenantKeys) -> TenantRepository:
    """The repository of one tenant. A person's key is fetched each time, so that an erased person is gone at once."""

    def subject_key(subject_id: UUID) -> AESGCM | None:
        with connected(pool) as connection:
            parameters = {"tenant": tenant_id, "subject": subject_id}
            row = connection.execute(SUBJECT_KEY, parameters).fetchone()
        if row is None:
            return None
        wrapped, tenant_wrapped = row
        tenant_key = keys.get(tenant_id) or keys.open(tenant_id, tenant_wrapped)
        return tenant_key.open_subject_key(subject_id, wrapped)

    return TenantRepository(EventStore(EventMapper(tenant_id, subject_key), TenantRecorder(pool, tenant_id)))
