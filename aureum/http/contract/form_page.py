"""What a visitor sees whose browser sent a form without a script: thanks, or what is wrong with the form to mend it in.

One small page in the brokerage's name that loads nothing from anywhere. A form that was refused comes back with all
that was typed: what the visitor could not see stands in it unseen, unless that is what is wrong.
"""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import orjson
from jinja2 import Environment
from starlette.responses import HTMLResponse, RedirectResponse, Response

from aureum.domain.errors import Invalid
from aureum.http.contract import visitor_page
from aureum.http.contract.visitor_page import Brand
from aureum.http.wire.errors import InvalidRequest, render

NEXT = "_next"
"""The field with the page to go to."""

TRAP = "_gotcha"
"""The field that a person does not see, and a program fills in."""

LONGEST_PATH = 2_000

AGAIN = (422, 429, 503)
"""Refusals after which the form may be sent again."""

TITLES = {
    403: "We couldn't accept your form",
    404: "Brokerage not found",
    422: "Please check your form",
    429: "Please wait a moment",
    503: "Please try again",
}
FAILED = "We couldn't accept your form"
MARKED = "Your form has not been sent yet. Please correct the fields that are marked below."

STYLE = (
    visitor_page.STYLE
    + """
main { margin-bottom: 6vh; }
.field { margin: 0 0 1rem; }
label { display: block; margin-bottom: .25rem; font-weight: 600; }
input, textarea { box-sizing: border-box; width: 100%; padding: .6rem .75rem; font: inherit; color: inherit;
  background: transparent; border: 1px solid #7a8699; border-radius: .5rem; }
textarea { resize: vertical; }
input:focus-visible, textarea:focus-visible { outline: 3px solid #e0a100; outline-offset: 1px; }
.problem { display: block; margin-bottom: .25rem; color: #b3261e; }
.wrong input, .wrong textarea { border-color: #b3261e; border-width: 2px; }
@media (max-width: 36rem) { main { margin-bottom: 0; } }
@media (prefers-color-scheme: dark) {
  .problem { color: #ff8a80; } .wrong input, .wrong textarea { border-color: #ff8a80; }
}
"""
)
TEMPLATE = Environment(autoescape=True, auto_reload=False, trim_blocks=True, lstrip_blocks=True).from_string(
    (files("aureum.http.contract") / "form.html").read_text(encoding="utf-8")
)


class Input(NamedTuple):
    """A field that a visitor fills in. *kind* is an input's type, or ``long``."""

    name: str
    label: str
    kind: str = "text"
    required: bool = False
    autocomplete: str = "off"


class FormWords(NamedTuple):
    """How a form is shown: what is said when it is stored, its fields, its button."""

    thanks: str
    inputs: Sequence[Input]
    button: str = "Send"


def page(brand: Brand, status: int, headers: Mapping[str, str] | None = None, **shown: Any) -> HTMLResponse:
    """A page in the name and look of the brokerage, if there is one."""
    style = visitor_page.style_of(STYLE, brand.color)
    content = TEMPLATE.render(brokerage=brand.name, logo=brand.logo_path, style=style, **shown)
    kept = visitor_page.headers_of(style, brand.logo is not None)
    return HTMLResponse(content, status, {**kept, **(headers or {})})


def thanks_page(brand: Brand, words: FormWords, fields: Mapping[str, Any], answer: Response) -> Response:
    """What a visitor gets whose form was stored: the page that the form names, or thanks."""
    target = path_in(fields.get(NEXT))
    if target is not None:
        return RedirectResponse(target, 303, {"Cache-Control": "no-store"})
    said = orjson.loads(bytes(answer.body)).get("message", words.thanks)
    return page(brand, 200, title="Thank you", text=said)


def refused_page(brand: Brand, words: FormWords, fields: Mapping[str, Any] | None, error: Exception) -> Response:
    """The same refusal that a program gets, with the form to send again where that helps."""
    status, headers, body = render(error, "leads")
    kept = {
        n.decode("latin-1"): v.decode("latin-1") for n, v in headers if n not in (b"content-type", b"content-length")
    }
    said = orjson.loads(body)["detail"]
    problems = problems_of(error, words) if isinstance(said, list) else {}
    text = said if isinstance(said, str) else " ".join(problems.get("", ())) or MARKED
    form = None
    if fields is not None and status in AGAIN:
        form = form_of(words, fields, problems)
    return page(brand, status, kept, title=TITLES.get(status, FAILED), text=text, form=form)


def problems_of(error: Exception, words: FormWords) -> dict[str, list[str]]:
    """What is wrong, by field, in whole sentences that call it as the page does; by "" what is not of one field."""
    if isinstance(error, Invalid):
        found = [(error.field, str(error))]
    elif isinstance(error, InvalidRequest):
        found = [(str(p.loc[1]) if len(p.loc) > 1 else "", p.sentence) for p in error.problems]
    else:
        return {}
    labels = {one.name: one.label for one in words.inputs}
    problems: dict[str, list[str]] = {}
    for name, sentence in found:
        field = name if name in labels or not name.isdigit() else ""
        if field and sentence.startswith(field):
            sentence = labels.get(field, field) + sentence.removeprefix(field)
        problems.setdefault(field, []).append(sentence)
    return problems


class Shown(NamedTuple):
    """An input with what was typed into it and what is wrong with that."""

    input: Input
    value: str
    problems: Sequence[str]


class Shows(NamedTuple):
    """A form as it was sent."""

    inputs: Sequence[Shown]
    unseen: Sequence[tuple[str, str]]
    button: str


def form_of(words: FormWords, fields: Mapping[str, Any], problems: Mapping[str, Sequence[str]]) -> Shows:
    """The form again: what can be seen, and what cannot."""
    seen = [one for one in words.inputs if one.label or problems.get(one.name)]
    shown = {one.name for one in seen}
    unseen = [(one.name, value) for one in words.inputs if one.name not in shown for value in typed(fields, one.name)]
    unseen += [(name, value) for name in (NEXT, TRAP) for value in typed(fields, name) if value]
    inputs = [
        Shown(typable(one, wrong), next(iter(typed(fields, one.name)), ""), wrong)
        for one in seen
        for wrong in (problems.get(one.name, ()),)
    ]
    return Shows(inputs, unseen, words.button)


def typable(one: Input, problems: Sequence[str]) -> Input:
    """A browser shows no date that is none: what was typed would be gone."""
    return one._replace(kind="text") if problems and one.kind == "date" else one


def typed(fields: Mapping[str, Any], name: str) -> list[str]:
    """The texts of a field."""
    value = fields.get(name)
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]


def path_in(target: Any) -> str | None:
    """The path to go to; None for what is none, or could lead to another site.

    It begins with one ``/`` and holds no ``\\`` and no control character, not even escaped. So it stays on this host,
    no matter what a browser or a proxy makes of it.
    """
    if not isinstance(target, str) or not 1 <= len(target) <= LONGEST_PATH:
        return None
    for text in (target, unquote(target), unquote(unquote(target))):
        if text[:1] != "/" or text[1:2] == "/" or "\\" in text or not text.isprintable():
            return None
    return quote(target, safe="/?#[]@!$&'()*+,;=:%-._~")
