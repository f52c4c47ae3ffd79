"""What holds for each kind of resource that the panel declares, those that are still to come too.

A new one needs a line in ``TYPED`` (``resources.py``).
"""

from typing import Any

import pytest

from aureum.http.panel.page import STALE
from aureum.http.panel.resource import Resource
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, led_to, page
from tests.http.panel.reading import Form, only_our_modules
from tests.http.panel.resources import (
    CRUEL,
    RESOURCES,
    TYPED,
    entered,
    events,
    own_form,
    reader_of,
    saved,
    typed_new,
    without_undo,
)
from tests.http.serving import Server

EACH = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.path)


@pytest.fixture
def reader(resource: Resource, server: Server, operator: Operator, tenant: Tenant) -> Reader:
    return reader_of(resource, server, operator, tenant)


def api(server: Server, reader: Reader, resource: Resource, path: str) -> Any:
    """What the API shows of what has a page there."""
    address = resource.api + path.removeprefix(resource.path)
    answer = server.ask("GET", address, None, {"Authorization": f"Bearer {reader.cookies['aureum']}"})
    assert answer.status == 200, answer.body
    return answer.json


def as_typed(fields: dict[str, str], form: Form) -> bool:
    """Whether *form* shows what was typed, but passwords."""
    return all(form[name] == text for name, text in fields.items() if form.names.get(name, "password") != "password")


@EACH
def test_entered_once(resource: Resource, server: Server, operator: Operator, reader: Reader) -> None:
    new, typed = f"{resource.path}/new", typed_new(resource)
    assert new in reader.read(resource.path).links
    form, fields = reader.read(new).form(new), [field for field in resource.new if field.kind != "brokerage"]
    assert [name for name in form.names if name != "once" and "." not in name] == [field.name for field in fields]
    assert all(form[field.name] == field.default for field in fields if field.default and field.kind != "tick")
    before = events(operator)

    name, wrong = TYPED[resource.path].refused
    refused = page(reader.send(new, form.filled(**(typed | {name: wrong}))), 400)

    assert refused.problem and name in refused.problem and "<script>" not in refused.problem
    kept = refused.form(new)
    assert as_typed(typed | {name: wrong}, kept) and kept["once"] != form["once"]
    assert typed.get("password", "?") not in str(kept.fields), "a password is typed again"
    for field in fields:
        if field.required and not field.default and field.kind != "choice":
            problem = page(reader.send(new, form.filled(**(typed | {field.name: " "}))), 400).problem
            assert field.name in problem
    assert page(reader.send(new, b""), 400).problem and events(operator) == before

    filled = kept.filled(**({name: ""} | typed))
    answer = reader.send(new, filled)

    path = led_to(answer).removesuffix("?done=created")
    after = events(operator)
    assert after > before
    assert led_to(reader.send(new, filled)) == f"{path}?done=created" and events(operator) == after, (
        "the same form again"
    )
    body = reader.get(path).body
    assert only_our_modules(body) and b"&lt;script&gt;" in body
    reading = reader.follow(answer)
    assert reading.said("p", role="status") == [f"The {resource.one} was created."]
    assert reading.said("h1")[0].startswith(CRUEL) and resource.path in reading.links
    own = reading.form(path)
    assert as_typed({name: text for name, text in typed.items() if name in own.names}, own)
    for link in resource.links:
        (address,) = [one for one in reading.links if one.startswith(link.path)]
        linked = reader.read(address).form(link.path)
        name = f"{typed.get('first_name', '')} {typed.get('last_name', '')}"
        known = {"name": name} | typed | {"id": path.rpartition("/")[2]}
        for name, of in link.query.items():
            assert linked[name] == known.get(of, ""), "what is empty is not passed on"
    assert path in reader.read(f"{resource.path}?view=list").links


@EACH
def test_what_is_marked_is_enough(resource: Resource, reader: Reader) -> None:
    typed = typed_new(resource)
    needed = {field.name for field in resource.new if field.required} | {"email", "phone"}
    rest = {field.name: "" for field in resource.new if field.name not in needed and field.kind != "tick"}
    path = entered(reader, resource, **(typed | rest))
    own = own_form(reader, path)
    assert as_typed({name: text for name, text in typed.items() if name in needed and name in own.names}, own)


@EACH
def test_only_what_was_typed_is_changed(resource: Resource, server: Server, operator: Operator, reader: Reader) -> None:
    path = entered(reader, resource)
    before, doc = events(operator), api(server, reader, resource, path)
    mine = own_form(reader, path)

    untouched = saved(reader, path)

    assert untouched.said("p", role="status") == [f"The {resource.one} was saved."]
    assert events(operator) == before and api(server, reader, resource, path) == doc

    (field, text), (second, other) = TYPED[resource.path].change, TYPED[resource.path].another
    assert saved(reader, path, **{field: text}).form(path)[field] == text

    assert events(operator) == before + 1
    now = api(server, reader, resource, path)
    differs = {name for name in doc if doc[name] != now[name]} - {"updatedAt", "phoneE164", "standardStatus"}
    assert differs == {field}

    # Who has opened the page before that is told, keeps what was typed, and decides.
    late = page(reader.send(path, mine.filled(**{second: other})), 400)
    assert late.problem == STALE and events(operator) == before + 1
    again = late.form(path)
    assert again[second] == other and again["etag"] != mine["etag"]
    assert without_undo(led_to(reader.send(path, again.filled(**{field: text})))) == f"{path}?done=changed"
    assert events(operator) == before + 2
    # What cannot be stays as typed.
    refused_field, wrong = TYPED[resource.path].refused
    if refused_field in mine.names:
        refused = page(reader.send(path, own_form(reader, path).filled(**{refused_field: wrong})), 400)
        assert refused_field in refused.problem and refused.form(path)[refused_field] == wrong
        assert events(operator) == before + 2
    # Nor does a value that is emptied where it must not be.
    empty = page(reader.send(path, b"etag="), 400)
    assert empty.problem and events(operator) == before + 2


@EACH
def test_found_by_each_filter(resource: Resource, server: Server, reader: Reader, operator: Operator) -> None:
    paths = {entered(reader, resource), entered(reader, resource)}
    doc = api(server, reader, resource, min(paths))
    found = reader.read(f"{resource.path}?view=list")
    assert paths <= set(found.links)
    if not resource.filters:
        return
    form = found.form(resource.path)
    assert (form.method, set(form.names) - {"view"}) == ("get", {field.name for field in resource.filters})
    for field in resource.filters:
        for value, there in ((doc_value(doc, field.name), True), (other_value(doc, field), False)):
            if value is None:
                continue
            chosen = reader.read(f"{resource.path}?view=list&{field.name}={value}")
            assert (paths <= set(chosen.links)) == there, (field.name, value)
            assert there or (paths.isdisjoint(chosen.links) and "Nothing found." in chosen.said("p"))
            assert chosen.form(resource.path)[field.name] == value, "what was chosen stands there"


def doc_value(doc: Any, name: str) -> str | None:
    """What finds it."""
    found_by = (doc.get("email") or doc.get("phone") or doc.get("city") or "Doe").partition("@")[0].split()[0]
    special = {"search": found_by, "tag": "vip", "featured": "true"}
    value = special.get(name, doc.get(name))
    return None if value is None else str(value)


def other_value(doc: Any, field: Any) -> str | None:
    """What does not."""
    if field.kind == "user":
        return None
    return next((one for one in field.choices if one not in (doc.get(field.name), "true")), "nothing-like-it")
