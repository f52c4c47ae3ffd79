"""What a brokerage allows: names that work in addresses, plans that are sold, zones that exist."""

from datetime import UTC, datetime
from functools import reduce
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.aggregate import replay
from aureum.domain.brokerage import PLANS, SETTINGS, SIGNING, Brokerage, includes
from aureum.domain.errors import Invalid
from aureum.domain.ids import PLATFORM
from aureum.projections import brokerages
from aureum.store.mapper import EventMapper

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


@pytest.mark.parametrize(
    "fields",
    [{"name": "  "}, {"plan": "Gold"}, {"plan": "grow"}, {"time_zone": "Boise"}, {"country": "us"}, {"country": "ZZ"}],
)
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


def test_what_is_changed_later() -> None:
    brokerage = opened()
    brokerage.collect_events()
    brokerage.rename(" Demo ", AT)
    brokerage.change_domains(("demo.example.com",), AT)
    brokerage.change_settings({"time_zone": "America/Boise", "country": "US", "public_lead_count": True}, AT)
    brokerage.change_settings({}, AT)
    assert not brokerage.collect_events()
    brokerage.rename("Other", AT)
    brokerage.change_domains(("b.example.com", "a.example.com"), AT)
    brokerage.change_settings({"time_zone": "Europe/Berlin", "country": "US"}, AT)
    events = brokerage.collect_events()
    kinds = [event.TOPIC for event in events]  # type: ignore[attr-defined]
    assert kinds == ["brokerage.renamed", "brokerage.domains_changed", "brokerage.settings_changed"]
    assert events[-1].changes == {"time_zone": "Europe/Berlin"}  # type: ignore[attr-defined]
    for settings in ({"time_zone": "Mars/Base"}, {"country": "us"}):
        with pytest.raises(Invalid):
            brokerage.change_settings(settings, AT)
    with pytest.raises(Invalid):
        brokerage.rename(" ", AT)
    assert not brokerage.collect_events()


CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("rename"), st.text("ab", min_size=1, max_size=3)),
        st.tuples(st.just("change_domains"), st.lists(st.text("ab", max_size=3), max_size=3).map(tuple)),
        st.tuples(st.just("change_plan"), st.sampled_from(PLANS)),
        st.tuples(st.just("disable")),
        st.tuples(st.just("enable")),
        st.tuples(
            st.just("change_settings"),
            st.fixed_dictionaries(
                {},
                optional={
                    "time_zone": st.sampled_from(["America/Boise", "Europe/Berlin"]),
                    "country": st.sampled_from(["US", "DE"]),
                    "public_lead_count": st.booleans(),
                },
            ),
        ),
    ),
    max_size=8,
)


@given(changes=CHANGES)
def test_the_directory_and_the_log_hold_what_the_aggregate_says(changes: list[tuple[Any, ...]]) -> None:
    brokerage = opened()
    for method, *arguments in changes:
        getattr(brokerage, method)(*arguments, AT)
    mapper = EventMapper(PLATFORM, lambda _: None)
    events = [mapper.to_domain_event(mapper.to_stored_event(event)) for event in brokerage.collect_events()]

    row = reduce(brokerages.step, events, None)

    names = (
        "number",
        "slug",
        "name",
        "plan",
        "domains",
        *(name for name in SETTINGS if name not in SIGNING),
        "disabled",
    )
    assert row is not None
    assert [row[name] for name in names] == [getattr(brokerage, name) for name in names]
    assert (row["stream_version"], row["opened_at"]) == (brokerage.version, brokerage.created_on)
    assert vars(replay(events)) == vars(brokerage)
