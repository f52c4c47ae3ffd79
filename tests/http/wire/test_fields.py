from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

import email_validator
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from aureum.domain.emails import SPECIAL_DOMAINS, is_email
from aureum.http.contract.form_fields import Phone
from aureum.http.wire.characters import Characters
from aureum.http.wire.fields import Email, Message, Name, Source, Text
from aureum.http.wire.nulls import NOT_NULL, NULL_IS_ABSENT
from aureum.http.wire.numbers import Whole
from aureum.http.wire.times import Time, parse_time
from tests.examples import examples

NonBlank = Annotated[str, Characters(blank=False)]


def refusal(kind: Any, value: object) -> str:
    """The type of the one error that *value* is refused with."""
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(value)
    (error,) = refused.value.errors()
    return error["type"]


STRINGS = {"Text": Text, "NonBlank": NonBlank, "Name": Name, "Source": Source, "Email": Email}


@pytest.mark.parametrize("value", ["", " ", "Jane", "  as given ", "Zoë", "名前", "👩‍👧"])
def test_text_is_kept_as_given(value: str) -> None:
    assert TypeAdapter(Text).validate_python(value) == value


def test_a_message_keeps_its_lines_and_other_text_has_one() -> None:
    assert TypeAdapter(Message).validate_python(" a\nb\t") == " a\nb\t"
    for kind in (Text, Name, Source):
        assert TypeAdapter[str](kind).validate_python("Zoë\nb\t c\r\n") == "Zoë b c"


@pytest.mark.parametrize("name", STRINGS)
@pytest.mark.parametrize("value", [1, 1.5, True, [], {}, b"bytes"])
def test_nothing_but_a_string_is_a_string(name: str, value: object) -> None:
    assert refusal(STRINGS[name], value) == "string_type"


@pytest.mark.parametrize("name", STRINGS)
@pytest.mark.parametrize("value", ["a\0", "\0a", "a\0b"])
def test_nul_characters_are_refused(name: str, value: str) -> None:
    assert refusal(STRINGS[name], value) == ("email" if name == "Email" else "nul")


@pytest.mark.parametrize("name", STRINGS)
def test_lone_surrogates_are_refused(name: str) -> None:
    assert refusal(STRINGS[name], "a\ud800b") == ("email" if name == "Email" else "string_unicode")


@pytest.mark.parametrize("value", ["", " ", "\t\r\n", "\u00a0", "\u3000", "\u200b", "\ufeff \u200d", "\x1f"])
def test_blank_values(value: str) -> None:
    assert refusal(NonBlank, value) == "blank"


@pytest.mark.parametrize("value", ["a", " a ", "?", "…", "🏡", "\u200bx", "١", "_"])
def test_visible_values(value: str) -> None:
    assert TypeAdapter(NonBlank).validate_python(value) == value


def test_lengths_count_characters() -> None:
    short = TypeAdapter(Annotated[str, Characters(limit=3)])
    assert short.validate_python("äöü") == "äöü"
    assert short.validate_python("🏡🏡🏡") == "🏡🏡🏡"
    assert refusal(Annotated[str, Characters(limit=3)], "abcd") == "string_too_long"
    assert refusal(Name, "x" * 201) == "string_too_long"
    assert refusal(Source, "x" * 101) == "string_too_long"


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ("john.smith@example.com", "john.smith@example.com"),
        ("  john@example.com\n", "john@example.com"),
        ("John.Smith+Home@Example.COM", "John.Smith+Home@Example.COM"),
        ("o'neil@example.co.uk", "o'neil@example.co.uk"),
        ("zoë@exämple.com", "zoë@exämple.com"),
        ("a@xn--mnchen-3ya.de", "a@xn--mnchen-3ya.de"),
        ("x" * 65 + "@example.com", "x" * 65 + "@example.com"),
    ],
)
def test_an_email_is_kept_as_given(given_: str, kept: str) -> None:
    assert TypeAdapter(Email).validate_python(given_) == kept


@pytest.mark.parametrize(
    "address",
    [
        "",
        "john",
        "john@",
        "@example.com",
        "john@example",
        "john@localhost",
        "john@mail.localhost",
        "john@company.local",
        "john@aureum.test",
        "john@AUREUM.TEST",
        "john@some.invalid",
        "john@hidden.onion",
        "john@1.2.in-addr.arpa",
        "john..smith@example.com",
        ".john@example.com",
        "john@-example.com",
        "john@exa--mple..com",
        "john@ab--cd.com",
        "john@127.0.0.1",
        "john@[127.0.0.1]",
        "John <john@example.com>",
        '"john smith"@example.com',
        "john@example.com, jane@example.com",
        "john smith@example.com",
        "john@example.com\0",
        "john\0@example.com",
        "x" * 250 + "@example.com",
        "john@" + "x" * 64 + ".com",
    ],
)
def test_what_is_no_email(address: str) -> None:
    assert refusal(Email, address) == "email"


def test_a_huge_email_is_refused_at_once() -> None:
    """Parts of the library's work grow with the square of the length."""
    for character in 'x@."<ü':
        assert refusal(Email, character * 900_000) == "email"


ATOM = st.text("abcXYZ019+_.-'", min_size=1, max_size=12)
DOMAIN = st.text("abcXYZ019.-", min_size=1, max_size=24)
ENDING = st.sampled_from(
    [".com", ".test", ".local", ".TEST", ".localhost", ".example", ".c", ".c0m", "", *SPECIAL_DOMAINS]
)
NEAR_EMAILS = st.builds(lambda local, domain, ending: f"{local}@{domain}{ending}", ATOM, DOMAIN, ENDING)


@given(NEAR_EMAILS | st.emails() | st.text(max_size=300))
@example("a@b--c.com")
@example("a@test")
@example("a@" + "b." * 125 + "com")
@settings(deadline=None, max_examples=examples(1_000))
def test_the_quick_look_agrees_with_the_library(address: str) -> None:
    try:
        email_validator.validate_email(address, check_deliverability=False)
    except email_validator.EmailNotValidError:
        valid = False
    else:
        valid = True
    assert is_email(address) == valid


@pytest.mark.parametrize(
    ("value", "phone"),
    [
        ("208-555-0123", "208-555-0123"),
        (" +1 (208) 555-0123 ext. 4 ", " +1 (208) 555-0123 ext. 4 "),
        ("call me after six", "call me after six"),
        ("", None),
        ("208\x00555", "208555"),
        ("208\ud800555", "208555"),
        (2085550123, "2085550123"),
        (2085550123.0, "2085550123"),
        (1.5, "1.5"),
        (True, None),
        ([], None),
        ({"number": "1"}, None),
        (None, None),
    ],
)
def test_a_phone_is_never_refused(value: object, phone: str | None) -> None:
    assert TypeAdapter(Phone).validate_python(value) == phone


class WithDefault(BaseModel):
    source: Annotated[Source, NULL_IS_ABSENT] = "api"
    message: Text | None = None


@pytest.mark.parametrize("body", [{}, {"source": None}, {"source": None, "message": None, "unknown": 1}])
def test_null_is_the_same_as_leaving_out(body: dict[str, None]) -> None:
    assert WithDefault.model_validate(body) == WithDefault(source="api", message=None)


def test_a_default_does_not_hide_a_wrong_value() -> None:
    assert WithDefault.model_validate({"source": "fair"}).source == "fair"
    with pytest.raises(ValidationError):
        WithDefault.model_validate({"source": 5})


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-01-15T10:30:00.000Z", datetime(2025, 1, 15, 10, 30, tzinfo=UTC)),
        ("2025-01-15T10:30:00Z", datetime(2025, 1, 15, 10, 30, tzinfo=UTC)),
        ("2025-01-15t10:30z", datetime(2025, 1, 15, 10, 30, tzinfo=UTC)),
        ("2025-01-15 10:30:00Z", datetime(2025, 1, 15, 10, 30, tzinfo=UTC)),
        ("2025-01-15T10:30:00+01:00", datetime(2025, 1, 15, 9, 30, tzinfo=UTC)),
        ("2025-01-15T10:30:00 01:00", datetime(2025, 1, 15, 9, 30, tzinfo=UTC)),
        ("2025-01-15T00:30:00-0700", datetime(2025, 1, 15, 7, 30, tzinfo=UTC)),
        ("2025-01-15T10:30:00.5Z", datetime(2025, 1, 15, 10, 30, 0, 500_000, tzinfo=UTC)),
        ("2025-01-15T10:30:00.123456789Z", datetime(2025, 1, 15, 10, 30, 0, 123_456, tzinfo=UTC)),
        ("2025-01-15", datetime(2025, 1, 15, tzinfo=UTC)),
        ("2024-02-29", datetime(2024, 2, 29, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_times(text: str, moment: datetime) -> None:
    assert parse_time(text) == moment
    assert parse_time(text).utcoffset() == timedelta(0)
    assert TypeAdapter(Time).validate_python(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2025-01-15T10:30:00",  # whose half past ten?
        "2025-01-15T10:30:00.5",
        "2025-01-15T10:30.5Z",
        "2025-01-15T10:30:00Zulu",
        "2025-1-5",
        "20250115",
        "15.01.2025",
        "2025-02-30",
        "2025-13-01",
        "0000-01-01",
        "10000-01-01",
        "99999999999999-01-01T00:00:00Z",
        "2025-01-15T25:00:00Z",
        "2025-01-15T10:30:60Z",
        "2025-01-15T10:30:00+24:00",
        "2025-01-15T10:30:00+99:99",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "١٢٣٤-٠١-٠١",
        "2025-01-15\n",
        "1736937000",
        "\0",
        "\ud800",
    ],
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError):
        parse_time(text)
    assert refusal(Time, text) == "time"


@pytest.mark.parametrize("value", [None, 5, 1736937000.5, True, [], {}])
def test_only_a_string_is_a_time(value: object) -> None:
    assert refusal(Time, value) == "time"


OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=OFFSETS).filter(lambda moment: 1 < moment.year < 9999))
@settings(deadline=None)
def test_what_isoformat_writes_is_read(moment: datetime) -> None:
    assert parse_time(moment.isoformat()) == moment


@given(st.text(max_size=40) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.+Z-]{0,20}", fullmatch=True))
@settings(deadline=None)
def test_no_text_overflows(text: str) -> None:
    try:
        moment = parse_time(text)
    except ValueError:
        return
    assert moment.tzinfo is UTC


Score = Annotated[int, Whole(0, 100)]


@pytest.mark.parametrize(("value", "number"), [(7, 7), (7.0, 7), (0, 0), (-0.0, 0), (100.0, 100)])
def test_a_whole_number_may_have_a_point(value: float, number: int) -> None:
    read = TypeAdapter(Score).validate_python(value)
    assert (read, type(read)) == (number, int)


@pytest.mark.parametrize("value", [7.5, 1e-9, float("inf"), "7", "", True, None, [], {}])
def test_what_is_no_whole_number(value: object) -> None:
    assert refusal(Score, value).startswith("int_")


@pytest.mark.parametrize(
    ("value", "kind"), [(-1, "greater_than_equal"), (101, "less_than_equal"), (1e300, "less_than_equal")]
)
def test_a_whole_number_out_of_bounds(value: float, kind: str) -> None:
    assert refusal(Score, value) == kind


def test_the_schema_of_a_whole_number() -> None:
    assert TypeAdapter(Score).json_schema() == {"type": "integer", "minimum": 0, "maximum": 100}


class Change(BaseModel):
    """What a PATCH may set."""

    name: Annotated[Name, NOT_NULL]
    score: Annotated[Score, NOT_NULL]


def test_what_may_be_left_out_but_not_emptied() -> None:
    change = Change.model_validate({"score": 7})

    assert change.model_dump(exclude_unset=True) == {"score": 7}
    assert Change.model_validate({}).name is None
    with pytest.raises(ValidationError) as refused:
        Change.model_validate({"name": None, "score": None})
    assert [error["type"] for error in refused.value.errors()] == ["not_null", "not_null"]
    schema = Change.model_json_schema()
    assert "required" not in schema
    assert [one["type"] for one in schema["properties"].values()] == ["string", "integer"]
