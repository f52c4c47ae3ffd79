"""docs/errors.md, made of the list of codes: what each refusal means, and what the client does about it."""

from collections.abc import Iterator

from aureum.http.wire.error_codes import CODES, Meaning

HEAD = """# Errors

Every refusal has a code: a stable, lower-case word for programs, while the text beside it is for people and may change.
The Aureum API has the code in the body, the Leads API in the header `X-Error-Code` only, because its bodies are part of
its document. The header is there in both, also where an answer has no body (`HEAD`). This page is generated: `aureum
openapi --errors`.

```json
{
  "error": "email must be a valid email address.",
  "code": "invalid_fields",
  "fields": {
    "email": "email must be a valid email address.",
    "tags[0]": "tags[0] must be a string."
  }
}
```

`error` says what is wrong first. `fields` names everything that is wrong, each with a sentence of its own: `utm.source`
is a field inside of another, `tags[0]` an item of a list. `fields` comes with `invalid_fields` and `invalid_parameters`
only. `plan_required` brings `upgrade` and `requiredPlan`.

Decide by the code, or by the status alone: an unknown code means what its status means. New codes may come in any
version; what a code means does not change.
"""

SECTIONS = {
    "Not valid": (400,),
    "Not allowed": (401, 403),
    "Not there": (404, 405, 410),
    "In conflict with what is there": (409, 412),
    "Not taken": (408, 413, 415),
    "Not now": (429, 503),
    "Our fault": (500,),
}


def catalogue() -> str:
    """The page."""
    return "\n".join(lines())


def lines() -> Iterator[str]:
    """Codes by status, each with what to do."""
    yield HEAD
    for title, statuses in SECTIONS.items():
        yield f"## {title}\n"
        yield "| status | code | what it means | what to do |"
        yield "|---|---|---|---|"
        for code, meaning in CODES.items():
            if meaning.status in statuses:
                yield f"| {status(meaning)} | `{code}` | {meaning.means} | {meaning.remedy} |"
        yield ""


def status(meaning: Meaning) -> str:
    """``400``, or ``400, Leads API 422``."""
    leads = f", Leads API {meaning.leads_status}" if meaning.leads_status else ""
    return f"{meaning.status}{leads}"
