"""The functions of the database, named once. The SQL of each stands beside the module that calls it.

``aureum migrate`` installs them (``store/postgres/functions.py``). The store knows none of them but ``append_events``:
HTTP and webhooks stand above it, so their files are named by their paths. The functions that read the pages of lists
are made of the lists' declarations (``projections/list_sql.py``).
"""

from collections.abc import Mapping
from importlib.resources import files
from typing import NamedTuple

from aureum.projections import duplicates, lead_sorted

COUNT_REQUESTS = "-- {count requests}"
"""Where a statement counts requests against their limits."""


class Declared(NamedTuple):
    """A file of functions, by its path in ``aureum``. In its text *replaced* are replaced."""

    path: str
    replaced: Mapping[str, str] = {}


def text(path: str) -> str:
    """The SQL of the file at *path* in ``aureum``."""
    return (files("aureum") / path).read_text(encoding="utf-8")


COUNTED = {COUNT_REQUESTS: text("store/count_requests.sql")}

OF_THE_SERVICE = (
    Declared("store/append.sql"),
    Declared("store/hold_heads.sql"),
    Declared("http/access/gate.sql", COUNTED),
    Declared("http/access/gate_one.sql", COUNTED),
    Declared(
        "http/access/gate.sql",
        {COUNT_REQUESTS: text("http/access/count_nothing.sql"), "FUNCTION gate(": "FUNCTION gate_uncounted("},
    ),
    Declared("projections/lead_counts_of.sql"),
    Declared("projections/contacts_of_address.sql"),
    Declared("projections/leads_of_address.sql"),
    *(Declared("projections/contact_pairs.sql", duplicates.pairs(key)) for key in duplicates.KEYS),
    Declared("projections/properties_listed.sql"),
    Declared("projections/staff_leads.sql"),
    Declared("projections/lead_sorted.sql", lead_sorted.REPLACED),
    Declared("projections/brokerage_of_lead.sql"),
    Declared("http/panel/logs_changed.sql"),
    Declared("http/portal/tours_of_address.sql"),
    Declared("background/lag.sql"),
)
"""Those that requests call."""

OF_THE_OWNER = (Declared("webhooks/queue/claim.sql"), Declared("projections/search.sql"))
"""Those that only the worker, which runs as the owner, and other functions call."""
