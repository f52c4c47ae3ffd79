"""What is sent is what is shown afterwards: no field of a body gets lost between HTTP, command and aggregate."""

import re
from typing import Any

from aureum.http.contract.endpoint import Endpoint
from tests.http.every.declared import Field, every, fields_of, is_text
from tests.http.every.sample import Sample

ELSEWHERE = {
    ("POST /api/contact", "message"),
    ("POST /api/leads", "firstName"),
    ("POST /api/leads", "lastName"),
    ("POST /api/leads", "name"),
    ("PATCH /api/leads/{id}", "name"),
    ("POST /api/properties", "slug"),
}
"""What is not shown as it was sent: a form is thanked for, and of a name the whole counts before its parts."""


def other(field: Field, shown: Any) -> Any:
    """Another value that may stand there; None where the schema does not tell one."""
    schema = field.schema
    if "enum" in schema:
        return next((one for one in schema["enum"] if one not in (shown, None)), None)
    if schema.get("type") == "boolean" and "const" not in schema:
        return not shown
    if is_text(schema):
        text = f"other {field.path[0]}"[: schema.get("maxLength", 99)]
        return text if re.search(schema.get("pattern", ""), text) else None
    return None


@every(lambda endpoint: endpoint.body is not None and endpoint.method in ("POST", "PATCH"))
def test_every_field_arrives(sample: Sample, endpoint: Endpoint) -> None:
    assert endpoint.body is not None
    call = sample.call(endpoint, fresh=True)
    first = call.send(sample.server)
    if first.status >= 400 or not isinstance(first.json, dict):
        return
    for field in fields_of(endpoint.body):
        name = field.path[0]
        value = other(field, first.json.get(name))
        if len(field.path) > 1 or name not in first.json or value is None:
            continue
        if (f"{endpoint.method} {endpoint.path}", name) in ELSEWHERE:
            continue
        call = sample.call(endpoint, fresh=True)
        answer = call.but(body=call.body | {name: value}).send(sample.server)
        if answer.status < 400:
            assert answer.json[name] == value, (name, answer.body)
