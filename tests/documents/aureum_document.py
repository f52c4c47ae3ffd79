"""The Aureum API document, read."""

import re
from dataclasses import dataclass
from functools import cache

from tests.documents.reading import Block, Endpoint, Field, Row, block_in, blocks_of, glued_rows, line_of, text_of

ENDPOINT = re.compile(
    r"^(?P<method>GET|POST|PUT|PATCH|DELETE)(?P<path>/\S+)\n\n(?P<about>.+)\n\nParameters\n\n"
    r"(?P<head>NameTypeRequiredDescription)\n(?:.+\n)+\nResponse\n\n",
    re.MULTILINE,
)
FIELD = r"(\w+?)(string\[\]|string|boolean|number)(Yes|No)(.+)"


@dataclass(frozen=True)
class AureumDocument:
    """``facts`` are the lines of the form ``Base URL: …``; ``sample`` is the Node.js program."""

    text: str
    blocks: tuple[Block, ...]
    endpoints: tuple[Endpoint, ...]
    facts: dict[str, str]
    curl: str
    statuses: tuple[Row, ...]
    error_format: Block
    events: tuple[Row, ...]
    payload: Block
    sample: str

    def endpoint(self, method: str, path: str) -> Endpoint:
        (found,) = (one for one in self.endpoints if (one.method, one.path) == (method, path))
        return found

    def meaning(self, status: int) -> str:
        """What the table says of a status."""
        (found,) = (row.text for row in self.statuses if row.name == str(status))
        return found


@cache
def aureum_document() -> AureumDocument:
    """The document that stands beside this file."""
    text = text_of("aureum-suite-api.txt")
    blocks = blocks_of(text)
    statuses = rows(text, "StatusMeaning", r"(\d{3})(.+)")
    success = {row.text: int(row.name) for row in statuses}
    curl = re.search(r"^curl (?:.*\\\n)*.*$", text, re.MULTILINE)
    sample = re.search(r"^// Node\.js.*?^}$", text, re.MULTILINE | re.DOTALL)
    assert curl and sample
    return AureumDocument(
        text=text,
        blocks=blocks,
        endpoints=tuple(endpoint(text, blocks, found, success) for found in ENDPOINT.finditer(text)),
        facts=dict(re.findall(r"^([A-Z][A-Za-z ]+): (.+)$", text, re.MULTILINE)),
        curl=curl[0],
        statuses=statuses,
        error_format=below(text, blocks, "Error response format:"),
        events=rows(text, "EventDescription", r"([a-z]+\.[a-z]+)(.+)"),
        payload=below(text, blocks, "Payload Format"),
        sample=sample[0],
    )


def rows(text: str, heading: str, pattern: str) -> tuple[Row, ...]:
    """A table of names and their meanings."""
    return tuple(Row(number, cells[1], cells[2]) for number, cells in glued_rows(text, heading, pattern))


def below(text: str, blocks: tuple[Block, ...], heading: str) -> Block:
    """The block right below a heading."""
    start = text.index(f"\n{heading}\n\n") + len(heading) + 3
    block = block_in(blocks, start, start + 1)
    assert block, heading
    return block


def endpoint(text: str, blocks: tuple[Block, ...], found: re.Match[str], success: dict[str, int]) -> Endpoint:
    """One endpoint. What it answers with stands in the document's table of statuses, not beside it."""
    fields = tuple(
        Field(line_of(text, found.start("head")) + number - 2, cells[1], cells[2], cells[3] == "Yes", cells[4])
        for number, cells in glued_rows("\n" + text[found.start("head") :], found["head"], FIELD)
    )
    return Endpoint(
        line=line_of(text, found.start()),
        method=found["method"],
        path=found["path"],
        about=found["about"],
        status=success["Created" if found["method"] == "POST" else "Success"],
        fields=fields,
        request=None,
        response=block_in(blocks, found.end(), found.end() + 1),
    )
