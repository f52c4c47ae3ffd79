"""Photos over HTTP: kept in their order, told in history and webhooks, undone, and refused with what to mend."""

from typing import Any

import pytest

from tests.http.api.properties.test_slugs import VILLA
from tests.http.operator import Tenant
from tests.http.serving import Server

FRONT = {"url": "https://cdn.example.com/front.jpg", "alt": "The front"}
YARD = {"url": "https://cdn.example.com/yard.jpg?w=800", "alt": ""}


def test_photos_from_the_first_to_none(server: Server, tenant: Tenant) -> None:
    made = server.by_key(tenant, "POST", "/api/properties", VILLA | {"photos": [FRONT, {"url": YARD["url"]}]}).json
    path = f"/api/properties/{made['id']}"
    assert made["photos"] == [FRONT, YARD]
    as_listed = server.by_key(tenant, "GET", "/api/properties").json
    assert as_listed == [made] and list(as_listed[0]) == list(made)

    turned = server.by_key(tenant, "PATCH", path, {"photos": [YARD, FRONT]}).json
    assert turned["photos"] == [YARD, FRONT]
    none = server.by_key(tenant, "PATCH", path, {"photos": []})
    same = server.by_key(tenant, "PATCH", path, {"photos": []})
    assert none.json["photos"] == [] and same.etag == none.etag, "it records nothing"
    assert server.by_key(tenant, "GET", f"{path}?asOf={turned['updatedAt']}").json == turned

    history = server.by_key(tenant, "GET", f"{path}/history").json
    assert [one["type"] for one in history] == ["property.listed", *["property.photos_changed"] * 3]
    assert [one["changes"]["photos"] for one in history[1:]] == [
        {"from": None, "to": [FRONT, YARD]},
        {"from": [FRONT, YARD], "to": [YARD, FRONT]},
        {"from": [YARD, FRONT], "to": []},
    ]
    undone = server.by_key(tenant, "POST", f"{path}/undo", {"version": 4}).json
    assert undone["undone"] == ["photos"] and server.by_key(tenant, "GET", path).json["photos"] == [YARD, FRONT]
    sent = server.by_key(tenant, "GET", "/api/events").json
    assert [one["event"] for one in sent] == ["property.created", *["property.updated"] * 3]
    assert sent[0]["data"]["photos"] == [FRONT, YARD] and sent[2]["changes"]["photos"]["to"] == []


def test_a_property_without_photos_is_shown_as_before(server: Server, tenant: Tenant) -> None:
    made = server.by_key(tenant, "POST", "/api/properties", VILLA | {"photos": None}).json
    assert "photos" not in made
    changed = server.by_key(tenant, "PATCH", f"/api/properties/{made['id']}", {"price": 1, "photos": []}).json
    assert "photos" not in changed


@pytest.mark.parametrize(
    ("photos", "why"),
    [
        ([{"url": "http://example.com/1.jpg"}], "Photo 1: url must be a web address that begins with https://"),
        ([FRONT, {"url": "https://user:secret@example.com/"}], "Photo 2: url must be"),
        ([FRONT, FRONT], "Photo 2: the same url"),
        ([{"alt": "The front"}], "photos[0].url"),
        ([{"url": ""}], "photos[0].url"),
        ([{"url": "https://example.com/\u0000"}], "photos[0].url"),
        ([{"url": 7}], "photos[0].url"),
        (["https://example.com/1.jpg"], "photos[0]"),
        ("https://example.com/1.jpg", "photos"),
        ([{"url": f"https://example.com/{place}"} for place in range(51)], "photos"),
    ],
)
def test_what_is_refused(server: Server, tenant: Tenant, photos: Any, why: str) -> None:
    for method, path, body in (("POST", "/api/properties", VILLA), ("PATCH", None, {})):
        at = path or f"/api/properties/{server.by_key(tenant, 'POST', '/api/properties', VILLA).json['id']}"
        answer = server.by_key(tenant, method, at, body | {"photos": photos})
        assert answer.status == 400 and answer.error.startswith(why), answer.body
