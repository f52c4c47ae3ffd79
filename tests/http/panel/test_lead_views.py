"""Saved views of the list of leads: personal, opened and saved from the list, renamed, removed; and by the API."""

from aureum.domain.saved_view import MOST, TOO_MANY
from aureum.http.panel.lead_views import NOTHING
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, led_to, page
from tests.http.serving import Server

HERE = "/admin/leads"
VIEWS = f"{HERE}/views"


def test_saved_opened_renamed_and_removed(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    shown = owner.read(f"{HERE}?q=smith&status=new&sort=name")
    answer = owner.send(VIEWS, shown.form(VIEWS).filled(name="Smiths"))
    assert led_to(answer) == f"{HERE}?q=smith&status=new&sort=name&done=view"
    again = owner.follow(answer)
    assert f"{HERE}?q=smith&status=new&sort=name" in again.links and "Smiths" in again.said("a")
    board = owner.read(f"{HERE}?view=board").form(VIEWS)
    assert led_to(owner.send(VIEWS, board.filled(name="Board"))) == f"{HERE}?view=board&done=view"

    assert page(owner.send(VIEWS, owner.read(HERE).form(VIEWS).filled(name="All")), 400).problem == NOTHING

    listed = owner.read(VIEWS)
    assert listed.said("td")[0] == "Smiths"
    (first, _) = [form for form in listed.forms if form.action.startswith(f"{VIEWS}/") and "name" in form.names]
    assert page(owner.send(first.action, first.filled(name=" ")), 400).problem
    renamed = owner.follow(owner.send(first.action, first.filled(name="The Smiths")))
    assert "The view was renamed." in renamed.said("p") and renamed.said("td")[0] == "The Smiths"

    # Nobody else sees or changes it.
    other = as_staff(server, operator.staff(tenant.id, "broker", "Bea Broker"))
    assert "No saved views yet." in other.read(VIEWS).said("p")
    for path in (first.action, f"{first.action}/remove"):
        assert other.send(path, first.filled(name="Mine")).status == 404
    assert "The view was removed." in owner.follow(owner.send(f"{first.action}/remove", ())).said("p")
    assert owner.read(VIEWS).said("td")[0] == "Board"


def test_the_api_has_them(server: Server, operator: Operator, tenant: Tenant) -> None:
    token = operator.staff(tenant.id, "agent", "Andy Agent").bearer
    body = {"name": "New", "page": "leads", "query": "status=new"}

    made = server.ask("POST", "/api/me/views", body, token)
    path = f"/api/me/views/{made.json['id']}"
    assert (made.status, made.json | {"id": ""}) == (201, body | {"id": ""})
    changed = server.ask("PATCH", path, {"query": "status=lost"}, token | {"If-Match": made.etag})
    assert changed.json["query"] == "status=lost"
    assert server.ask("PATCH", path, {"name": "X"}, token | {"If-Match": made.etag}).status == 412
    assert server.ask("GET", "/api/me/views", None, token).json == [changed.json]
    assert server.ask("GET", path, None, token | {"If-None-Match": changed.etag}).status == 304
    stored = b"".join(
        bytes(data) for (data,) in operator.rows("SELECT data FROM events WHERE type = 'user.view_saved'")
    )
    assert b"status=lost" not in stored, "what a user searches for is sealed"
    for number in range(MOST - 1):
        assert server.ask("POST", "/api/me/views", body | {"name": str(number)}, token).status == 201
    full = server.ask("POST", "/api/me/views", body, token)
    assert (full.status, full.error) == (409, TOO_MANY)
    assert server.ask("DELETE", path, None, token).status == 204
    assert server.ask("DELETE", path, None, token).status == server.ask("GET", path, None, token).status == 404
    assert server.by_key(tenant, "GET", "/api/me/views").status == 401
