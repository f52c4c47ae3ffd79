"""An import as its row has it: what was asked for, how its columns are read, how far it has come.

    waiting ──▶ checking ──▶ checked ──▶ running ──rows are done──▶ completed ──▶ undoing ──▶ undone
       └────────────────────────────────▶ ↑   └──it broke off three times──▶ failed
    any but completed and undone ──▶ cancelled; what was made stays, and can be undone

The command line does its imports at once. Those of the API and the panel the worker does, a slice each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson

from aureum.commands.importing.csv_file import Layout
from aureum.commands.importing.fields import fields_of
from aureum.commands.importing.placing import POLICIES, Policy
from aureum.domain import ids
from aureum.domain.errors import Invalid, NotFound
from aureum.store.event_store import EventStore
from aureum.store.metadata import Actor, Origin

State = Literal["waiting", "checking", "checked", "running", "completed", "failed", "cancelled", "undoing", "undone"]

NO_IMPORT = "There is no such import."

NO_POLICY = f"duplicates must be one of: {', '.join(POLICIES)}."

NOT_ROUTED = "route is for leads only: contacts and properties have no agent."

COLUMNS = (
    "tenant_id", "import_id", "resource", "duplicates", "state", "stored", "shown", "encoding", "separator", "rows",
    "done", "made", "updated", "skipped", "refused", "undone", "kept", "since", "actor_type", "actor_id", "request_id",
    "problem", "requested_at", "began_at", "ended_at", "routed",
)  # fmt: skip

ONE = """
SELECT tenant_id, import_id, resource, duplicates, state, stored, shown, encoding, separator, rows, done, made, updated,
       skipped, refused, undone, kept, since, actor_type, actor_id, request_id, problem, requested_at, began_at,
       ended_at, routed
  FROM imports WHERE tenant_id = %(tenant)s AND import_id = %(import)s
"""

LATEST = """
SELECT tenant_id, import_id, resource, duplicates, state, stored, shown, encoding, separator, rows, done, made, updated,
       skipped, refused, undone, kept, since, actor_type, actor_id, request_id, problem, requested_at, began_at,
       ended_at, routed
  FROM imports WHERE tenant_id = %(tenant)s ORDER BY import_id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True)
class Import:
    """An import as its row has it. ``mapping``, ``samples``, ``file_name`` and ``preset`` were sealed there."""

    tenant_id: UUID
    import_id: UUID
    resource: str
    duplicates: Policy
    state: State
    stored: bool
    header: tuple[str, ...]
    mapping: Mapping[str, str | None]
    samples: Sequence[Sequence[str]]
    file_name: str
    preset: str | None
    layout: Layout
    done: int
    made: int
    updated: int
    skipped: int
    refused: int
    undone: int
    kept: int
    since: int
    actor: Actor
    request_id: str
    problem: str | None
    requested_at: datetime
    began_at: datetime | None
    ended_at: datetime | None
    routed: bool

    @property
    def origin(self) -> Origin:
        """Whom the events name, and by what they are found."""
        return Origin(self.actor, self.request_id, correlation_id=ids.to_wire(self.import_id))


@dataclass(frozen=True)
class Wanted:
    """What is to be imported, and how. ``mapping`` stands in the place of the guess. ``route``: leads whose rows name
    no agent are routed."""

    tenant_id: UUID
    resource: str
    duplicates: str = "skip"
    mapping: Mapping[str, Any] | None = None
    file_name: str = ""
    route: bool = False

    def check(self) -> None:
        """Raises Invalid."""
        fields_of(self.resource)
        if self.duplicates not in POLICIES:
            raise Invalid("duplicates", NO_POLICY)
        if self.route and self.resource != "leads":
            raise Invalid("route", NOT_ROUTED)


async def get_import(store: EventStore, tenant_id: UUID, import_id: UUID) -> Import:
    """Raises NotFound, Unavailable."""
    rows = await store.database.tenant_rows(tenant_id, ONE, {"tenant": tenant_id, "import": import_id})
    if not rows:
        raise NotFound(NO_IMPORT)
    return await opened(store, rows[0])


async def list_imports(store: EventStore, tenant_id: UUID, limit: int) -> list[Import]:
    """The newest imports, newest first. Raises Unavailable."""
    rows = await store.database.tenant_rows(tenant_id, LATEST, {"tenant": tenant_id, "limit": limit})
    return [await opened(store, row) for row in rows]


async def opened(store: EventStore, row: Sequence[Any]) -> Import:
    """An import of its row."""
    said = dict(zip(COLUMNS, row, strict=True))
    key = await store.tenant_key(said["tenant_id"])
    shown = orjson.loads(key.open_import(said.pop("shown"), said["import_id"], b"shown"))
    actor = Actor(said.pop("actor_type"), said.pop("actor_id"))
    header = tuple(shown.pop("header"))
    layout = Layout(said.pop("encoding"), said.pop("separator"), header, said.pop("rows"))
    return Import(**said, **shown, header=header, actor=actor, layout=layout)
