"""Phones beside their E.164: examples of the documents, and the short way against the library."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.phones import NORTH_AMERICAN, by_library, e164


@pytest.mark.parametrize(
    ("phone", "country", "expected"),
    [
        ("208-555-0123", "US", "+12085550123"),
        ("+1-555-0200", "US", None),  # the document's own: too short to be dialled from elsewhere
        ("(208) 555-0123", "US", "+12085550123"),
        ("1 208 555 0123", "US", "+12085550123"),
        ("+49 30 123456", "US", "+4930123456"),
        ("030 123456", "DE", "+4930123456"),
        ("555-0123", "US", None),
        ("call me", "US", None),
        ("", "US", None),
        (None, "US", None),
        ("208-555-0123", "ZZ", None),
        ("9" * 5000, "US", None),
        ("٢٠٨-٥٥٥-٠١٢٣", "US", "+12085550123"),
    ],
)
def test_examples(phone: str | None, country: str, expected: str | None) -> None:
    assert e164(phone, country) == expected


@given(st.from_regex(NORTH_AMERICAN, fullmatch=True), st.sampled_from(["US", "CA"]))
def test_the_short_way_is_the_librarys(phone: str, country: str) -> None:
    assert e164(phone, country) == by_library(phone, country)


@given(st.text(max_size=60), st.sampled_from(["US", "DE", "ZZ", ""]))
def test_no_text_is_an_error(phone: str, country: str) -> None:
    found = e164(phone, country)
    assert found is None or found.startswith("+")
