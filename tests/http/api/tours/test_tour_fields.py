"""The JSON schemas of a tour's dates and times are true: what they allow is taken, and what is taken they allow."""

import re
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from aureum.domain import wall_time
from aureum.domain.errors import Invalid
from aureum.http.api.tours.tour_fields import Day, Start

FIRST, LAST = datetime.fromisoformat("1969-01-01"), datetime.fromisoformat("2201-12-31")
DAY: TypeAdapter[str] = TypeAdapter(Day)
START: TypeAdapter[str] = TypeAdapter(Start)
DAY_PATTERN, START_PATTERN = (re.compile(field.json_schema()["pattern"]) for field in (DAY, START))


def taken(field: TypeAdapter[str], rule: Any, text: str) -> bool:
    """Whether the field and then the rule of the domain take it."""
    try:
        rule(field.validate_python(text))
    except (ValidationError, Invalid):
        return False
    return True


def in_no_leap_year(text: str) -> bool:
    """The one thing that a pattern cannot know: a 29 February that there is not."""
    return text[5:10] == "02-29"


@given(st.from_regex(DAY_PATTERN, fullmatch=True))
def test_a_day_that_the_schema_allows_is_taken(text: str) -> None:
    assert taken(DAY, wall_time.day_of, text) or in_no_leap_year(text)


@given(st.from_regex(START_PATTERN, fullmatch=True))
def test_a_start_that_the_schema_allows_is_taken(text: str) -> None:
    assert taken(START, lambda start: wall_time.start_of(start, "UTC"), text) or in_no_leap_year(text)


@given(st.from_regex(wall_time.DATE, fullmatch=True) | st.dates(FIRST.date(), LAST.date()).map(str))
def test_a_day_that_the_schema_does_not_allow_is_refused(text: str) -> None:
    assert DAY_PATTERN.fullmatch(text) or not taken(DAY, wall_time.day_of, text)


@given(
    st.from_regex(wall_time.TEXT, fullmatch=True)
    | st.datetimes(FIRST, LAST).map(lambda moment: moment.isoformat(" ", "seconds"))
)
def test_a_start_that_the_schema_does_not_allow_is_refused(text: str) -> None:
    assert START_PATTERN.fullmatch(text) or not taken(START, lambda start: wall_time.start_of(start, "UTC"), text)


@pytest.mark.parametrize("offset", range(-15 * 60, 15 * 60 + 1, 15))
def test_the_offsets_are_the_domains(offset: int) -> None:
    hours, minutes = divmod(abs(offset), 60)
    text = f"2025-07-01 10:00{'-' if offset < 0 else '+'}{hours:02}{minutes:02}"

    assert bool(START_PATTERN.fullmatch(text)) == taken(START, lambda start: wall_time.start_of(start, "UTC"), text)
