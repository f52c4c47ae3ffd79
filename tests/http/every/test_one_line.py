"""A field of one line holds no line end and no other control character, from any sender and at any place."""

from typing import Any

import pytest

from aureum.http.contract.endpoint import Endpoint
from tests.http.every.declared import every, fields_of, is_text
from tests.http.every.sample import Sample
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

BROKEN = "a\r\nb\u2028c\td\x85e\x1bf\n"
WHOLE = "a b c d e f"
OF_LINES = {"message", "notes", "description", "bio", "text", "note"}
"""What may have several lines; of a webhook's description, the API is asked below."""


OTHERS = ("email", "password", "url", "slug", "domains", "country", "_gotcha", "_next")
"""What is no text, or refuses such a one."""


def broken(value: Any) -> bool:
    """Whether a line end or another control character stands anywhere in it."""
    if isinstance(value, dict):
        return any(broken(item) for name, item in value.items() if name not in OF_LINES)
    if isinstance(value, list):
        return any(map(broken, value))
    return isinstance(value, str) and (len(f"x{value}x".splitlines()) > 1 or any(c < " " or c == "\x7f" for c in value))


@every(lambda endpoint: endpoint.body is not None and endpoint.method in ("POST", "PATCH"))
def test_line_ends_become_blanks(sample: Sample, endpoint: Endpoint) -> None:
    """Texts, and the items of lists of texts, of every body that is taken."""
    assert endpoint.body is not None
    for field in fields_of(endpoint.body):
        name, own = field.path[0], field.schema
        items = own.get("items", {})
        if len(field.path) > 1 or name in OTHERS:
            continue
        if not is_text(own) and not (own.get("type") == "array" and is_text(items)):
            continue
        call = sample.call(endpoint, fresh=True)
        value: Any = [BROKEN] if own.get("type") == "array" else BROKEN
        answer = call.but(body=call.body | {name: value}).send(sample.server)
        if answer.status < 400:
            assert not broken(answer.json), (name, answer.body)


@pytest.fixture
def tenant(operator: Operator) -> Tenant:
    return operator.brokerage()


def test_what_is_shown_afterwards(server: Server, operator: Operator, tenant: Tenant) -> None:
    house = {name: BROKEN for name in ("title", "address", "city", "state", "zip", "mls", "mlsId")}
    listed = server.by_key(tenant, "POST", "/api/properties", house)
    assert listed.status == 201 and {listed.json[name] for name in house} == {WHOLE}, listed.body
    lead: dict[str, Any] = {
        "firstName": BROKEN,
        "lastName": BROKEN,
        "phone": BROKEN,
        "subject": BROKEN,
        "source": BROKEN,
    }
    lead |= {"sourcePage": BROKEN, "utm": {"source": BROKEN}}
    shown = server.by_key(tenant, "POST", "/api/leads", lead | {"message": BROKEN}).json
    assert {shown[name] for name in ("firstName", "lastName", "phone", "subject", "source", "sourcePage")} == {WHOLE}
    assert (shown["utm"]["source"], shown["message"], shown["name"]) == (WHOLE, BROKEN, f"{WHOLE} {WHOLE}")
    changed = server.by_key(tenant, "PATCH", f"/api/leads/{shown['id']}", {"name": f"J\n{BROKEN}"}).json
    assert not broken(changed)
    contact = {"firstName": "J", "lastName": BROKEN, "tags": [BROKEN, WHOLE, "x"]}
    assert server.by_key(tenant, "POST", "/api/contacts", contact).json["tags"] == [WHOLE, "x"]
    assert server.by_key(tenant, "GET", "/api/contacts?tag=a%0Ab%20c%20d%20e%20f").json != []
    form = {"firstName": BROKEN, "lastName": BROKEN, "email": "j@example.com", "subject": BROKEN, "message": BROKEN}
    assert server.ask("POST", "/api/contact", form, host=tenant.domain).status == 200
    (first, *_) = server.by_key(tenant, "GET", "/api/leads").json
    assert (first["subject"], first["firstName"], first["message"]) == (WHOLE, WHOLE, BROKEN)
    owner = operator.staff(tenant.id, "brokerage_owner")
    for path, body in (
        ("/api/v1/admin/users", {"email": "u@example.com", "name": BROKEN, "role": "agent", "specialties": [BROKEN]}),
        ("/api/v1/admin/api-keys", {"name": BROKEN}),
    ):
        made = server.ask("POST", path, body, owner.bearer)
        assert (made.status, made.json["name"], broken(made.json)) == (201, WHOLE, False)
