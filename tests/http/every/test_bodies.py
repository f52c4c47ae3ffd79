"""Every field of every body, and every body as a whole, with whatever may stand in its place: a refusal in the
endpoint's dialect that names the field, never 500, and nothing left behind by it.
"""

import json
from collections.abc import Sequence
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.http.contract.endpoint import Endpoint
from aureum.http.contract.forms import FormEndpoint
from tests.http.every.call import Call
from tests.http.every.declared import Field, allows, every, fields_of, names, refusal
from tests.http.every.sample import Sample
from tests.http.serving import Answer

TAKES_A_BODY = every(lambda endpoint: endpoint.body is not None)

VALUES = {
    "null": "null",
    "boolean": "true",
    "negative": "-1",
    "fraction": "0.123456",
    "huge": "1e400",
    "digits": "9" * 400,
    "empty": '""',
    "blank": '" \\u200b"',
    "word": '"x"',
    "id of nobody": '"c0000000000000000000000000"',
    "long": f'"{"x" * 30_001}"',
    "NUL": '"a\\u0000b"',
    "lone surrogate": '"\\ud800"',
    "list": "[]",
    "list of null": "[null]",
    "long list": f"[{'1,' * 20_000}1]",
    "object": "{}",
    "deep": "[" * 5_000 + "]" * 5_000,
}
"""What may stand in the place of a value, as JSON has it: something of each type, and of each kind of trouble."""

HERE = '"-here-"'


def with_value(body: dict[str, Any], field: Field, written: str) -> bytes:
    """*body* with *written* in the place of the field."""
    return json.dumps(placed(body, field.path, "-here-")).replace(HERE, written, 1).encode()


def placed(body: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """*body* with another *value* at the end of the *path*."""
    name, *rest = path
    inner = body.get(name)
    return body | {name: placed(inner if isinstance(inner, dict) else {}, tuple(rest), value) if rest else value}


def sent(sample: Sample, endpoint: Endpoint, call: Call, bodies: Sequence[bytes]) -> list[tuple[bytes, Answer]]:
    """Each of the *bodies* and what came back: a refusal of whatever the schema does not allow, but that a public form
    understands more. Whatever is refused has left nothing behind.
    """
    allowed = [body for body in bodies if isinstance(endpoint, FormEndpoint) or is_allowed(endpoint, body)]
    answers, before = [], sample.heads

    for body in bodies:
        if body not in allowed:
            answer = call.but(body=body).send(sample.server)
            assert answer.status >= 400, (body[:200], answer)
            assert refusal(endpoint, answer)
            answers.append((body, answer))
    assert sample.heads == before

    for body in allowed:
        before = sample.heads
        answer = call.but(body=body).send(sample.server)
        if answer.status >= 400:
            # A rule that no schema can tell.
            assert refusal(endpoint, answer)
            assert sample.heads == before, (body[:200], answer)
        answers.append((body, answer))
    return answers


def is_allowed(endpoint: Endpoint, body: bytes) -> bool:
    """Whether it is JSON that the schema allows."""
    assert endpoint.body is not None
    try:
        return allows(endpoint.body, orjson.loads(body))
    except orjson.JSONDecodeError:
        return False


@TAKES_A_BODY
def test_any_value_in_the_place_of_a_field(sample: Sample, endpoint: Endpoint) -> None:
    assert endpoint.body is not None
    call = sample.call(endpoint)

    for field in fields_of(endpoint.body):
        bodies = [with_value(sample.another_body(endpoint, call), field, written) for written in VALUES.values()]
        for body, answer in sent(sample, endpoint, call, bodies):
            if answer.status in (400, 422):
                said = refusal(endpoint, answer)
                of_json = "not valid JSON" in said or "jsondecode" in said
                assert of_json or names(endpoint, said, field.path[0]), (body[:200], said)


@TAKES_A_BODY
def test_a_whole_number_with_a_point_is_the_same_number(sample: Sample, endpoint: Endpoint) -> None:
    assert endpoint.body is not None
    body = sample.body(endpoint) or {}

    for field in fields_of(endpoint.body):
        if field.schema.get("type") == "integer":
            read = [endpoint.body.model_validate(placed(body, field.path, value)) for value in (1, 1.0)]
            assert repr(read[0]) == repr(read[1]), field.name


@TAKES_A_BODY
def test_a_field_that_is_missing(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint)

    for name in call.body:
        whole = sample.another_body(endpoint, call)
        body = {other: value for other, value in whole.items() if other != name}
        for _, answer in sent(sample, endpoint, call, [json.dumps(body).encode()]):
            assert answer.status < 400 or names(endpoint, refusal(endpoint, answer), name)


@TAKES_A_BODY
def test_of_a_field_that_is_there_twice_the_last_counts(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint)
    wrong = ",".join(f"{json.dumps(name)}:[{{}}]" for name in call.body)

    answer = call.but(body=f"{{{wrong},{json.dumps(call.body)[1:]}".encode()).send(sample.server)

    assert answer.status == endpoint.status, answer.body


NO_OBJECTS = {
    "nothing": b"",
    "null": b"null",
    "list": b"[]",
    "text": b'"x"',
    "number": b"1e400",
    "NaN": b'{"a": NaN}',
    "not UTF-8": b'{"a": "\xff"}',
    "surrogate in UTF-8": b'{"a": "\xed\xa0\x80"}',
    "two BOMs": b"\xef\xbb\xbf\xef\xbb\xbf{}",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "NUL": b"\0",
    "deep": b"[" * 5_000,
    "deep object": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
}


@TAKES_A_BODY
def test_a_body_that_is_no_object(sample: Sample, endpoint: Endpoint) -> None:
    call, expected = sample.call(endpoint), 400 if endpoint.dialect == "aureum" else 422
    written = json.dumps(call.body).encode()
    bodies = NO_OBJECTS | {"truncated": written[:-1], "doubled": written * 2}
    before = sample.heads

    if endpoint.bodiless:
        del bodies["nothing"]
    for body in bodies.values() if endpoint.bodiless else (None, *bodies.values()):
        answer = call.but(body=body).send(sample.server)
        assert (answer.status, bool(refusal(endpoint, answer))) == (expected, True), (body, answer)

    assert sample.heads == before


@TAKES_A_BODY
def test_a_byte_order_mark_before_json(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint)

    assert call.but(body=b"\xef\xbb\xbf" + json.dumps(call.body).encode()).send(sample.server).status == endpoint.status


@TAKES_A_BODY
def test_another_content_type(sample: Sample, endpoint: Endpoint) -> None:
    call, before = sample.call(endpoint), sample.heads

    of_forms = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data")
    for content_type in ("\xff", "json", "text/html", *(() if isinstance(endpoint, FormEndpoint) else of_forms)):
        answer = call.but(headers={"Content-Type": content_type}).send(sample.server)
        assert answer.status == 415 or (endpoint.dialect, answer.status) == ("aureum", 400)
        assert "JSON" in refusal(endpoint, answer)

    assert sample.heads == before


@every(lambda endpoint: endpoint.method in ("POST", "PATCH") and not endpoint.uploads)
def test_a_body_of_more_than_a_megabyte(sample: Sample, endpoint: Endpoint) -> None:
    call, before = sample.call(endpoint), sample.heads
    body = json.dumps((call.body or {}) | {"unknown": "x" * 1_100_000}).encode()

    answer = call.but(body=body).send(sample.server)

    assert (answer.status, "too large" in refusal(endpoint, answer)) == (413, True)
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    assert call.but(body=chunked, headers={"Transfer-Encoding": "chunked"}).send(sample.server).status == 413
    assert sample.heads == before


scalars = st.none() | st.booleans() | st.integers() | st.sampled_from([0.5, 1e300, -0.0]) | st.text(max_size=20)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2)
)


@TAKES_A_BODY
@given(data=st.data())
@settings(max_examples=10, deadline=None, derandomize=True)
def test_any_values_in_the_places_of_some_fields(sample: Sample, endpoint: Endpoint, data: st.DataObject) -> None:
    assert endpoint.body is not None
    call = sample.same_call(endpoint)
    body = sample.another_body(endpoint, call)
    for field in data.draw(st.lists(st.sampled_from(fields_of(endpoint.body)), max_size=3)):
        words = st.sampled_from(field.schema.get("enum", ["x"]))
        body = placed(body, field.path, data.draw(values | words))

    assert list(sent(sample, endpoint, call, [json.dumps(body).encode()]))
