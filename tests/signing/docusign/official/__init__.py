"""What DocuSign publishes of its API: ``esignature.json`` is the part of its OpenAPI document that Aureum uses.

It is made of the file ``esignature.rest.swagger-v2.1.json`` of the public repository docusign/OpenAPI-Specifications at
commit 67fbd75 (MIT licence, ``LICENSE`` beside this): ``python -m tests.signing.docusign.official FILE``. Of each
object that a request or an answer has, all its properties are kept with their types. Objects that Aureum never sends
are left open, and descriptions are left out. DocuSign's own file requires no property and lists no values.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parent / "esignature.json").read_text())


@cache
def validator(name: str) -> jsonschema_rs.Validator:
    """Judges objects of that definition; keys that DocuSign does not know are refused."""
    schema = {"$ref": f"#/definitions/{name}", "definitions": DOCUMENT["definitions"]}
    return jsonschema_rs.Draft4Validator(schema)


def problems(name: str, value: Any) -> list[str]:
    """What is wrong with an object of that definition."""
    return [f"{'/'.join(map(str, one.instance_path))}: {one.message}" for one in validator(name).iter_errors(value)]


def operation(method: str, path: str) -> tuple[dict[str, Any], dict[str, str]] | None:
    """The operation at a path such as ``/v2.1/accounts/1/envelopes``, and what its parameters are."""
    parts = path.split("/")
    for template, methods in DOCUMENT["paths"].items():
        names = template.split("/")
        if method.lower() not in methods or len(names) != len(parts):
            continue
        if all(name == part or name.startswith("{") for name, part in zip(names, parts, strict=True)):
            values = {name[1:-1]: part for name, part in zip(names, parts, strict=True) if name.startswith("{")}
            return methods[method.lower()], values
    return None


def complaints(method: str, path: str, query: dict[str, str], body: Any) -> list[str]:
    """What the official document has against a request."""
    found = operation(method, path)
    if found is None:
        return [f"no operation {method} {path}"]
    parameters = found[0]["parameters"]
    known = {one["name"] for one in parameters if one["in"] == "query"}
    wrong = [f"no parameter {name}" for name in query if name not in known]
    wanted = [one["schema"]["$ref"].rpartition("/")[2] for one in parameters if one["in"] == "body"]
    if wanted and body is not None:
        wrong += problems(wanted[0], body)
    elif wanted or body is not None:
        wrong.append("a body where there is none, or none where there is one")
    return wrong


def answer_problems(method: str, path: str, status: int, answer: Any) -> list[str]:
    """What the official document has against a peer's answer: it must not say what DocuSign never would."""
    found = operation(method, path)
    assert found is not None
    schema = found[0]["responses"].get(str(status), {}).get("schema", {})
    return problems(schema["$ref"].rpartition("/")[2], answer) if "$ref" in schema else []
