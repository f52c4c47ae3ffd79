"""A task's row, stepped through any events, shows what the task itself is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aureum.domain import ids
from aureum.domain.task import LINKS, PRIORITIES, STATUSES, TYPES, Task
from aureum.projections.task_list import LIST, document, step
from tests.stores import new_lead, new_task

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
titles = texts.filter(lambda text: text.strip())
links = st.none() | st.sampled_from([ids.new_id() for _ in range(3)])
details: dict[str, st.SearchStrategy[Any]] = {
    "title": titles,
    "type": st.sampled_from(TYPES),
    "priority": st.sampled_from(PRIORITIES),
    "due_date": st.none() | st.sampled_from(("2025-01-20T00:00:00.000Z", "2026-02-01T10:30:00.000Z")),
    "description": st.none() | texts,
    **dict.fromkeys(LINKS, links),
}
everything = {**details, "status": st.sampled_from(STATUSES), "assigned_to": links, "created_by": links}
tasks = st.fixed_dictionaries(everything).map(lambda fields: new_task(at=AT, **fields))

Decision = Callable[[Task, datetime], None]

decisions: st.SearchStrategy[Decision] = st.one_of(
    st.just(Task.complete),
    st.sampled_from(STATUSES).map(lambda status: lambda task, at: task.change_status(status, at)),
    links.map(lambda user: lambda task, at: task.assign(user, at)),
    st.fixed_dictionaries({}, optional=details).map(lambda given: lambda task, at: task.change_details(given, at)),
)


def decided(task: Task, some: list[Decision]) -> list[Any]:
    """The events of *task* after a decision a minute."""
    for minute, decide in enumerate(some, start=1):
        decide(task, AT + timedelta(minutes=minute))
    return list(task.collect_events())


@given(tasks, st.lists(decisions, max_size=8))
def test_the_row_is_the_task(task: Task, some: list[Decision]) -> None:
    row = reduce(step, decided(task, some), None)

    assert row is not None and list(row) == list(LIST.columns)
    assert row["doc"] == document(task, task.id, task.created_on, task.modified_on)
    assert list(row["doc"]) == list(document(task, task.id, AT, AT))
    assert (row["task_id"], row["stream_version"], row["updated_at"]) == (task.id, task.version, task.modified_on)
    assert (row["status"], row["assigned_to"], row["created_by"]) == (task.status, task.assigned_to, task.created_by)


@given(tasks, st.lists(decisions, max_size=8), st.integers(0, 8))
def test_wherever_the_stream_is_cut_the_row_is_the_same_and_the_old_one_stays(
    task: Task, some: list[Decision], cut: int
) -> None:
    events = decided(task, some)
    before, new = events[:cut], events[cut:]
    row = reduce(step, before, None)
    kept = None if row is None else LIST.stored(row)

    if new:
        assert LIST.rows(before, new) == LIST.rows((), events)
        reduce(step, new, row)
    assert kept == (None if row is None else LIST.stored(row))


def test_events_of_others_and_of_a_stream_without_its_beginning_make_no_row() -> None:
    lead = new_lead().collect_events()
    assert LIST.rows((), lead) == []
    assert reduce(step, lead, None) is None
    task = new_task(at=AT)
    task.complete(AT)
    created, completed = task.collect_events()
    assert step(None, completed) is None
    row = step(None, created)
    assert row is not None and step(row, lead[0]) is row
