"""The OpenAPI document: valid, complete, and in agreement with both documents that it stands for."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from aureum import __version__
from aureum.http.contract.visitor_page import LOGO
from aureum.http.server.routes import ENDPOINTS, addresses, described
from aureum.registry import ALL_EVENTS as EVENTS
from aureum.webhooks.sending.signing import new_secret, sign
from aureum.webhooks.telling.messages import SOURCES
from tests.documents.aureum_document import aureum_document
from tests.documents.leads_document import leads_document
from tests.http.operator import Operator, Tenant
from tests.http.serving import JANE, Server, served

SOURCE_NAMES = [name for source in SOURCES.values() for name in source.names.values()]
DOCUMENT = json.loads(json.dumps(described()))
REFERENCE = Path(__file__).parents[3] / "docs" / "reference.md"
OPERATIONS = [(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods]


def operation(method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][path][method.lower()]
    return found


def parts(value: Any) -> Iterator[Any]:
    """*value* and all that is in it."""
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts(inner)


def validator(schema: Any) -> jsonschema_rs.Validator:
    """Of a schema of the document, which may refer to others."""
    return jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]}, validate_formats=True)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The model that a schema refers to."""
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def requests() -> list[dict[str, Any]]:
    """What is sent to webhooks."""
    return [one["post"] for one in DOCUMENT["webhooks"].values()]


def test_it_is_valid_openapi_3_1() -> None:
    assert [str(error) for error in OPENAPI_31_VALIDATOR.iter_errors(DOCUMENT)] == []
    assert (DOCUMENT["openapi"], DOCUMENT["info"]["version"]) == ("3.1.0", __version__)
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema_rs.meta.validate({**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"})


def test_every_reference_leads_somewhere_and_every_component_is_needed() -> None:
    named = {part["$ref"] for part in parts(DOCUMENT) if isinstance(part, dict) and "$ref" in part}
    there = {
        f"#/components/{kind}/{name}" for kind in ("schemas", "responses") for name in DOCUMENT["components"][kind]
    }
    assert named == there


def test_every_route_is_in_it() -> None:
    shown = {(endpoint.method.lower(), endpoint.path) for endpoint in ENDPOINTS if endpoint.documented}
    assert set(OPERATIONS) == shown
    assert {endpoint.path for endpoint in ENDPOINTS} == {address.path for address in addresses()}
    hidden = {endpoint.path for endpoint in ENDPOINTS if not endpoint.documented}
    assert all(path in ("/docs", LOGO) or path.startswith("/docs/") for path in hidden), "pages and pictures"


def test_names_are_unique_and_everything_is_described() -> None:
    operations = [*(operation(*one) for one in OPERATIONS), *requests()]
    assert len({one["operationId"] for one in operations}) == len(operations)
    assert all(one["summary"] and one["description"] and one["tags"] for one in operations)
    for method, path in OPERATIONS:
        given = [one["name"] for one in operation(method, path)["parameters"] if one["in"] == "path"]
        assert given == re.findall(r"\{(\w+)", path)
    assert "``" not in json.dumps(DOCUMENT), "Markdown of the source, not of the document"


def test_every_property_parameter_and_tag_is_described() -> None:
    missing = [
        f"{name}.{field}"
        for name, schema in DOCUMENT["components"]["schemas"].items()
        for field, described in schema.get("properties", {}).items()
        if not described.get("description")
    ]
    assert missing == [], 'give each Field(description="…"), or a line in aureum/http/openapi/words.py'
    operations = [*(operation(*one) for one in OPERATIONS), *requests()]
    for one in operations:
        assert [parameter["name"] for parameter in one["parameters"] if not parameter.get("description")] == [], one
    tags = {tag["name"]: tag["description"] for tag in DOCUMENT["tags"]}
    assert set(tags) == {name for one in operations for name in one["tags"]}
    assert all(tags.values()), "what a tag means is told in aureum/http/openapi/words.py"


def test_nothing_in_it_stands_in_the_way_of_generators() -> None:
    """No default, which makes an optional field required, nothing that is always true, and no keyword that JSON Schema
    does not know."""
    schemas = DOCUMENT["components"]["schemas"]
    assert [name for name in schemas if not re.fullmatch("(?!Numbered)[A-Z][A-Za-z]+", name)] == []
    for part in parts(schemas):
        if isinstance(part, dict):
            assert not {"default", "ge", "le", "gt", "lt"} & part.keys(), part
            assert part.get("const") is not True, part


def test_an_etag_to_match_is_one_and_what_is_none_is_refused(server: Server, tenant: Tenant) -> None:
    (described,) = (one for one in operation("PATCH", "/api/leads/{id}")["parameters"] if one["name"] == "If-Match")
    lead = server.by_key(tenant, "POST", "/api/leads", JANE)
    address = f"/api/leads/{lead.json['id']}"
    for value, status in (("", 400), ("v1", 400), ('"v1" "v2"', 400), ('"v9"', 412), ("*", 200), ('W/"a", "v2"', 200)):
        allowed = validator(described["schema"]).is_valid(value)
        answer = server.by_key(tenant, "PATCH", address, {"status": "contacted"}, {"If-Match": value})
        assert answer.status == status, value
        assert allowed is (status != 400), value
        assert allowed or answer.code == "if_match_invalid"


def test_where_it_is_served(served_url: str) -> None:
    assert DOCUMENT["servers"][0]["variables"]["host"]["default"] == "localhost:8000"
    public = "https://crm.example.com"
    assert described(public)["servers"] == [{"url": public, "description": "This installation."}]
    with served(served_url, public_url=f"{public}/") as running:
        assert running.ask("GET", "/openapi.json").json["servers"][0]["url"] == public


def test_webhooks_are_those_that_are_sent() -> None:
    assert set(DOCUMENT["webhooks"]) == set(EVENTS)
    union = resolved({"$ref": "#/components/schemas/MessageResponse"})
    assert set(union["discriminator"]["mapping"]) == set(EVENTS)
    assert set(SOURCE_NAMES) == set(EVENTS)
    for event, about in DOCUMENT["webhooks"].items():
        (content,) = about["post"]["requestBody"]["content"].values()
        message = resolved(content["schema"])
        assert event in message["properties"]["event"]["enum"]
        kind = event.partition(".")[0].capitalize()
        assert message["properties"]["data"]["$ref"] == f"#/components/schemas/{kind}Response"
        sent = sign(b"{}", message_id="msg_1", event=event, secrets=[new_secret(), new_secret()], timestamp=1)
        told = {parameter["name"] for parameter in about["post"]["parameters"]}
        assert told == set(sent) - {"Content-Type", "User-Agent"}


def test_every_example_is_one() -> None:
    counted = 0
    for schema in parts(DOCUMENT):
        if isinstance(schema, dict) and isinstance(schema.get("examples"), list):
            counted += 1
            assert [example for example in schema["examples"] if not validator(schema).is_valid(example)] == []
        if isinstance(schema, dict) and "example" in schema:
            counted += 1
            assert validator(schema["schema"]).is_valid(schema["example"])
    assert counted > 10
    for method, path in OPERATIONS:
        if "requestBody" in operation(method, path):
            assert all("example" in one for one in operation(method, path)["requestBody"]["content"].values()), path


def test_only_what_has_a_version_says_so_and_pages_for_browsers_are_told_of() -> None:
    page = operation("GET", "/api/newsletter/unsubscribe")
    assert "304" not in page["responses"] and "ETag" not in page["responses"]["200"]["headers"]
    assert "If-None-Match" not in {one["name"] for one in page["parameters"]}
    for method in ("GET", "POST"):
        answers = operation(method, "/api/newsletter/unsubscribe")["responses"]
        assert all(list(answers[status]["content"]) == ["application/json", "text/html"] for status in ("200", "404"))


def test_the_headers_of_each_kind_of_answer_are_named() -> None:
    calendar = operation("GET", "/api/tours/{id}.ics")["responses"]
    assert "Content-Disposition" in calendar["200"]["headers"]
    assert "Content-Disposition" not in calendar["304"]["headers"]
    of_a_key = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
    refusals = DOCUMENT["components"]["responses"]
    assert all(of_a_key <= refusals[f"aureum_{status}"]["headers"].keys() for status in (400, 403, 404, 429))
    assert refusals["aureum_401"]["headers"].keys() == {"X-Request-Id", "X-Error-Code", "WWW-Authenticate"}


def test_a_schema_tells_what_null_means() -> None:
    change, new = (DOCUMENT["components"]["schemas"][name] for name in ("LeadChange", "LeadCreate"))
    for value, valid in (({"status": None}, False), ({"name": None}, False), ({"email": None}, True), ({}, True)):
        assert validator(change).is_valid(value) is valid
    assert validator(new).is_valid({"name": "Jane", "phone": "1", "status": None, "source": None})


@pytest.mark.parametrize(
    "endpoint",
    [one for one in leads_document().endpoints if one.path in DOCUMENT["paths"] and one.request],
    ids=lambda one: one.label,
)
def test_the_leads_documents_requests_are_its_examples(endpoint: Any) -> None:
    shown = operation(endpoint.method, endpoint.path)["requestBody"]["content"]["application/json"]["example"]
    assert shown == endpoint.request.value


@pytest.mark.parametrize(
    "endpoint",
    [one for one in aureum_document().endpoints if one.path in DOCUMENT["paths"]],
    ids=lambda one: one.label,
)
def test_the_aureum_documents_fields_are_in_it(endpoint: Any) -> None:
    shown = operation(endpoint.method, endpoint.path)
    if endpoint.method == "GET":
        names = {one["name"] for one in shown["parameters"] if one["in"] == "query"}
    else:
        names = set(resolved(shown["requestBody"]["content"]["application/json"]["schema"])["properties"])
    assert {field.name for field in endpoint.fields} <= names
    assert str(endpoint.status) in shown["responses"]


def test_it_is_served_to_anybody_and_made_once(server: Server, operator: Operator) -> None:
    answer = server.ask("GET", "/openapi.json", host=None)
    assert (answer.status, answer.headers["content-type"], answer.json) == (200, "application/json", DOCUMENT)
    again = server.ask("GET", "/openapi.json", headers={"If-None-Match": answer.etag})
    assert (again.status, again.body) == (304, b"")


def printed(*options: str) -> str:
    """What the command prints, which needs neither a server nor a database."""
    command = [sys.executable, "-m", "aureum", "openapi", *options]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def test_the_command_prints_it() -> None:
    assert json.loads(printed()) == DOCUMENT


def test_the_reference_page_is_what_would_be_made_now() -> None:
    assert REFERENCE.read_text() == printed("--markdown"), "run: .venv/bin/aureum openapi --markdown >docs/reference.md"
