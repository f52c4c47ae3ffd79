"""Long documents come in parts: each page once, in order, few at a time."""

from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.envelope_parts import Document
from aureum.http.portal.documents.parts import PAGES, part_with, parts_of

DOCUMENTS = st.lists(st.integers(1, 45), min_size=1, max_size=5).map(
    lambda pages: [Document(uuid4(), f"{place}.pdf", "0" * 64, 1, number) for place, number in enumerate(pages)]
)


@given(DOCUMENTS)
def test_each_page_stands_in_one_part(documents: list[Document]) -> None:
    parts = parts_of(documents)
    shown = [(part.document.id, number) for part in parts for number in part.numbers]
    assert shown == [(one.id, number) for one in documents for number in range(1, one.pages + 1)]
    assert all(1 <= len(part.numbers) <= PAGES for part in parts)
    places = [part.before + number - part.first + 1 for part in parts for number in part.numbers]
    assert places == list(range(1, len(shown) + 1)), "and has its place among all pages"


@given(DOCUMENTS, st.text(max_size=8) | st.none() | st.integers().map(str))
def test_any_query_leads_to_a_part(documents: list[Document], given: str | None) -> None:
    parts = parts_of(documents)
    assert 0 <= part_with(parts, given) < len(parts)


def test_a_part_is_found_by_its_number() -> None:
    parts = parts_of([Document(uuid4(), "a.pdf", "0" * 64, 1, 25)])
    assert [part_with(parts, asked) for asked in ("1", "2", "3", "9", "0", "-1", "x", None)] == [0, 1, 2, 2, 0, 0, 0, 0]
