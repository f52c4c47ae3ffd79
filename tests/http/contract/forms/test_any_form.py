"""Whatever a page fills in: a form whose visible fields are right is never refused."""

import json
from typing import Any
from urllib.parse import quote_from_bytes

from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.http.api.leads.contact_form import ContactForm
from aureum.http.api.newsletter.newsletter import SubscriptionForm
from aureum.http.api.tours.tour_fields import TourForm
from aureum.http.contract import form_fields
from aureum.http.wire import form_bodies
from aureum.http.wire.errors import InvalidRequest
from aureum.http.wire.form_bodies import from_json, urlencoded
from aureum.http.wire.validation import validate
from tests.examples import examples
from tests.http.serving import FORM

texts = st.text(st.characters(categories=None)) | st.sampled_from(
    ["\0", "\ud83d", "\ude00\ud83d", "x" * 2_001, " ", "a\nb"]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
PAGE_FILLED = {
    ContactForm: (FORM, ("phone", "source_page", "utm_source", "utm_medium", "utm_campaign")),
    TourForm: (
        {"listing_id": "1", "name": "Jane Doe", "email": "jane@example.com"},
        ("phone", "preferred_time"),
    ),
    SubscriptionForm: ({"email": "jane@example.com"}, ("interests", "interests[]")),
}
LIMITS = {"phone": 100, "source_page": 2_000, "preferred_time": 200, "interests": 100}


@given(data=st.data(), form=st.sampled_from(list(PAGE_FILLED)))
@settings(deadline=None, max_examples=examples(300))
def test_any_value_in_what_the_page_fills_in(data: st.DataObject, form: Any) -> None:
    right, names = PAGE_FILLED[form]
    given = {name: data.draw(json_values) for name in data.draw(st.lists(st.sampled_from(names), unique=True))}

    made = validate(form, from_json(json.dumps(right | given).encode()))

    for name, value in vars(made).items():
        for text in value if isinstance(value, tuple) else [value]:
            if isinstance(text, str):
                text.encode()
                assert "\0" not in text
                assert name not in LIMITS or (len(text) <= LIMITS[name] and text.strip() and "\n" not in text)


@given(text=texts)
def test_what_is_cleaned_is_what_can_be_kept(text: str) -> None:
    kept = form_bodies.clean(text)

    assert kept.encode().decode() == kept and "\0" not in kept
    if text.isprintable():
        assert kept == text
    # Halves that belong together are one character, those alone are gone, the rest stands as it was.
    assert kept == "".join(c for c in json.loads(json.dumps(text)) if c != "\0" and not "\ud800" <= c <= "\udfff")


@given(pairs=st.lists(st.tuples(st.binary(max_size=8), st.binary(max_size=20)), max_size=8))
def test_any_bytes_are_fields(pairs: list[tuple[bytes, bytes]]) -> None:
    body = "&".join(f"{quote_from_bytes(name)}={quote_from_bytes(value)}" for name, value in pairs)

    fields = urlencoded(b"x=1&" + body.encode())

    for name, value in fields.items():
        assert form_bodies.clean(name) == name
        for text in value if isinstance(value, list) else [value]:
            assert form_bodies.clean(text) == text


@given(
    body=st.binary(max_size=80),
    charset=st.sampled_from(["", *filter(None, form_bodies.CHARSETS.values()), "gbk", "iso2022_jp"]),
)
def test_any_bytes_are_read_or_refused(body: bytes, charset: str) -> None:
    for read in (urlencoded, lambda given, _: from_json(given)):
        try:
            assert isinstance(read(body, charset), dict)
        except InvalidRequest as error:
            assert error.problems
    assert isinstance(form_bodies.decoded(body, charset), str)


@given(value=json_values)
def test_a_number_is_written_as_a_page_would(value: Any) -> None:
    if isinstance(value, int) and not isinstance(value, bool):
        assert form_fields.number_text(value) == str(value)
    kept = form_fields.kept(10)(value)
    assert kept is None or (0 < len(kept) <= 10 and kept.isprintable() is not None)
