"""Cells of a CSV file: each is read back as it was, and none begins as a formula does."""

import csv
import io
import re

from hypothesis import example, given
from hypothesis import strategies as st

from aureum.domain.csv_cells import PHONE, lines, read_back, safe

TEXTS = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30),
    st.text("'=+-@;,\t\r\n\"＝1a ", max_size=12),
)

STARTS_A_FORMULA = re.compile(r"(?:\A|[;\t\r\n])[=+\-@＝＋－＠]|\A[\t\r\n]")


@given(st.lists(st.lists(TEXTS, min_size=1, max_size=4), max_size=5))
@example([['=HYPERLINK("http://example.com";"a")', "'=1", "a;=1+1", "one\n- two", "\t=1", ""]])
def test_what_is_written_is_read_back(rows: list[list[str]]) -> None:
    read = list(csv.reader(io.StringIO(lines(rows).decode(), newline=""), strict=True))
    # A line of one empty cell is a line all the same.
    assert [[read_back(cell) for cell in row] for row in read] == [
        [text.replace("-", " ") if PHONE.fullmatch(text) else text for text in row] for row in rows
    ]


@given(TEXTS)
def test_no_cell_is_a_formula(text: str) -> None:
    assert PHONE.fullmatch(text) or not STARTS_A_FORMULA.search(safe(text))


@given(st.from_regex(PHONE, fullmatch=True))
def test_a_phone_keeps_its_digits_and_is_no_sum(phone: str) -> None:
    assert "-" not in safe(phone)
    assert re.sub("[^0-9+]", "", safe(phone)) == re.sub("[^0-9+]", "", phone)


def test_texts_as_they_are_mostly_stay_so() -> None:
    for text in ("Jane", "jane@example.com", "O'Neill", "+1 (208) 555 0123", "a = b", "3-4 beds", "'quoted'"):
        assert safe(text) == text
    assert safe("+1-208-555-0123") == "+1 208 555 0123"
    assert safe("-1+cmd|' /C calc'!A0") == "'-1+cmd|' /C calc'!A0"
