"""Whatever values are sent, field by field: they are stored as they were, or refused for a reason and leave nothing."""

import json
from typing import Any
from urllib.parse import quote_from_bytes

from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.domain.lead import STATUSES
from aureum.domain.texts import one_line
from aureum.http.wire import characters
from aureum.http.wire.form_bodies import clean
from tests.examples import examples
from tests.http.operator import Operator
from tests.http.serving import FORM, JANE, Server
from tests.http.wire.test_bad_input import problem, sent

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
"""Any JSON, NaN and lone surrogates among it."""

texts = st.one_of(
    st.sampled_from(
        ["", " ", "\0", "a\0b", "\ud800", "\u200b", "\ufeff", "Jane", "x" * 200, "x" * 201, "x" * 20_001, "🏡" * 100]
    ),
    st.text(),
)
emails = st.sampled_from(
    ["jane@example.com", " jane@example.com ", "jane@", "jane@localhost", "j@exämple.com", "a@b@c.de"]
)
statuses = st.sampled_from([*STATUSES, "NEW", "sold", ""])
ids = st.sampled_from(["c" + "0" * 25, "c" + "z" * 25, "c", "1", "\0"])


def bodies(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with a few of the fields, each as it should be or as anything: with more, something is always wrong."""
    names = st.lists(st.sampled_from(sorted(fields)), max_size=3, unique=True)
    return names.flatmap(
        lambda chosen: st.fixed_dictionaries({name: fields[name] | texts | json_values for name in chosen})
    )


forms = st.builds(
    lambda given: FORM | given,
    bodies(
        firstName=texts, lastName=texts, email=emails, phone=texts, subject=texts, message=texts, source_page=texts,
        utm_source=texts, utm_medium=texts, utm_campaign=texts, unknown=texts,
    ),
)  # fmt: skip
details = {
    "status": statuses, "assignedToId": ids, "name": texts, "firstName": texts, "lastName": texts, "email": emails,
    "phone": texts, "subject": texts, "message": texts, "unknown": texts,
}  # fmt: skip
utm = st.fixed_dictionaries({}, optional=dict.fromkeys(("source", "medium", "campaign"), texts | json_values))
new_leads = st.builds(lambda given: JANE | given, bodies(**details, source=texts, sourcePage=texts, utm=utm))
changes = bodies(**details)

VISIBLE = {"firstName", "lastName", "email", "subject", "message"}
"""What a visitor can mend."""


@given(data=st.data())
@settings(max_examples=examples(120), deadline=None)
def test_any_form_is_stored_or_refused_for_a_reason(proxied: Server, operator: Operator, data: st.DataObject) -> None:
    tenant, form = operator.shared, data.draw(forms)
    before = operator.head(tenant)

    # Each from an address of its own: the limit is tested elsewhere.
    address = f"2001:db8:{data.draw(st.integers(0, 0xFFFF)):x}:{before % 0xFFFF:x}::1"
    answer = proxied.ask("POST", "/api/contact", sent(form), {"X-Forwarded-For": address}, host=tenant.domain)

    if answer.status == 200:
        assert operator.head(tenant) == before + 1
        (lead,) = proxied.by_key(tenant, "GET", "/api/leads?limit=1").json
        for name in ("firstName", "lastName", "subject", "message"):
            assert lead[name] == kept(name, clean(form[name]))
        assert lead["email"] == form["email"].strip()
    else:
        kind = problem("contact", answer)
        assert (
            {item["loc"][1] for item in answer.detail} <= VISIBLE if is_json(form) else kind == "value_error.jsondecode"
        )
        assert operator.head(tenant) == before


def is_json(body: Any) -> bool:
    """Whether what is sent is JSON, which has no NaN and no infinity."""
    try:
        json.dumps(body, allow_nan=False)
    except ValueError:
        return False
    return True


def kept(name: str, text: str) -> str:
    """What becomes of a text: a message keeps its lines."""
    return text if name == "message" else one_line(text)


def text_or_none(name: str, text: str | None) -> str | None:
    """The same of an optional one: one of blanks alone is none."""
    return kept(name, text) if text and characters.VISIBLE.search(text) else None


@given(data=st.data())
@settings(max_examples=examples(120), deadline=None)
def test_any_lead_is_stored_or_refused_for_a_reason(server: Server, operator: Operator, data: st.DataObject) -> None:
    tenant, lead = operator.shared, data.draw(new_leads)
    before = operator.head(tenant)

    answer = server.by_key(tenant, "POST", "/api/leads", sent(lead))

    if answer.status == 201:
        assert operator.head(tenant) == before + 1
        for name in ("status", "subject", "message", "phone", "sourcePage"):
            assert answer.json[name] == (text_or_none(name, lead.get(name)) or answer.json[name])
        assert server.by_key(tenant, "GET", f"/api/leads/{answer.json['id']}").json == answer.json
    else:
        assert problem("post", answer)
        assert operator.head(tenant) == before


@given(data=st.data())
@settings(max_examples=examples(120), deadline=None)
def test_any_change_is_made_or_refused_for_a_reason(server: Server, operator: Operator, data: st.DataObject) -> None:
    tenant, change = operator.shared, data.draw(changes)
    path = f"/api/leads/{operator.shared_lead}"
    before, lead = operator.head(tenant), server.by_key(tenant, "GET", path).json

    answer = server.by_key(tenant, "PATCH", path, sent(change))

    now = server.by_key(tenant, "GET", path).json
    if answer.status == 200:
        assert now == answer.json
        assert (operator.head(tenant) == before) == (now == lead)
        for name in set(change) & {"status", "subject", "message", "phone"}:
            assert now[name] == text_or_none(name, change[name])
    else:
        assert problem("patch", answer)
        assert (operator.head(tenant), now) == (before, lead)


@given(body=st.binary(max_size=60))
@settings(max_examples=examples(40), deadline=None)
def test_any_bytes_are_refused(server: Server, operator: Operator, body: bytes) -> None:
    problem("post", server.by_key(operator.shared, "POST", "/api/leads", body))


names = st.sampled_from(["status", "source", "assignedToId", "updatedSince", "limit", "cursor", "asOf", "", "x"])
values = st.binary(max_size=30) | st.sampled_from(
    [b"new", b"1", b"500", b"2025-01-15", b"9999-12-31T23:59:59-23:59", b"\0"]
)


@given(query=st.lists(st.tuples(names, values), max_size=4))
@settings(max_examples=examples(120), deadline=None)
def test_any_query_is_answered_or_a_bad_request(
    server: Server, operator: Operator, query: list[tuple[str, bytes]]
) -> None:
    text = "&".join(f"{name}={quote_from_bytes(value)}" for name, value in query)
    for path in ("/api/leads", f"/api/leads/{operator.shared_lead}"):
        answer = server.by_key(operator.shared, "GET", f"{path}?{text}")
        assert answer.status in (200, 400, 404), answer
        if answer.status != 200:
            assert answer.error
