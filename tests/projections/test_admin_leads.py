"""The full lead detail is the same of the row as of the aggregate."""

from datetime import timedelta
from functools import reduce
from typing import Any
from uuid import UUID

import orjson
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain import ids
from aureum.domain.lead import STATUSES, Lead
from aureum.domain.lead_events import DETAILS
from aureum.projections import admin_leads, lead_list
from tests.stores import new_lead

TEXTS = st.text("aé%_\\ \n", max_size=4)
WORDS = st.none() | TEXTS
USERS = st.none() | st.uuids()

FIELDS = st.fixed_dictionaries(
    {"first_name": TEXTS, "last_name": TEXTS, "email": st.just("jane@example.com")},
    optional=dict.fromkeys(
        ("phone", "subject", "message", "notes", "source_domain", "source_page", "utm_source"), WORDS
    )
    | {
        "status": st.sampled_from(STATUSES),
        "assigned_to": USERS,
        "created_by": USERS,
        "routing": st.just({"mode": "semantic", "why": "even", "matched": []}),
    },
)

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("change_status"), st.sampled_from(STATUSES)),
        st.tuples(st.just("assign"), USERS),
        st.tuples(st.just("convert"), st.uuids()),
        st.tuples(
            st.just("change_details"),
            st.dictionaries(st.sampled_from(sorted({*DETAILS} - {"email", "first_name", "last_name"})), WORDS)
            | st.fixed_dictionaries({"first_name": TEXTS, "last_name": TEXTS}),
        ),
    ),
    max_size=6,
)


def worked_on(fields: dict[str, Any], steps: list[tuple[str, Any]]) -> tuple[Lead, list[Any]]:
    """A lead to which this has happened, 700 ms apart, and its events."""
    lead = new_lead(number=7, **fields)
    at = lead.created_on
    for command, argument in steps:
        at += timedelta(milliseconds=700)
        getattr(lead, command)(argument, at)
    return lead, list(lead.collect_events())


@given(FIELDS, STEPS, USERS)
def test_the_row_and_the_aggregate_show_the_same(
    fields: dict[str, Any], steps: list[tuple[str, Any]], user: UUID | None
) -> None:
    lead, events = worked_on(fields, steps)
    row = reduce(lead_list.step, events, None)
    assert row is not None
    stored = lead_list.LIST.stored(row) | {"brokerage_id": 3, "agent": None if user is None else 5}

    loaded = admin_leads.loaded(tuple(stored[column] for column in admin_leads.COLUMNS))
    of_row = admin_leads.detail(loaded, loaded["brokerage_id"], loaded["agent"], None, None)
    of_lead = admin_leads.detail(admin_leads.row_of(lead), 3, None if user is None else 5, None, None)

    assert orjson.dumps(of_row) == orjson.dumps(of_lead)
    assert loaded["details"] == admin_leads.row_of(lead)["details"]
    assert {name: of_lead[name] for name in ("id", "brokerage_id", "status", "notes", "source_domain")} == {
        "id": 7,
        "brokerage_id": 3,
        "status": lead.status,
        "notes": lead.notes,
        "source_domain": lead.source_domain,
    }
    assert (of_lead["created_at"], of_lead["updated_at"]) == (
        ids.leads_time(lead.created_on),
        ids.leads_time(lead.modified_on),
    )
