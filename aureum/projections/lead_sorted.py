"""The list of leads in another order than the newest first. The function stands in ``lead_sorted.sql``; its filters are
those that the list declares."""

from collections.abc import Mapping

from aureum.domain.lead import STATUSES
from aureum.projections.lead_list import LEADS
from aureum.projections.list_sql import conditions, parameters

MOST = 2_000
"""How many leads are sorted by what no index has."""

PARAMETERS = ("tenant", "words", *(one.name for one in LEADS.filters), "sort", "key", "after", "limit")

PAGE = f"SELECT docs, last_key, last_id, many FROM lead_sorted({', '.join(f'%({name})s' for name in PARAMETERS)})"  # noqa: S608  # of constants
"""``key`` and ``after`` are where the page before ended: its ``last_key`` and ``last_id``."""

REPLACED: Mapping[str, str] = {
    "{parameters}": ", ".join(parameters(LEADS)),
    "{conditions}": "".join(conditions(LEADS)),
    "{statuses}": "{" + ",".join(STATUSES) + "}",
    "{most}": str(MOST),
}
