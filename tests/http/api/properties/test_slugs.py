"""Slugs of properties: of the title, unique in the brokerage, and a taken one is never an error."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.domain.texts import one_line
from tests.examples import examples
from tests.http.operator import Operator, Tenant
from tests.http.serving import Answer, Server

VILLA = {"title": "Modern Villa", "address": "123 Palm Dr", "city": "Beverly Hills", "state": "CA"}
"""The least that a property needs."""

AT_ONCE = 40


def entered(server: Server, tenant: Tenant, **fields: Any) -> Answer:
    return server.by_key(tenant, "POST", "/api/properties", VILLA | fields)


def slug(server: Server, tenant: Tenant, title: str) -> str:
    """The slug of a new property."""
    answer = entered(server, tenant, title=title)
    assert answer.status == 201, answer.body
    text: str = answer.json["slug"]
    return text


def numbered(base: str, most: int) -> list[str]:
    """``base``, ``base-2``, … ``base-most``."""
    return [base, *(f"{base}-{number}" for number in range(2, most + 1))]


def test_many_of_one_title_at_the_same_moment(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    before = operator.head(tenant)

    with ThreadPoolExecutor(AT_ONCE) as clients:
        answers = list(clients.map(lambda number: entered((server, proxied)[number % 2], tenant), range(AT_ONCE)))

    assert {answer.status for answer in answers} == {201}
    assert {answer.json["slug"] for answer in answers} == set(numbered("modern-villa", AT_ONCE))
    assert operator.head(tenant) == before + AT_ONCE


def test_one_after_the_other(server: Server, tenant: Tenant) -> None:
    assert [slug(server, tenant, "Modern  villa!") for _ in range(4)] == numbered("modern-villa", 4)


def test_a_number_that_a_title_has_taken_is_passed_over(server: Server, tenant: Tenant) -> None:
    assert slug(server, tenant, "Modern Villa 2") == "modern-villa-2"
    assert [slug(server, tenant, "Modern Villa") for _ in range(3)] == [
        "modern-villa",
        "modern-villa-3",
        "modern-villa-4",
    ]
    assert slug(server, tenant, "Modern Villa 2") == "modern-villa-2-2"
    # One that only begins alike takes nothing away.
    assert slug(server, tenant, "Modern") == "modern"


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Château d'Été", "chateau-d-ete"),
        ("Größe & Straße", "grosse-strasse"),
        ("Дом у реки", "dom-u-reki"),
        ("別墅", "bie-shu"),
        ("100% new", "100-new"),
        ("50_50", "50-50"),
        ("🏡", "property"),
        ("—!?", "property"),
        ("../../etc/passwd", "etc-passwd"),
        ("x" * 1_000, "x" * 80),
    ],
)
def test_titles_of_all_kinds(server: Server, tenant: Tenant, title: str, expected: str) -> None:
    assert [slug(server, tenant, title) for _ in range(2)] == numbered(expected, 2)


@given(title=st.text(min_size=1, max_size=200))
@settings(max_examples=examples(30), deadline=None, derandomize=True)
def test_any_title(server: Server, operator: Operator, title: str) -> None:
    answer = entered(server, operator.shared, title=title)

    if answer.status == 201:
        assert set(answer.json["slug"]) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        assert answer.json["slug"].strip("-") == answer.json["slug"] != ""
        assert answer.json["title"] == one_line(title)
    else:
        assert answer.status == 400 and answer.error.startswith("title ")


def test_a_slug_is_its_brokerages_own(server: Server, operator: Operator) -> None:
    assert [slug(server, operator.brokerage(), "Modern Villa") for _ in range(2)] == ["modern-villa"] * 2


def test_a_slug_stays_when_the_title_changes(server: Server, tenant: Tenant) -> None:
    path = f"/api/properties/{entered(server, tenant).json['id']}"

    changed = server.by_key(tenant, "PATCH", path, {"title": "Old Cottage", "slug": "mine"})

    assert (changed.json["title"], changed.json["slug"]) == ("Old Cottage", "modern-villa")
    assert server.by_key(tenant, "GET", path).json == changed.json
    # Neither is the title's new slug taken, nor the old one free.
    assert slug(server, tenant, "Old Cottage") == "old-cottage"
    assert slug(server, tenant, "Modern Villa") == "modern-villa-2"


def test_a_slug_cannot_be_chosen(server: Server, tenant: Tenant) -> None:
    assert entered(server, tenant, slug="mine").json["slug"] == "modern-villa"


def test_a_refused_property_takes_no_slug(server: Server, tenant: Tenant) -> None:
    assert entered(server, tenant, timeZone="Nowhere/Atall").status == 400
    assert entered(server, tenant, price=-1).status == 400

    assert slug(server, tenant, "Modern Villa") == "modern-villa"
