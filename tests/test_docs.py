"""The documentation names nothing that is not there: files and headings, commands and options, endpoints."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aureum.cli.main import command_line
from aureum.http.server.routes import ENDPOINTS

ROOT = Path(__file__).parent.parent
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))

FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
INDENTED = re.compile(r"^ {4,}\S.*$", re.MULTILINE)
INLINE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\((?![a-z]+:)([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)

AUREUM = re.compile(r"(?:\$ )?(?:.*(?:\||&&|;) *)?(?:\.venv/bin/)?aureum +(\S.*)")
CURL = re.compile(r"(?:\$ )?curl (.*)")
LOCAL = re.compile(r"(?:\$\{?URL\}?|https?://(?:localhost|127\.0\.0\.1):\d+)(/[^\s\"'?]*)")
METHOD = "GET|POST|PATCH|PUT|DELETE"
NAMED = re.compile(
    rf"((?:\b(?:{METHOD})\b[`,\s]*)+)(/(?:api|calendar|docs|openapi|healthz|readyz|metrics)[^\s`?\",;)|]*|/(?=`))"
)


def code(text: str) -> Iterator[str]:
    """The lines of code blocks, what was broken with a backslash or inside quotes joined again."""
    for block in (*FENCED.findall(text), *INDENTED.findall(FENCED.sub("", text))):
        waiting = ""
        for line in block.splitlines():
            waiting = f"{waiting} {line.strip()}".strip() if waiting else line.strip()
            if waiting.endswith("\\"):
                waiting = waiting[:-1]
            elif waiting.removeprefix("$ ").startswith("curl ") and waiting.count("'") % 2:
                continue
            else:
                yield waiting
                waiting = ""


def anchors(text: str) -> set[str]:
    """What headings are called in an address, as GitHub does it."""
    names: list[str] = []
    for heading in HEADING.findall(FENCED.sub("", text)):
        name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        names.append(f"{name}-{names.count(name)}" if name in names else name)
    return set(names)


def broken_links(page: Path, text: str) -> list[str]:
    """The relative links of *text* that lead nowhere."""
    broken = []
    for target in LINK.findall(FENCED.sub("", text)):
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        here = text if file == page else file.read_text() if file.suffix == ".md" and file.exists() else ""
        if not file.exists() or (anchor and anchor not in anchors(here)):
            broken.append(target)
    return broken


def words_of(line: str) -> list[str]:
    """The arguments of one command in a line of a shell: what is piped, redirected or remarked is none of them."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    words = []
    for word in lexer:
        if set(word) <= set("|&;<>"):
            break
        words.append(word)
    return words


def refused(line: str, whole: bool) -> str | None:
    """Why the command line does not take *line*; of what is not a *whole* command only the names are looked at."""
    command, words = command_line(), words_of(line)
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        name = words.pop(0)
        if name not in command.commands:
            return f"no command {name}"
        command = command.commands[name]
    known = {"--help", *(option for one in command.params for option in one.opts)}
    unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]
    if unknown:
        return f"no option {unknown[0]}"
    if whole and not hasattr(command, "commands"):
        options = {option: one for one in command.params for option in one.opts}
        missing = [one.name for one in command.params if one.required and not given(one, words, options)]
        return f"needs {missing[0]}" if missing else None
    return None


def given(parameter: Any, words: list[str], options: dict[str, Any]) -> bool:
    """Whether *words* have a value for a parameter."""
    if any(option.startswith("--") for option in parameter.opts):
        return any(option in words for option in parameter.opts)
    takes_value = {option for option, one in options.items() if not getattr(one, "is_flag", False)}
    return any(
        not word.startswith("--") and (place == 0 or words[place - 1] not in takes_value)
        for place, word in enumerate(words)
    )


def commands(text: str) -> Iterator[tuple[str, bool]]:
    """The command lines of *text*, and whether they are whole, which those in the middle of a sentence need not be."""
    for line in code(text):
        found = AUREUM.fullmatch(line)
        if found:
            yield found[1], True
    for span in INLINE.findall(FENCED.sub("", text)):
        found = AUREUM.fullmatch(" ".join(span.split()))
        if found:
            yield found[1], False


def requests(text: str) -> Iterator[tuple[str, str]]:
    """The methods and paths of *text*: named, or asked for by curl."""
    for methods, path in NAMED.findall(text):
        yield from ((method, path) for method in re.findall(METHOD, methods))
    for line in code(text):
        asked = CURL.fullmatch(line)
        path = LOCAL.search(line)
        if asked and path:
            method = re.search(rf"-X ({METHOD})", line)
            yield method[1] if method else "POST" if " -d " in line else "GET", path[1]


def exists(method: str, path: str) -> bool:
    """Whether an endpoint takes *method* at *path*; one that ends in … is the beginning of several."""
    if path.endswith("…"):
        return any(one.method == method and one.path.startswith(path[:-1]) for one in ENDPOINTS)
    return any(
        one.method == method and re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(one.path)), path)
        for one in ENDPOINTS
    )


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken_links(page, page.read_text()) == []


@every_page
def test_every_command_is_one_that_the_command_line_has(page: Path) -> None:
    found = {line: refused(line, whole) for line, whole in commands(page.read_text())}
    assert {line: why for line, why in found.items() if why} == {}


@every_page
def test_every_endpoint_is_there(page: Path) -> None:
    assert [request for request in requests(page.read_text()) if not exists(*request)] == []


def test_the_overview_names_every_endpoint() -> None:
    named = set(requests((ROOT / "docs" / "api.md").read_text()))
    assert {(one.method, one.path) for one in ENDPOINTS if one.documented} <= named


SAMPLE = """
# A page

Run `aureum projections rebild`, then `aureum api-key list`. See [there](nowhere.md), [here](#a-page), [no](#b).
`GET`, `POST /api/leads` and `PATCH
/api/lead/{id}`; all of `GET /api/v1/admin/…`.

```
$ echo x | .venv/bin/aureum user create --email a@example.com \\
  --password-stdin > out.txt
$ curl -s -X DELETE "$URL/api/leads/$LEAD?asOf=x"
$ curl -s http://localhost:8000/api/contact -d '{"a": 1,
  "b": 2}'
```

    aureum audit lead ID --as-off TIME     # a remark
    aureum audit lead --as-of TIME
    aureum audit lead ID --as-of TIME
"""


def test_what_is_wrong_is_found() -> None:
    assert broken_links(ROOT / "docs" / "api.md", SAMPLE) == ["nowhere.md", "#b"]
    assert [refused(*one) for one in commands(SAMPLE)] == [
        "needs name",
        "no option --as-off",
        "needs wanted",
        None,
        "no command rebild",
        None,
    ]
    assert [(*one, exists(*one)) for one in requests(SAMPLE)] == [
        ("GET", "/api/leads", True),
        ("POST", "/api/leads", True),
        ("PATCH", "/api/lead/{id}", False),
        ("GET", "/api/v1/admin/…", True),
        ("DELETE", "/api/leads/$LEAD", False),
        ("POST", "/api/contact", True),
    ]
