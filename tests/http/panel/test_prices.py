"""Prices as people write them: what is shown is understood again, and what may mean two things is refused."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.errors import Invalid
from aureum.domain.prices import (
    IN_TWO_WAYS,
    LARGEST,
    NO_PRICE,
    NOT_DOLLARS,
    TOO_EXACT,
    TOO_LARGE,
    price_shown,
    price_typed,
)

cents = st.integers(0, int(LARGEST * 100))


@given(cents)
def test_what_is_shown_is_understood(amount: int) -> None:
    value = amount / 100
    shown = price_shown(value)
    assert re.fullmatch(r"\$[0-9]{1,3}(,[0-9]{3})*(\.[0-9]{2})?", shown)
    assert price_typed(shown) == value
    whole = amount // 100
    for text in (
        str(whole),
        f"{whole:,}",
        f" {whole:,} USD ",
        f"US$ {whole:,}",
        f"{whole:,}".replace(",", " ") + " dollars",
    ):
        assert price_typed(text) == whole, text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("  ", None),
        ("$300,000", 300_000),
        ("300k", 300_000),
        ("$1.25M", 1_250_000),
        ("1.250 m", 1_250_000),
        ("1.2 million dollars", 1_200_000),
        ("300 thousand", 300_000),
        ("300,000 USD", 300_000),
        ("$300,000 USD", 300_000),
        ("300 000", 300_000),
        ("300'000", 300_000),
        ("1.234.567", 1_234_567),
        ("300.000,50", 300_000.5),
        ("450000.50", 450_000.5),
        ("$450,000.5", 450_000.5),
        ("0", 0),
        ("007", 7),
    ],
)
def test_understood(text: str, value: float | None) -> None:
    assert price_typed(text) == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("€ 300.000", NOT_DOLLARS),
        ("300,000 EUR", NOT_DOLLARS),
        ("C$300,000", NOT_DOLLARS),
        ("£300k", NOT_DOLLARS),
        ("300.000", IN_TWO_WAYS.format(text="300.000", one="$300,000", other="$300")),
        ("$5.125", IN_TWO_WAYS.format(text="$5.125", one="$5,125", other="$5")),
        ("0.125", TOO_EXACT),
        ("1000.001", TOO_EXACT),
        ("10000000000000", TOO_LARGE),
        ("99 million million", NO_PRICE.format(text="99 million million")),
        ("1,00", NO_PRICE.format(text="1,00")),
        ("1000,000", NO_PRICE.format(text="1000,000")),
        ("-5", NO_PRICE.format(text="-5")),
        ("1e5", NO_PRICE.format(text="1e5")),
        ("ask", NO_PRICE.format(text="ask")),
        ("300-350k", NO_PRICE.format(text="300-350k")),
        ("١٢", NO_PRICE.format(text="١٢")),
        ("9" * 400, NO_PRICE.format(text="9" * 40 + "…")),
    ],
)
def test_refused_with_what_to_type(text: str, problem: str) -> None:
    with pytest.raises(Invalid) as refused:
        price_typed(text)
    assert str(refused.value) == problem


@given(st.text(max_size=30) | st.from_regex(r"[$€]? ?[0-9.,' ]{1,12} ?(k|m|USD|EUR)?", fullmatch=True))
def test_any_text_is_a_price_or_refused(text: str) -> None:
    try:
        value = price_typed(text)
    except Invalid as refused:
        assert str(refused).endswith(".") and len(str(refused)) < 200
    else:
        assert (value is None) == (not text.strip())
        assert value is None or price_typed(price_shown(value)) == value
