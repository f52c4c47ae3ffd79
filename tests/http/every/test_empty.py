"""``""`` in the place of an optional field is the same as ``null``, in every body and every query: a form and a
spreadsheet send it for what was left empty.
"""

import json
from typing import Any
from urllib.parse import parse_qsl

from aureum.http.contract.endpoint import Endpoint
from aureum.http.wire.sent import POSITIONS, Body
from tests.http.every.declared import every, fields_of, is_list, names, query_fields, refusal, schema_of
from tests.http.every.sample import Sample
from tests.http.every.test_bodies import TAKES_A_BODY, placed

EMPTY_PARAMETERS = every(lambda endpoint: endpoint.query is not None and endpoint.access.schemes)


def optional(schema: dict[str, Any]) -> bool:
    """Whether a field takes ``null``."""
    return any(one.get("type") == "null" for one in schema.get("anyOf", ()))


@TAKES_A_BODY
def test_an_empty_text_is_null(sample: Sample, endpoint: Endpoint) -> None:
    """Told by what becomes of the body, and asked once with all of them."""
    assert endpoint.body is not None
    if not issubclass(endpoint.body, Body):
        return
    call, schema = sample.call(endpoint), schema_of(endpoint.body)
    nulled = [name for name, own in schema["properties"].items() if optional(own)]

    for name in nulled:
        whole = sample.another_body(endpoint, call)
        for other in ({}, {"email": "e@example.com", "phone": "1", "name": "N", "firstName": "F", "lastName": "L"}):
            sent = whole | {key: value for key, value in other.items() if key in schema["properties"]}
            try:
                expected = endpoint.body.model_validate(sent | {name: None})
            except ValueError:
                continue
            assert endpoint.body.model_validate(sent | {name: ""}) == expected, name

    # An envelope that is begun from no template has a subject.
    needed = {"email", "name", "user_id", *(("subject",) if "templateId" in schema["properties"] else ())}
    kept, answers = needed & set(call.body), []
    for nothing in (None, ""):
        call = sample.call(endpoint, fresh=True)
        answers.append(call.but(body=call.body | dict.fromkeys(set(nulled) - kept, nothing)).send(sample.server))
    assert answers[0].status == answers[1].status, answers
    assert answers[1].status == endpoint.status or "cannot both be removed" in refusal(endpoint, answers[1])


@TAKES_A_BODY
def test_what_must_have_a_value_refuses_an_empty_one(sample: Sample, endpoint: Endpoint) -> None:
    assert endpoint.body is not None
    call, schema = sample.call(endpoint), schema_of(endpoint.body)
    before = sample.heads

    for field in fields_of(endpoint.body):
        own = schema["properties"][field.path[0]]
        if (
            len(field.path) > 1
            or optional(own)
            or own.get("default") == ""
            or not own.keys() & {"type", "$ref", "enum"}
        ):
            continue
        body = placed(sample.another_body(endpoint, call), field.path, "")
        answer = call.but(body=json.dumps(body).encode()).send(sample.server)
        if endpoint.path == "/api/v1/auth/login" and field.name == "password":
            assert answer.status == 401
            continue
        assert answer.status == (400 if endpoint.dialect == "aureum" else 422), (field.name, answer.body)
        assert names(endpoint, refusal(endpoint, answer), field.name)

    assert sample.heads == before


@EMPTY_PARAMETERS
def test_an_empty_parameter_is_one_that_was_left_out(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint, fresh=True)
    plain = call.send(sample.server) if endpoint.method == "GET" else None

    for name in set(query_fields(endpoint)) - set(POSITIONS) - set(call.query):
        call = sample.call(endpoint, fresh=endpoint.method != "GET") if plain is None else call
        answer = call.but(query={name: ""}).send(sample.server)
        assert answer.status == endpoint.status, (name, answer.body)
        assert plain is None or answer.body == plain.body, name


@every(lambda endpoint: is_list(endpoint) and "limit" in query_fields(endpoint))
def test_pages_of_a_list_with_empty_parameters(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint)
    sample.make(endpoint.path)
    empty = dict.fromkeys(set(query_fields(endpoint)) - set(POSITIONS), "") | {"limit": "1"}

    first = sample.succeed(endpoint, call.but(query=empty))

    assert 'rel="next"' in first.headers["link"]
    path = first.headers["link"].partition(">")[0].removeprefix("<")
    query = dict(parse_qsl(path.partition("?")[2], keep_blank_values=True))
    following = sample.succeed(endpoint, call.but(query=query))
    assert following.body != first.body and len(following.json) == 1
