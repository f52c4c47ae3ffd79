"""Nothing in either document was left unread."""

import json
import re

import pytest

from tests.documents.aureum_document import aureum_document
from tests.documents.leads_document import leads_document
from tests.documents.likeness import chosen, kind, of_type, unlike
from tests.documents.reading import HERE, Block, blocks_of, line_of

AUREUM = aureum_document()
LEADS = leads_document()


def test_every_endpoint_of_the_aureum_api() -> None:
    assert [(one.line, one.method, one.path, one.status, len(one.fields)) for one in AUREUM.endpoints] == [
        (46, "GET", "/api/properties", 200, 2),
        (74, "POST", "/api/properties", 201, 11),
        (102, "GET", "/api/contacts", 200, 3),
        (128, "POST", "/api/contacts", 201, 6),
        (150, "GET", "/api/leads", 200, 2),
        (174, "GET", "/api/tasks", 200, 2),
    ]
    assert len(AUREUM.endpoints) == len(re.findall("^(?:GET|POST|PUT|PATCH|DELETE)", AUREUM.text, re.MULTILINE))
    assert all(one.about and one.response for one in AUREUM.endpoints)


def test_every_endpoint_of_the_leads_api() -> None:
    parts = [
        (one.line, one.method, one.path, one.status, len(one.fields), len(one.refusals)) for one in LEADS.endpoints
    ]
    assert parts == [
        (5, "POST", "/api/contact", 200, 10, 0),
        (22, "GET", "/api/leads/count", 200, 0, 0),
        (28, "POST", "/api/v1/admin/leads", 201, 10, 3),
        (62, "POST", "/api/tours", 200, 7, 0),
        (76, "GET", "/api/tours", 200, 2, 0),
        (83, "GET", "/api/tours/{request_id}", 200, 0, 0),
        (86, "POST", "/api/newsletter/subscribe", 200, 0, 0),
    ]
    # Two more stand in sentences: what creating a lead differs from, and whose answer it shares.
    assert len(re.findall("(?:GET|POST|PUT|PATCH|DELETE) /", LEADS.text)) == len(LEADS.endpoints) + 2
    assert all(one.request for one in LEADS.endpoints if one.method == "POST")
    (scoping,) = (one for one in LEADS.sections if one.title == "Scoping")
    assert scoping.text.count("\n- ") + scoping.text.count(". - ") + scoping.text.startswith("- ") == 3


def test_every_section_of_the_leads_api() -> None:
    assert len(LEADS.sections) == LEADS.text.count("Section titled")
    (tags,) = (one.tags for one in LEADS.endpoints if one.tags)
    assert tags == {"source_domain": "admin-manual", "source_page": "/admin/leads"}
    assert [row.name for row in LEADS.statuses] == [
        "new", "contacted", "qualified", "showing", "offer", "converted", "lost",
    ]  # fmt: skip
    assert [(error.title, error.status) for error in LEADS.errors] == [
        ("Missing Host Header", 400),
        ("Brokerage Not Found", 404),
        ("Validation Error", 422),
    ]


def test_every_row_of_every_table() -> None:
    tables = LEADS.text.count("\n|---")
    fields = sum(len(one.fields) + len(one.refusals) for one in LEADS.endpoints)
    piped = [line for line in LEADS.text.split("\n") if line.endswith("|")]
    assert fields + len(LEADS.statuses) == len(piped) - 2 * tables
    headings = re.findall(r"^(?:Name|Status|Event)\w*Description$|^StatusMeaning$", AUREUM.text, re.MULTILINE)
    assert len(headings) == len(AUREUM.endpoints) + 2
    assert [row.name for row in AUREUM.statuses] == ["200", "201", "400", "401", "403", "404", "429", "500"]
    assert len(AUREUM.events) == 10 == len(set(row.name for row in AUREUM.events))
    assert all(row.text[0].isupper() for row in (*AUREUM.statuses, *AUREUM.events, *LEADS.statuses))


def test_a_field_is_found_in_the_line_that_it_names() -> None:
    for document in (AUREUM, LEADS):
        lines = document.text.split("\n")
        for endpoint in document.endpoints:
            assert endpoint.path in lines[endpoint.line - 1]
            for field in endpoint.fields:
                line = lines[field.line - 1]
                assert re.match(rf"{field.name}(?: \| )?{re.escape(field.type)}", line)
                assert field.description in line


def test_allowed_values_and_defaults() -> None:
    properties = AUREUM.endpoint("POST", "/api/properties")
    assert properties.field("status").allowed == ("ACTIVE", "PENDING", "SOLD", "COMING_SOON")
    assert properties.field("status").default == "ACTIVE"
    assert properties.field("propertyType").allowed[0] == "SINGLE_FAMILY"
    assert properties.field("price").allowed == () and properties.field("price").default is None
    assert LEADS.endpoint("GET", "/api/tours").field("status").allowed[-1] == "cancelled"
    admin = LEADS.endpoint("POST", "/api/v1/admin/leads")
    assert admin.field("status").default == "new" and admin.field("notes").default is None
    found = [field.name for one in (*AUREUM.endpoints, *LEADS.endpoints) for field in one.fields if field.allowed]
    assert found == ["status", "propertyType", "status", "type", "type", "status", "status", "status"]


def test_every_example_was_read_and_belongs_somewhere() -> None:
    examples = [block for one in AUREUM.endpoints for block in (one.request, one.response) if block]
    assert {block.start for block in (*examples, AUREUM.error_format, AUREUM.payload)} == starts(AUREUM.blocks)
    examples = [block for one in LEADS.endpoints for block in (one.request, one.response) if block]
    assert {block.start for block in (*examples, *(error.block for error in LEADS.errors))} == starts(LEADS.blocks)
    assert (len(AUREUM.blocks), len(LEADS.blocks)) == (8, 12)


def starts(blocks: tuple[Block, ...]) -> set[int]:
    return {block.start for block in blocks}


def test_no_brace_was_left_unread() -> None:
    sample = AUREUM.text.index(AUREUM.sample)
    program = range(sample, sample + len(AUREUM.sample))
    for document in (AUREUM, LEADS):
        for brace in re.finditer(r"{", document.text):
            place = brace.start()
            read = any(block.start <= place < block.end for block in document.blocks)
            placeholder = re.compile(r"{(?:\w*id)}").match(document.text, place)
            told = read or placeholder or (document is AUREUM and place in program)
            assert told, f"line {line_of(document.text, place)}"


def test_the_rest_of_the_aureum_api_document() -> None:
    facts = {name: AUREUM.facts[name] for name in ("Base URL", "Rate limit", "Content type")}
    assert facts == {
        "Base URL": "https://your-tenant.aureumapp.com",
        "Rate limit": "100 requests per minute",
        "Content type": "application/json",
    }
    assert AUREUM.curl.startswith("curl -H") and AUREUM.curl.endswith("/api/properties")
    assert AUREUM.error_format.notes == {
        "upgrade": "present if plan upgrade needed",
        "requiredPlan": "which plan is required",
    }
    assert AUREUM.sample.strip() == (HERE / "verify-signature.js").read_text().strip()


def test_examples_are_read_by_value() -> None:
    (listed,) = AUREUM.endpoint("GET", "/api/contacts").answered
    assert (listed["phone"], listed["tags"], listed["score"]) == ("+1-555-0100", ["vip", "beverly-hills"], 85)
    assert AUREUM.error_format.value["requiredPlan"] == "Grow"
    sent = LEADS.endpoint("POST", "/api/v1/admin/leads").sent
    assert (sent["assigned_agent_id"], sent["brokerage_id"]) == (42, 2)
    assert json.dumps(sent)[1:-1] in LEADS.text
    text = 'x {id} [] ["a"] {\n  "b": true,  // why\n  "c": [1]\n} {"d": "// no"}'
    assert [(block.value, block.notes) for block in blocks_of(text)] == [
        (["a"], {}),
        ({"b": True, "c": [1]}, {"b": "why"}),
        ({"d": "// no"}, {}),
    ]


@pytest.mark.parametrize(
    ("example", "actual", "differences"),
    [
        ({"id": "clx..."}, {"id": "c" + "0" * 25, "more": 1}, []),
        ({"id": "clx..."}, {"id": 7}, ["answer.id is integer, not id"]),
        ({"id": 456}, {"id": "456"}, ["answer.id is string, not integer"]),
        ({"success": True}, {"success": 1}, ["answer.success is integer, not boolean"]),
        ({"at": "2025-01-15T..."}, {"at": "2026-01-15T10:30:00.000Z"}, []),
        ({"at": "2025-01-15T..."}, {"at": "2026-01-15T10:30:00Z"}, ["answer.at is time in seconds, not time in milli"]),
        ({"at": "2024-12-28T15:30:00Z"}, {"at": "2024-12-28"}, ["answer.at is date, not time in seconds"]),
        ({"name": "Jane"}, {"name": "2024-12-28"}, []),
        ({"name": "Jane"}, {"name": None}, ["answer.name is null, not string"]),
        ([{"a": 1}], [{"a": 2}, {}], ["answer[1].a is missing"]),
        ([{"a": 1}], {"a": 1}, ["answer is object, not array"]),
        ({"tags": ["vip"]}, {"tags": ["x", 1]}, ["answer.tags[1] is integer, not string"]),
    ],
)
def test_what_is_unlike(example: object, actual: object, differences: list[str]) -> None:
    found = unlike(example, actual)
    assert len(found) == len(differences)
    assert all(one.startswith(expected) for one, expected in zip(found, differences, strict=True))


def test_types_of_the_tables() -> None:
    assert of_type("number", 4.5) and of_type("number", 4) and not of_type("number", True)
    assert of_type("string[]", ["a"]) and not of_type("string[]", [1]) and not of_type("integer", 1.0)
    assert {field.type for one in (*AUREUM.endpoints, *LEADS.endpoints) for field in one.fields} == {
        "string", "string[]", "number", "boolean", "integer",
    }  # fmt: skip
    (task,) = AUREUM.endpoint("GET", "/api/tasks").answered
    sent = chosen(task, "T10:30:00.000Z")
    assert sent["dueDate"] == "2025-01-20T10:30:00.000Z" and kind(sent["dueDate"]) == kind(task["dueDate"])
    assert set(task) - set(sent) == {"id", "createdAt"}
