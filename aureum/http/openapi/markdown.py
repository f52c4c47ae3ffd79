"""The OpenAPI document as one page in Markdown: docs/reference.md."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from aureum.http.openapi.schemas import JsonSchema
from aureum.http.openapi.webhooks import TAG as MESSAGES

HEAD = """# Reference

Every endpoint, as `/openapi.json` has it and `/docs` shows it. This page is generated: `aureum openapi --markdown`.
[api.md](api.md) says what holds for all of them.
"""

API = {"aureum": "Aureum API", "leads": "Leads API"}

EVERYWHERE = {"X-Request-Id", "X-Error-Code"}
"""Headers that need not be told of each endpoint."""


def page(document: Mapping[str, Any]) -> str:
    """The page, from the whole document."""
    return "\n".join(lines(document)) + "\n"


def lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Endpoints by tag, then the models that they name."""
    yield HEAD
    yield document["info"]["description"]
    components = document["components"]
    for tag in document["tags"]:
        if tag["name"] == MESSAGES:
            continue
        yield f"## {tag['name'].capitalize()}\n"
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if tag["name"] in operation["tags"]:
                    yield from endpoint(f"{method.upper()} {path}", operation)
    yield from messages(document["webhooks"])
    yield from refusals(components["responses"])
    yield "## Models\n"
    for name, schema in components["schemas"].items():
        yield f"### {name}\n"
        if "description" in schema:
            yield f"{text(schema['description'])}\n"
        yield from fields(schema)


def endpoint(title: str, operation: Mapping[str, Any]) -> Iterator[str]:
    """One endpoint: who may ask, parameters, body, answers."""
    yield f"### {operation['summary']}\n"
    yield f"`{title}`\n"
    yield f"{operation['description']}\n"
    yield f"Credentials: {credentials(operation['security'])}.\n"
    told = [one for one in operation["parameters"] if one["name"] not in EVERYWHERE]
    if told:
        cells = [(f"`{one['name']}`", one["in"], kind(one["schema"]), text(one.get("description", ""))) for one in told]
        yield from table(("parameter", "in", "type", ""), cells)
    if "requestBody" in operation:
        yield f"Body: {kind(content(operation['requestBody'])['schema'])}.\n"
    refused = []
    for status, answer in operation["responses"].items():
        if "$ref" in answer:
            refused.append(status)
            continue
        shape = f": {kind(content(answer)['schema'])}" if "content" in answer else ""
        headers = ", ".join(f"`{name}`" for name in answer.get("headers", {}) if name not in EVERYWHERE)
        yield f"**{status}** {text(answer['description'])}{shape}.{f' Headers: {headers}.' if headers else ''}\n"
    dialect = operation["responses"][refused[-1]]["$ref"].rpartition("/")[2].partition("_")[0]
    yield f"Refused with {', '.join(refused)}, as the [{API[dialect]}](#refusals) does.\n"


def messages(webhooks: Mapping[str, Any]) -> Iterator[str]:
    """What is sent to webhooks."""
    yield "## Messages\n"
    yield "What a webhook receives, as a POST with JSON ([webhooks.md](webhooks.md)).\n"
    cells = [
        (f"`{event}`", one["post"]["summary"], kind(content(one["post"]["requestBody"])["schema"]))
        for event, one in webhooks.items()
    ]
    yield from table(("event", "when", "body"), cells)


def refusals(responses: Mapping[str, Any]) -> Iterator[str]:
    """What the statuses mean, in both dialects."""
    yield "## Refusals\n"
    yield "Each carries a code; [errors.md](errors.md) lists them.\n"
    cells = []
    for name, answer in responses.items():
        dialect, _, status = name.partition("_")
        headers = ", ".join(f"`{header}`" for header in answer["headers"] if header not in EVERYWHERE)
        cells.append((status, API[dialect], kind(content(answer)["schema"]), headers, text(answer["description"])))
    yield from table(("status", "API", "body", "headers", ""), sorted(cells, key=lambda row: (row[1], row[0])))


def fields(schema: JsonSchema) -> Iterator[str]:
    """The fields of a model."""
    required = schema.get("required", ())
    cells = [
        (f"`{name}`", kind(field), "yes" if name in required else "", text(field.get("description", "")))
        for name, field in schema.get("properties", {}).items()
    ]
    if cells:
        yield from table(("field", "type", "required", ""), cells)
    for example in schema.get("examples", ())[:1]:
        yield from ("Example:\n", "```json", written(example), "```\n")


def written(example: Any) -> str:
    """Indented JSON."""
    return orjson.dumps(example, option=orjson.OPT_INDENT_2).decode()


def credentials(security: Iterable[Mapping[str, Any]]) -> str:
    """Which kinds are taken."""
    kinds = [" and ".join(f"`{name}`" for name in one) or "none" for one in security]
    return " or ".join(kinds) or "none"


def content(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    """What stands under the first media type of a body; a second one is a page for browsers."""
    media: Mapping[str, Any] = next(iter(holder["content"].values()))
    return media


def kind(schema: JsonSchema) -> str:
    """A schema in a few words: ``string, at most 200 characters``, ``list of [ShownLead](#shownlead)``."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(kind(one) for one in schema["anyOf"] if one.get("const") != "")
    if "enum" in schema:
        return " ".join(f"`{word}`" for word in schema["enum"])
    if "const" in schema:
        return f"`{str(schema['const']).lower()}`"
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}))}"
    name = schema.get("type", "anything")
    words = [" or ".join(name) if isinstance(name, list) else schema.get("format", name)]
    words += [f"{said} {schema[key]}{unit}" for key, said, unit in BOUNDS if key in schema]
    return ", ".join(words)


BOUNDS = (
    ("minimum", "at least", ""),
    ("maximum", "at most", ""),
    ("multipleOf", "in steps of", ""),
    ("maxLength", "at most", " characters"),
)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A table and the blank line behind it."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def text(words: str) -> str:
    """A description on one line, as a cell of a table takes it."""
    return " ".join(words.replace("``", "`").replace("|", "\\|").split())
