"""What a brokerage allows: names that work in addresses, plans that are sold, zones that exist."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from aureum.domain.brokerage import Brokerage, includes
from aureum.domain.errors import Invalid

AT = datetime(2026, 1, 1, tzinfo=UTC)


def opened(**fields: Any) -> Brokerage:
    given: dict[str, Any] = {
        "number": 1,
        "name": "Demo",
        "slug": "demo",
        "domains": ("demo.example.com",),
        "plan": "Grow",
        "time_zone": "America/Boise",
        "country": "US",
        "public_lead_count": True,
    }
    return Brokerage.open(UUID(int=7), AT, **given | fields)


@pytest.mark.parametrize("slug", ["a", "snake-river", "b2", "a" * 63])
def test_slugs(slug: str) -> None:
    assert opened(slug=slug).slug == slug


@pytest.mark.parametrize("slug", ["", "-a", "a-", "A", "a b", "a.b", "ä", "a" * 64, "www", "api", "admin", "app"])
def test_no_slugs(slug: str) -> None:
    with pytest.raises(Invalid, match="slug"):
        opened(slug=slug)


@pytest.mark.parametrize("fields", [{"name": "  "}, {"plan": "Gold"}, {"plan": "grow"}, {"time_zone": "Boise"}])
def test_what_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        opened(**fields)


def test_disabling_and_plans_record_once() -> None:
    brokerage = opened()
    brokerage.collect_events()
    brokerage.disable(AT)
    brokerage.disable(AT)
    brokerage.enable(AT)
    brokerage.enable(AT)
    brokerage.change_plan("Grow", AT)
    brokerage.change_plan("Elite", AT)
    with pytest.raises(Invalid):
        brokerage.change_plan("Gold", AT)
    kinds = [event.TOPIC for event in brokerage.collect_events()]  # type: ignore[attr-defined]
    assert kinds == ["brokerage.disabled", "brokerage.enabled", "brokerage.plan_changed"]


def test_plans_include_the_smaller_ones() -> None:
    assert includes("Elite", "Grow") and includes("Grow", "Grow") and not includes("Starter", "Grow")
