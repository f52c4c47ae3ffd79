"""A page of the panel as a browser understands it: what it says, where its links lead, what its forms send."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"input", "link", "meta", "br", "hr", "img"}


def sent_lines(text: str) -> str:
    """What a browser sends of a text with several lines."""
    return re.sub("\r\n?|\n", "\r\n", text)


def one_line(text: str) -> str:
    """What a field for one line makes of several."""
    return re.sub("[\r\n]", "", text)


@dataclass
class Form:
    """A form. ``fields`` is what it sends untouched; ``names`` are all that it has, ticked or not."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    """With their kinds: ``hidden``, ``text``, ``checkbox``, ``select``, ``textarea`` …"""

    def filled(self, **values: str | Sequence[str]) -> list[tuple[str, str]]:
        """What it sends with other *values*; a list is of boxes that are ticked."""
        assert set(values) <= set(self.names), (self.action, self.names)
        sent = [(name, value) for name, value in self.fields if name not in values]
        for name, value in values.items():
            sent += [(name, one) for one in ([value] if isinstance(value, str) else value)]
        return sent

    def __getitem__(self, name: str) -> str:
        """What stands in a field."""
        (value,) = [value for given, value in self.fields if given == name]
        return value


class Reading(HTMLParser):
    """Reads a page. Fails for what a browser would have to guess: an element that is not closed, or closed twice."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str]]] = []
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.texts: list[tuple[str, dict[str, str], list[str]]] = []
        """Each element with its attributes and everything that it says."""
        self.saying: list[list[str]] = []
        self.options: list[tuple[str, bool]] = []
        self.feed(page)
        self.close()
        assert self.open == [], self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.links.append(given["href"])
        elif tag == "form":
            assert all(name != "form" for name, _ in self.open), "a form in a form"
            self.forms.append(Form(given["action"], given["method"]))
        elif tag == "input":
            self.take(given)
        elif tag == "option":
            self.options.append((given.get("value", ""), "selected" in given))
        if tag not in VOID:
            self.open.append((tag, given))
            said: list[str] = []
            self.texts.append((tag, given, said))
            self.saying.append(said)

    def handle_endtag(self, tag: str) -> None:
        name, given = self.open.pop()
        assert name == tag, f"</{tag}> closes <{name}>"
        said = self.saying.pop()
        if tag == "option" and "value" not in given:
            self.options[-1] = ("".join(said), self.options[-1][1])
        elif tag == "textarea":
            self.forms[-1].names[given["name"]] = "textarea"
            # Browsers leave out the line end that it begins with.
            self.forms[-1].fields.append((given["name"], sent_lines("".join(said).removeprefix("\n"))))
        elif tag == "select":
            chosen = [value for value, selected in self.options if selected] or [self.options[0][0]]
            self.forms[-1].names[given["name"]] = "select"
            self.forms[-1].fields += [(given["name"], value) for value in chosen]
            self.options = []

    def handle_data(self, data: str) -> None:
        for said in self.saying:
            said.append(data)

    def take(self, given: dict[str, str]) -> None:
        """An input of the last form."""
        form, name, kind = self.forms[-1], given["name"], given.get("type", "text")
        form.names[name] = kind
        if kind == "image":
            # It tells where it was clicked, and nothing before.
            return
        if kind in ("checkbox", "radio"):
            form.fields += [(name, given.get("value", "on"))] if "checked" in given else []
        else:
            value = given.get("value", "")
            form.fields.append((name, sent_lines(value) if kind == "hidden" else one_line(value)))

    def form(self, action: str) -> Form:
        """The one form that is sent there."""
        (found,) = [form for form in self.forms if form.action == action]
        return found

    def said(self, tag: str, **attributes: str) -> list[str]:
        """What each such element says; *attributes* are words in them, ``class_`` among these."""
        wanted = {name.rstrip("_"): word for name, word in attributes.items()}
        return [
            " ".join("".join(said).split())
            for name, given, said in self.texts
            if name == tag and all(word in given.get(attribute, "").split() for attribute, word in wanted.items())
        ]

    @property
    def problem(self) -> str:
        """Why a form was refused."""
        (text,) = self.said("p", role="alert")
        return text


def only_our_modules(body: bytes) -> bool:
    """Whether a page runs nothing but the panel's own modules."""
    started = body.count(b"<script")
    return body.count(b'<script type="module" src="/admin/modules/') == started and body.count(b"</script>") <= started
