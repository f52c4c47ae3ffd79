"""The section "Create Lead (Admin)" of the Leads API document, replayed: its example, its scoping, its errors."""

import re
from typing import Any

import pytest

from aureum.commands.brokerages import disable_brokerage
from aureum.domain import ids
from tests.documents.likeness import kind, of_type
from tests.documents.reading import Refusal
from tests.documents.stage import LEADS, NOBODY, Staff, Stage
from tests.http.operator import ORIGIN, Operator
from tests.http.serving import Answer

ADMIN = LEADS.endpoint("POST", "/api/v1/admin/leads")
NO_CONTEXT, FOREIGN_AGENT, NO_BROKERAGE = ADMIN.refusals
TAGS = ADMIN.tags or {}
STAFF = ("broker", "agent", "brokerage_owner")
"""The non-admin users that the document lists."""


@pytest.fixture
def other(stage: Stage, operator: Operator) -> Stage:
    """Another brokerage."""
    return Stage(stage.cast, operator.brokerage())


def create(stage: Stage, who: Staff, body: dict[str, Any]) -> Answer:
    return stage.server.ask(ADMIN.method, ADMIN.path, body, who.bearer)


def created(answer: Answer) -> dict[str, Any]:
    assert answer.status == ADMIN.status == 201, answer.body
    lead: dict[str, Any] = answer.json
    return lead


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


def told(answer: Answer, row: Refusal, *numbers: int) -> None:
    """The row of the table, with these numbers for its ``{id}``."""
    left = iter(numbers)
    detail = re.sub(r"{id}", lambda _: str(next(left)), row.detail)
    assert (answer.status, answer.json) == (row.status, {"detail": detail}), f"line {row.line}"


class TestExample:
    """Request, fields and response."""

    def test_the_full_lead_detail_comes_back(self, stage: Stage) -> None:
        sent = stage.example(ADMIN)
        before = stage.head

        lead = created(stage.ask(ADMIN, sent))

        assert stage.head > before
        assert {name: lead[name] for name in sent} == sent
        for field in ADMIN.fields:
            assert of_type(field.type, lead[field.name]), f"line {field.line}"
        assert kind(lead["id"]) == "integer"
        assert kind(lead["created_at"]) == kind(lead["updated_at"]) == "time in seconds"

    def test_the_shape_is_that_of_reading_it(self, stage: Stage) -> None:
        lead = created(stage.ask(ADMIN, stage.example(ADMIN)))
        path = f"{ADMIN.path}/{lead['id']}"

        answer = stage.server.ask("GET", path, headers=stage.cast.platform_admin.bearer)

        assert (answer.status, answer.json) == (200, lead)

    def test_it_is_told_from_organic_ones(self, stage: Stage) -> None:
        """Also if the request says otherwise."""
        for claimed in ({}, dict.fromkeys(TAGS, "organic")):
            lead = created(stage.ask(ADMIN, stage.example(ADMIN, **claimed)))
            assert {name: lead[name] for name in TAGS} == TAGS

    def test_what_is_optional_is_empty_or_the_default(self, stage: Stage) -> None:
        lead = created(stage.ask(ADMIN, stage.least(ADMIN)))
        for field in ADMIN.fields:
            if not field.required and field.name != "brokerage_id":
                assert lead[field.name] == field.default, f"line {field.line}"

    def test_it_is_not_routed(self, stage: Stage, operator: Operator) -> None:
        """An agent whose words are those of the lead gets it from a form, but not from staff."""
        operator.agent(stage.tenant, "Ana Agent", "downtown", "condos", "walking distance of the river")
        lead = created(stage.ask(ADMIN, without(stage.example(ADMIN), "assigned_agent_id")))
        assert lead["assigned_agent_id"] is None


class TestScoping:
    """Under which brokerage the lead is created."""

    @pytest.mark.parametrize("role", STAFF)
    def test_non_admins_create_under_their_own(self, stage: Stage, other: Stage, role: str) -> None:
        who = stage.cast.staff(stage.tenant.id, role)
        before = other.head
        for ignored in (stage.number, other.number, NOBODY, None):
            lead = created(create(stage, who, stage.example(ADMIN, brokerage_id=ignored)))
            assert lead["brokerage_id"] == stage.number
        assert other.head == before
        assert len(stage.key("GET", "/api/leads").json) == 4

    def test_a_platform_admin_may_target_any(self, stage: Stage, other: Stage) -> None:
        at_home = stage.cast.staff(stage.tenant.id, "platform_admin")
        for who in (at_home, stage.cast.platform_admin):
            for target in (stage, other):
                lead = created(create(stage, who, target.example(ADMIN)))
                assert (lead["brokerage_id"], lead["assigned_agent_id"]) == (target.number, target.agent)
        assert [len(one.key("GET", "/api/leads").json) for one in (stage, other)] == [2, 2]

    def test_a_platform_admin_who_names_none_means_their_own(self, stage: Stage) -> None:
        at_home = stage.cast.staff(stage.tenant.id, "platform_admin")
        body = stage.example(ADMIN)
        for left_out in (without(body, "brokerage_id"), body | {"brokerage_id": None}):
            assert created(create(stage, at_home, left_out))["brokerage_id"] == stage.number


class TestErrors:
    """Each row of its table; nothing is recorded."""

    def test_an_admin_without_a_brokerage_who_names_none(self, stage: Stage) -> None:
        body = without(stage.example(ADMIN), "brokerage_id", "assigned_agent_id")
        told(stage.ask(ADMIN, body), NO_CONTEXT)

    @pytest.mark.parametrize("role", STAFF)
    def test_a_non_admin_without_a_brokerage(self, stage: Stage, role: str) -> None:
        """The brokerage that they name is ignored: nothing leaks into it."""
        who = stage.cast.staff(ids.PLATFORM, role)
        body = stage.example(ADMIN)
        before = stage.head
        for given in (body, without(body, "brokerage_id"), without(body, "assigned_agent_id")):
            told(create(stage, who, given), NO_CONTEXT)
        assert stage.head == before

    @pytest.mark.parametrize("role", [*STAFF, "platform_admin"])
    def test_an_agent_of_another_brokerage(self, stage: Stage, other: Stage, role: str) -> None:
        who = stage.cast.staff(stage.tenant.id, role)
        foreign = (other.agent, NOBODY)
        before = stage.head, other.head
        for agent in foreign:
            body = stage.example(ADMIN, assigned_agent_id=agent)
            told(create(stage, who, body), FOREIGN_AGENT, agent, stage.number)
        assert (stage.head, other.head) == before

    def test_an_agent_of_the_admins_own_brokerage_in_another(self, stage: Stage, other: Stage) -> None:
        """The agent must belong to the resolved brokerage, not to the user's."""
        at_home = stage.cast.staff(stage.tenant.id, "platform_admin")
        body = stage.example(ADMIN, brokerage_id=other.number)
        told(create(stage, at_home, body), FOREIGN_AGENT, stage.agent, other.number)

    def test_a_brokerage_that_does_not_exist(self, stage: Stage) -> None:
        body = without(stage.example(ADMIN), "assigned_agent_id")
        for number in (NOBODY, 0, -1):
            told(stage.ask(ADMIN, body | {"brokerage_id": number}), NO_BROKERAGE)

    def test_a_brokerage_that_is_disabled(self, stage: Stage, operator: Operator) -> None:
        body = stage.example(ADMIN)
        operator.run(lambda store: disable_brokerage(store, stage.tenant.id, ORIGIN))
        before = stage.head
        told(stage.ask(ADMIN, body), NO_BROKERAGE)
        assert stage.head == before
