"""Where a read may happen: what the primary and a replica have in common for the reader."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from uuid import UUID

Values = Sequence[Any]
Rows = list[Any]


class Told(NamedTuple):
    """What the gate has told of a tenant: how far its log has come, and how often its read models were rebuilt. What is
    read for that caller must be at least as new."""

    tenant_id: UUID
    head: int
    read_version: int


class Batched(Protocol):
    """Reads that wait at the same moment are batched (``batched_reads.py``)."""

    async def ask(self, statement: str, values: Values) -> Rows: ...


class Reader(Protocol):
    """The primary (``Database``) or a replica (``replica.py``). Every method raises Unavailable."""

    @property
    def batched(self) -> Batched: ...

    async def rows(self, query: str, parameters: Mapping[str, Any]) -> Rows: ...

    async def tenant_rows(self, tenant_id: UUID, query: str, parameters: Mapping[str, Any]) -> Rows: ...

    async def tenant_results(self, tenant_id: UUID, queries: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Rows]: ...
