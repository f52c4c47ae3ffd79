"""Fields of a form, whatever the API shows and whatever is typed: what is untouched is no change, what is typed comes
back, and nothing raises."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from aureum.domain.ids import aureum_time
from aureum.domain.profile import DAYS
from aureum.domain.texts import one_line
from aureum.http.panel.fields import AMOUNT, PICKED, Field, all_typed, changes, made, sent, typed
from aureum.http.panel.picks import Pick
from aureum.http.panel.rendering import TEMPLATES
from aureum.http.panel.settings import FIELDS as SETTINGS
from aureum.http.wire.page_forms import MEDIA, Form, read_form
from tests.examples import examples
from tests.http.panel.reading import Reading
from tests.http.panel.resources import RESOURCES

ZONES = ("America/Boise", "UTC", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kiritimati", "Europe/Dublin")

FORMS = {resource.path: tuple(resource.change) for resource in RESOURCES} | {"/admin/settings": SETTINGS}
ALL = [field for fields in FORMS.values() for field in fields]

zones = st.sampled_from(ZONES).map(ZoneInfo)
storable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
lines = st.lists(storable | st.sampled_from(["\r", "\n", "\r\n", " ", "a", "<b>", "&quot;", '"']), max_size=5).map(
    "".join
)
moments = st.datetimes(timezones=st.just(ZoneInfo("UTC"))).map(aureum_time)
odd = st.from_regex(AMOUNT) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}", fullmatch=True)
amounts = st.integers(0, 9_999_999_999_999_99).map(lambda cents: cents / 100) | st.integers(0, 10**13 - 1)

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "number": st.integers(0, 100),
    "amount": st.none() | amounts,
    "price": st.none() | amounts,
    "words": st.lists(lines, max_size=3),
    "photos": st.none()
    | st.lists(
        st.fixed_dictionaries(
            {"url": st.sampled_from(["https://example.com/1.jpg", "https://ä/?a=b&c"]), "alt": storable.map(one_line)}
        ),
        max_size=3,
    ),
    "hours": st.none() | st.dictionaries(st.sampled_from(DAYS), st.just(["09:00", "17:30"]), min_size=1),
    "tick": st.booleans(),
    "time": st.none() | moments,
    "wall": st.none() | moments,
    "date": st.none() | st.dates().map(str),
    "password": st.none(),
}
"""What the API shows, by the kind of field; of all others it is a text."""


def browsers(fields: Sequence[Field], shown: Mapping[str, str], **otherwise: str) -> Form:
    """The form as a browser sends it, with what was typed *otherwise*."""
    macro = TEMPLATES.get_template("parts.html").module.input  # type: ignore[attr-defined]  # of a template
    values: dict[str, Any] = {field.name: shown[field.name] for field in fields}
    values |= {field.name: picked(field, shown[field.name]) for field in fields if field.kind in PICKED}
    inputs = "".join(macro(field, values[field.name], {"c1": "Ana"}) for field in fields)
    form = Reading(f'<form action="" method="post">{inputs}</form>').form("")
    pairs = dict(form.fields) | otherwise
    for field in fields:
        if field.kind in ("time", "wall") and len(pairs[field.name]) == 19:
            pairs[field.name] = pairs[field.name].removesuffix(":00")  # browsers leave out seconds that are zero
    return read_form(urlencode(pairs).encode(), MEDIA)


def picked(field: Field, wanted: str) -> Pick:
    """What the field shows of one that has this id."""
    return Pick(field.kind, wanted, "Its name", "Its name")


def value_of(field: Field) -> st.SearchStrategy[Any]:
    """Whatever the API may show."""
    if field.kind == "choice":
        # One that is none of ours, too: what is offered is what an owner may choose.
        return st.sampled_from([*field.choices, "another", *(() if field.required else (None,))])
    return VALUES.get(field.kind, st.none() | lines)


@settings(max_examples=examples(250), deadline=None)
@given(data=st.data(), field=st.sampled_from(ALL), zone=zones, place=st.sampled_from(ZONES))
def test_an_untouched_field_is_no_change(data: st.DataObject, field: Field, zone: ZoneInfo, place: str) -> None:
    resource = {field.name: data.draw(value_of(field)), "timeZone": place}
    shown = all_typed([field], resource, zone)
    assert changes([field], browsers([field], shown), shown, zone) == {}


@settings(max_examples=examples(20), deadline=None)
@given(data=st.data(), fields=st.sampled_from(list(FORMS.values())), zone=zones, place=st.sampled_from(ZONES))
def test_what_was_typed_alone_is_a_change(
    data: st.DataObject, fields: tuple[Field, ...], zone: ZoneInfo, place: str
) -> None:
    resource = {field.name: data.draw(value_of(field), field.name) for field in fields}
    resource["timeZone"] = place
    shown = all_typed(fields, resource, zone)
    field = data.draw(st.sampled_from([field for field in fields if field.kind in ("text", "email", "tel", "long")]))

    other = browsers(fields, shown, **{field.name: "Something else"})

    assert changes(fields, browsers(fields, shown), shown, zone) == {}
    assert changes(fields, other, shown, zone) == {field.name: "Something else"}


@given(data=st.data(), zone=zones)
def test_what_is_typed_comes_back_as_typed(data: st.DataObject, zone: ZoneInfo) -> None:
    texts = {
        "text": lines.map(str.strip),
        "long": lines.map(str.strip),
        "choice": lines.map(str.strip),
        "number": st.integers(0, 10**15 - 1).map(str),
        "amount": amounts.map(lambda amount: typed(Field("f", "F", "amount"), amount, zone)),
        "words": st.lists(st.from_regex(r"[^,\s](?:[^,]*[^,\s])?", fullmatch=True), max_size=3).map(", ".join),
        "tick": st.sampled_from(["yes", ""]),
    }
    for kind, strategy in texts.items():
        field = Field("f", "F", kind)  # type: ignore[arg-type]  # one of its kinds
        text = data.draw(strategy, kind)
        assert typed(field, sent(field, Form({"f": [text]}), zone), zone) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("450000.50", 450000.5),
        ("0.01", 0.01),
        ("9999999999999.99", 9999999999999.99),
        ("0", 0),
        (" 7 ", 7),
        ("007", 7),
        ("", None),
        ("-1", -1),
        ("1,000", 1000),
        ("1,234,567.50", 1234567.5),
        ("1,00", "1,00"),
        ("1000,000", "1000,000"),
        ("$5", "$5"),
        ("1e5", "1e5"),
        ("nan", "nan"),
        ("١٢", "١٢"),
        ("9" * 400, "9" * 400),
    ],
)
def test_amounts(text: str, value: object) -> None:
    assert sent(Field("price", "Price", "amount"), Form({"price": [text]}), ZoneInfo("UTC")) == value


def test_passwords_keep_their_blanks() -> None:
    field, zone = Field("password", "Password", "password"), ZoneInfo("UTC")
    for text, value in ((" a b ", " a b "), ("", None), (" ", " ")):
        assert sent(field, Form({"password": [text]}), zone) == value
    shown = {"password": ""}
    assert changes([field], Form({"password": [" a b "]}), shown, zone) == {"password": " a b "}
    assert changes([field], Form({"password": [" " * 12]}), shown, zone) == {"password": " " * 12}


@given(data=st.data(), field=st.sampled_from(ALL), zone=zones)
def test_nothing_raises_for_any_text(data: st.DataObject, field: Field, zone: ZoneInfo) -> None:
    form = Form({field.name: data.draw(st.lists(lines | odd, min_size=1, max_size=2))})
    assume(field.kind != "price")  # what is no price is refused: test_prices.py
    assert set(made([field], form, zone)) <= set(changes([field], form, {field.name: "\0"}, zone)) == {field.name}
