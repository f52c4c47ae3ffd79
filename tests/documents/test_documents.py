"""What holds for every endpoint of both documents: its tables of fields, replayed line by line."""

from typing import NamedTuple

import pytest

from tests.documents.likeness import kind, of_type
from tests.documents.reading import Endpoint, Field
from tests.documents.stage import AUREUM, LEADS, LISTS, POSTS, Stage, refused

WITH_A_TABLE = [one for one in POSTS if one.fields]


class Line(NamedTuple):
    """A line of a table, and the endpoint that it belongs to."""

    endpoint: Endpoint
    field: Field


def lines(*endpoints: Endpoint) -> list[Line]:
    return [Line(endpoint, field) for endpoint in endpoints for field in endpoint.fields]


def named(line: Line | Endpoint) -> str:
    """How a test is called, so that it says which line of the document is broken."""
    if isinstance(line, Endpoint):
        return line.label
    return f"{line.endpoint.method} {line.endpoint.path} {line.field.name} (line {line.field.line})"


@pytest.mark.parametrize("line", [line for line in lines(*POSTS) if line.field.required], ids=named)
def test_what_is_required_is_missed(stage: Stage, line: Line) -> None:
    body = stage.example(line.endpoint)
    before = stage.head
    del body[line.field.name]

    answer = stage.ask(line.endpoint, body)

    refused(line.endpoint, answer, line.field)
    if line.endpoint in LEADS.endpoints:
        assert answer.detail[0]["msg"] == "field required" and answer.detail[0]["type"] == "value_error.missing"
    assert stage.head == before


@pytest.mark.parametrize("endpoint", WITH_A_TABLE, ids=named)
def test_nothing_else_is_required(stage: Stage, endpoint: Endpoint) -> None:
    least = stage.least(endpoint)
    before = stage.head

    assert stage.ask(endpoint, least).status == endpoint.status

    assert stage.head > before


FILLED_IN = {
    "/api/contact": ("phone", "source_page", "utm_source", "utm_medium", "utm_campaign"),
    "/api/tours": ("phone", "preferred_time"),
}
"""What a page fills in, or a visitor cannot see, never refuses a public form."""


def refuses(line: Line) -> bool:
    return line.field.name != "phone" and line.field.name not in FILLED_IN.get(line.endpoint.path, ())


@pytest.mark.parametrize("line", [line for line in lines(*POSTS) if refuses(line)], ids=named)
def test_a_value_of_another_type_is_refused(stage: Stage, line: Line) -> None:
    """Phones never refuse anything. No field of either document is an object."""
    body = stage.example(line.endpoint, **{line.field.name: {"of": "no documented type"}})
    before = stage.head

    answer = stage.ask(line.endpoint, body)

    refused(line.endpoint, answer, line.field)
    assert stage.head == before


@pytest.mark.parametrize("line", [line for line in lines(*POSTS) if line.field.allowed], ids=named)
def test_every_allowed_value_is_taken_and_no_other(stage: Stage, line: Line) -> None:
    name = line.field.name
    for value in line.field.allowed:
        made = stage.make(line.endpoint, **{name: value})
        assert stage.shown(line.endpoint, made)[name] == value
    before = stage.head
    for value in ("NOBODYS", line.field.allowed[0].swapcase(), " "):
        refused(line.endpoint, stage.ask(line.endpoint, stage.example(line.endpoint, **{name: value})), line.field)
    assert stage.head == before


@pytest.mark.parametrize("line", [line for line in lines(*POSTS) if line.field.default], ids=named)
def test_what_is_left_out_is_the_default(stage: Stage, line: Line) -> None:
    body = stage.example(line.endpoint)
    body.pop(line.field.name, None)

    answer = stage.ask(line.endpoint, body)

    assert answer.status == line.endpoint.status, answer.body
    assert stage.shown(line.endpoint, answer.json)[line.field.name] == line.field.default


AUREUM_POSTS = [one for one in AUREUM.endpoints if one.method == "POST"]


@pytest.mark.parametrize("line", lines(*AUREUM_POSTS), ids=named)
def test_what_is_sent_is_kept_with_its_type(stage: Stage, line: Line) -> None:
    """Also the fields that no example shows: the answer to a POST is the whole resource."""
    invented = {"zip": "90210", "propertyType": "LAND"}
    body = stage.example(line.endpoint)
    value = body.get(line.field.name, invented.get(line.field.name))
    assert of_type(line.field.type, value)

    made = stage.make(line.endpoint, **{line.field.name: value})

    kept = stage.shown(line.endpoint, made)[line.field.name]
    assert (kept, kind(kept)) == (value, kind(value))


FILTERS = [line for line in lines(*LISTS) if line.field.allowed or line.field.type == "boolean"]


@pytest.mark.parametrize("line", FILTERS, ids=named)
def test_a_filter_takes_no_value_that_is_not_allowed(stage: Stage, line: Line) -> None:
    for value in ("NOBODYS", *(one.swapcase() for one in line.field.allowed)):
        refused(line.endpoint, stage.ask(line.endpoint, **{line.field.name: value}), line.field)


@pytest.mark.parametrize("line", lines(*LISTS), ids=named)
def test_a_filter_takes_every_value_that_is_allowed(stage: Stage, line: Line) -> None:
    values = line.field.allowed or (("true",) if line.field.type == "boolean" else ("c" + "0" * 25,))
    for value in values:
        assert stage.listed(line.endpoint, **{line.field.name: value}) == []
