"""``POST /api/contact``, as the Leads API document has it."""

from typing import Any

import pytest

from aureum.commands.brokerages import disable_brokerage, enable_brokerage
from tests.http.operator import ORIGIN, Operator, Tenant
from tests.http.serving import BASE_DOMAIN, FORM, Server

THANKS = "Thank you for your message! We'll get back to you within 24 hours."


def test_the_documents_example_gets_the_documents_answer(server: Server, tenant: Tenant) -> None:
    answer = server.ask("POST", "/api/contact", FORM, host=tenant.domain)

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json) == ["success", "message", "lead_id"]
    assert answer.json["success"] is True
    assert answer.json["message"] == THANKS
    assert type(answer.json["lead_id"]) is int
    (lead,) = server.leads(tenant)
    assert lead == lead | {
        "name": "John Smith",
        "firstName": "John",
        "lastName": "Smith",
        "email": "john.smith@example.com",
        "phone": "208-555-0123",
        "source": "website",
        "status": "new",
        "subject": "Interested in property at 123 Main St",
        "message": "I'd like to learn more about this listing...",
        "assignedToId": None,
        "contactId": None,
        "sourcePage": "/property/202412345",
        "utm": {"source": "google", "medium": "organic", "campaign": "spring-2024"},
    }


def test_only_what_the_document_requires_is_required(server: Server, tenant: Tenant) -> None:
    required = {name: FORM[name] for name in ("firstName", "lastName", "email", "subject", "message")}

    assert server.ask("POST", "/api/contact", required, host=tenant.domain).status == 200

    (lead,) = server.leads(tenant)
    assert (lead["phone"], lead["sourcePage"]) == (None, None)
    assert lead["utm"] == {"source": None, "medium": None, "campaign": None}


def test_null_for_an_optional_field_is_like_leaving_it_out(server: Server, tenant: Tenant) -> None:
    nothing = dict.fromkeys(("phone", "source_page", "utm_source", "utm_medium", "utm_campaign"))

    assert server.form(tenant, **nothing).status == 200

    (lead,) = server.leads(tenant)
    assert (lead["phone"], lead["sourcePage"], lead["utm"]["medium"]) == (None, None, None)


def test_unknown_fields_are_ignored(server: Server, tenant: Tenant) -> None:
    assert server.form(tenant, source="elsewhere", status="converted", brokerage_id=1, consent={"a": [1]}).status == 200

    (lead,) = server.leads(tenant)
    assert (lead["source"], lead["status"]) == ("website", "new")


@pytest.mark.parametrize("field", ["firstName", "lastName", "email", "subject", "message"])
def test_each_required_field_is_missed(server: Server, tenant: Tenant, operator: Operator, field: str) -> None:
    before = operator.head(tenant)

    without = {name: value for name, value in FORM.items() if name != field}
    missing = server.ask("POST", "/api/contact", without, host=tenant.domain)
    null = server.form(tenant, **{field: None})

    assert missing.status == null.status == 422
    assert missing.detail == [{"loc": ["body", field], "msg": "field required", "type": "value_error.missing"}]
    assert null.detail == [
        {"loc": ["body", field], "msg": "none is not an allowed value", "type": "type_error.none.not_allowed"}
    ]
    assert operator.head(tenant) == before


def test_the_documents_validation_error(server: Server, tenant: Tenant) -> None:
    answer = server.form(tenant, email="john.smith@")

    assert answer.status == 422
    assert answer.json == {
        "detail": [{"loc": ["body", "email"], "msg": "value is not a valid email address", "type": "value_error.email"}]
    }


def test_every_problem_is_told_at_once(server: Server, tenant: Tenant) -> None:
    answer = server.ask("POST", "/api/contact", {"firstName": 7, "email": "?", "message": " "}, host=tenant.domain)

    assert answer.status == 422
    assert {item["loc"][1]: item["type"] for item in answer.detail} == {
        "firstName": "type_error.str",
        "lastName": "value_error.missing",
        "email": "value_error.email",
        "subject": "value_error.missing",
        "message": "value_error.any_str.min_length",
    }


@pytest.mark.parametrize(
    ("phone", "kept"),
    [
        ("not a number", "not a number"),
        (2085550123, "2085550123"),
        ("", None),
        (" ", None),
        ([], None),
        (["208-555-0123", 7], "208-555-0123, 7"),
        ({"a": 1}, None),
        (True, None),
        ("12\x0034", "1234"),
        ("208\n555", "208 555"),
        ("9" * 5_000, "9" * 100),
    ],
)
def test_a_bad_phone_never_refuses_a_lead(server: Server, tenant: Tenant, phone: Any, kept: str | None) -> None:
    assert server.form(tenant, phone=phone).status == 200

    assert [lead["phone"] for lead in server.leads(tenant)] == [kept]


def test_a_form_is_never_refused_because_of_a_plan(server: Server, operator: Operator) -> None:
    assert server.form(operator.brokerage("Starter")).status == 200


def test_the_agent_is_chosen_in_the_append_that_stores_the_lead(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    assert server.form(tenant, email="first@example.com").status == 200
    river, mountain = operator.agent(tenant, "Rita", "river"), operator.agent(tenant, "Max", "mountain")
    before = operator.head(tenant)

    # Both processes: one of them remembers the brokerage as it was without agents.
    assert server.form(tenant, message="Anything by the river?").status == 200
    assert proxied.form(tenant, email="other@example.com", message="A mountain cabin").status == 200

    assert operator.head(tenant) == before + 2
    cabin, house, first = server.leads(tenant)
    assert (cabin["assignedToId"], house["assignedToId"], first["assignedToId"]) == (mountain, river, None)


def test_a_form_is_stored_though_no_agent_can_be_chosen(server: Server, operator: Operator, tenant: Tenant) -> None:
    operator.agent(tenant, "Rita", "river")
    operator.rows("REVOKE SELECT ON users FROM aureum_service")
    try:
        assert server.form(tenant).status == 200
    finally:
        operator.rows("GRANT SELECT ON users TO aureum_service")

    assert server.form(tenant).status == 200

    routed, unrouted = server.leads(tenant)
    assert unrouted["assignedToId"] is None
    assert routed["assignedToId"] is not None, "what could not be read is not remembered"


def test_a_disabled_brokerage_is_not_found_until_it_is_enabled(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    assert server.form(tenant).status == 200
    operator.run(lambda store: disable_brokerage(store, tenant.id, ORIGIN))

    form, counts = server.form(tenant), server.ask("GET", "/api/leads/count", host=tenant.domain)

    assert form.status == counts.status == 404
    assert form.json == counts.json == {"detail": "Brokerage not found"}
    assert server.by_key(tenant, "GET", "/api/leads").status == 401
    operator.run(lambda store: enable_brokerage(store, tenant.id, ORIGIN))
    assert server.form(tenant).status == 200
    assert len(server.leads(tenant)) == 2


def test_the_brokerage_is_found_by_its_slug_below_the_base_domain(server: Server, tenant: Tenant) -> None:
    host = f"{tenant.slug.upper()}.{BASE_DOMAIN}:8000"

    assert server.ask("POST", "/api/contact", FORM, host=host).status == 200

    assert len(server.leads(tenant)) == 1
