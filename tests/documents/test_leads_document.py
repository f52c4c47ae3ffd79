"""The Leads API document, replayed: contact form, count, tours, newsletter, statuses and errors."""

import json

import pytest

from tests.documents.likeness import unlike
from tests.documents.reading import Endpoint, Row
from tests.documents.stage import LEADS, NOBODY, PUBLIC, Stage, refused
from tests.http.operator import Operator

CONTACT = LEADS.endpoint("POST", "/api/contact")
COUNT = LEADS.endpoint("GET", "/api/leads/count")
TOUR = LEADS.endpoint("POST", "/api/tours")
TOURS = LEADS.endpoint("GET", "/api/tours")
ONE_TOUR = LEADS.endpoint("GET", "/api/tours/{request_id}")
NEWSLETTER = LEADS.endpoint("POST", "/api/newsletter/subscribe")
ADMIN = LEADS.endpoint("POST", "/api/v1/admin/leads")
BY_HOST = [LEADS.endpoint(*one) for one in PUBLIC]


class TestContactForm:
    """Section "Contact Form Submission"."""

    def test_the_example(self, stage: Stage) -> None:
        answer = stage.make(CONTACT)

        assert unlike(CONTACT.answered, answer) == []
        assert answer == CONTACT.answered | {"lead_id": answer["lead_id"]}
        (lead,) = stage.key("GET", "/api/leads").json
        utm = lead["utm"]
        kept = lead | {f"utm_{name}": utm[name] for name in utm} | {"source_page": lead["sourcePage"]}
        assert {name: kept[name] for name in CONTACT.sent} == CONTACT.sent

    def test_the_brokerage_is_determined_from_the_domain(self, stage: Stage, operator: Operator) -> None:
        other = Stage(stage.cast, operator.brokerage())

        stage.make(CONTACT)

        assert [len(one.key("GET", "/api/leads").json) for one in (stage, other)] == [1, 0]


class TestLeadsCount:
    """Section "Get Leads Count"."""

    def test_the_example(self, stage: Stage, operator: Operator) -> None:
        """As many leads of each status as the example has."""
        counts = {name: number for name, number in COUNT.answered.items() if name != "total"}
        for status, leads in counts.items():
            operator.fill(stage.tenant, leads, status=status)

        answer = stage.ask(COUNT)

        assert answer.status == COUNT.status, answer.body
        assert answer.json == answer.json | COUNT.answered
        assert unlike(COUNT.answered, answer.json) == []


class TestTours:
    """Section "Tour Requests"."""

    def test_the_example_of_a_request(self, stage: Stage) -> None:
        made = stage.make(TOUR)

        assert unlike(TOUR.answered, made) == []
        new = {name: made[name] for name in ("id", "created_at")}
        assert {name: made[name] for name in TOUR.answered} == TOUR.answered | new

    def test_the_example_of_a_list(self, stage: Stage) -> None:
        made = stage.make(TOUR)

        (tour,) = stage.listed(TOURS)

        (example,) = TOURS.answered
        assert unlike(TOURS.answered, [tour]) == []
        assert {name: tour[name] for name in example} == example | {name: made[name] for name in ("id", "created_at")}

    def test_one_request(self, stage: Stage) -> None:
        made = stage.make(TOUR)
        path = ONE_TOUR.path.replace("{request_id}", str(made["id"]))

        answer = stage.key("GET", path)

        assert answer.status == ONE_TOUR.status, answer.body
        assert unlike(TOURS.answered[0], answer.json) == [] == unlike(TOUR.answered, answer.json)
        assert {name: answer.json[name] for name in TOUR.sent} == TOUR.sent
        missing = stage.key("GET", ONE_TOUR.path.replace("{request_id}", str(NOBODY)))
        assert missing.status == 404 and isinstance(missing.detail, str)

    def test_the_list_is_that_of_the_authenticated_users_brokerage(self, stage: Stage, operator: Operator) -> None:
        made, other = stage.make(TOUR), operator.brokerage()
        for tenant, expected in ((stage.tenant, [made["id"]]), (other, [])):
            broker = stage.cast.staff(tenant.id, "broker")
            answer = stage.server.ask("GET", TOURS.path, headers=broker.bearer)
            assert answer.status == TOURS.status, answer.body
            assert [tour["id"] for tour in answer.json] == expected
        assert stage.server.ask("GET", TOURS.path, host=stage.tenant.domain).status == 401

    def test_the_list_by_status(self, stage: Stage) -> None:
        allowed = TOURS.field("status").allowed
        steps = {"pending": (), "confirmed": ("confirmed",), "completed": ("confirmed", "completed")}
        made: dict[str, int] = {}
        for status in allowed:
            # The same form again would be the same tour.
            made[status] = stage.make(TOUR, message=f"For the one that is {status}")["id"]
            for step in steps.get(status, (status,)):
                changed = stage.key("PATCH", f"{TOURS.path}/{made[status]}", {"status": step})
                assert changed.status == 200, changed.body
        for status in allowed:
            tours = stage.listed(TOURS, status=status)
            assert [(tour["id"], tour["status"]) for tour in tours] == [(made[status], status)]

    def test_the_list_by_property(self, stage: Stage) -> None:
        found, _ = (stage.make(TOUR, listing_id=listing)["id"] for listing in ("202412345", "0202412345"))
        assert [tour["id"] for tour in stage.listed(TOURS, listing_id="202412345")] == [found]

    @pytest.mark.parametrize("value", ["Monday", "12/30/2024", "2024-02-30", "2024-12-30T10:00:00Z"])
    def test_a_preferred_date_is_a_date(self, stage: Stage, value: str) -> None:
        before = stage.head
        answer = stage.ask(TOUR, stage.example(TOUR, preferred_date=value))
        refused(TOUR, answer, TOUR.field("preferred_date"))
        assert stage.head == before


class TestNewsletter:
    """Section "Newsletter Subscription"."""

    def test_the_example(self, stage: Stage) -> None:
        before = stage.head
        for body in (NEWSLETTER.sent, NEWSLETTER.sent, {"email": "another@example.com"}):
            answer = stage.ask(NEWSLETTER, body)
            assert (answer.status, answer.json) == (NEWSLETTER.status, NEWSLETTER.answered)
        assert stage.head > before

    @pytest.mark.parametrize("name", [name for name in NEWSLETTER.sent if name != "interests"])
    def test_a_value_of_another_type_is_refused(self, stage: Stage, name: str) -> None:
        before = stage.head
        answer = stage.ask(NEWSLETTER, NEWSLETTER.sent | {name: {"of": "no documented type"}})
        assert answer.status == LEADS.error("Validation Error").status, answer.body
        assert {item["loc"][1] for item in answer.detail} == {name}
        assert stage.head == before

    def test_the_email_is_required(self, stage: Stage) -> None:
        answer = stage.ask(NEWSLETTER, {"first_name": NEWSLETTER.sent["first_name"]})
        assert answer.status == LEADS.error("Validation Error").status, answer.body
        assert [item["loc"] for item in answer.detail] == [["body", "email"]]


class TestLeadStatusValues:
    """Section "Lead Status Values"."""

    def test_a_lead_progresses_through_all_of_them(self, stage: Stage) -> None:
        statuses = [row.name for row in LEADS.statuses]
        stage.make(CONTACT)
        (lead,) = stage.key("GET", "/api/leads").json
        assert lead["status"] == statuses[0]
        for status in statuses[1:]:
            answer = stage.key("PATCH", f"/api/leads/{lead['id']}", {"status": status})
            assert (answer.status, answer.json["status"]) == (200, status)
            assert [one["id"] for one in stage.key("GET", f"/api/leads?status={status}").json] == [lead["id"]]
            counts = stage.ask(COUNT).json
            assert (counts[status], counts["total"]) == (1, 1)
        assert set(stage.ask(COUNT).json) == {*statuses, "total"}

    @pytest.mark.parametrize("row", LEADS.statuses, ids=lambda row: f"{row.name} (line {row.line})")
    def test_staff_may_create_a_lead_with_each(self, stage: Stage, row: Row) -> None:
        assert stage.make(ADMIN, status=row.name)["status"] == row.name

    def test_there_is_no_other(self, stage: Stage) -> None:
        refused(ADMIN, stage.ask(ADMIN, stage.example(ADMIN, status="archived")), ADMIN.field("status"))


class TestErrorResponses:
    """Section "Error Responses"."""

    @pytest.mark.parametrize("endpoint", BY_HOST, ids=lambda one: one.label)
    def test_missing_host_header(self, stage: Stage, endpoint: Endpoint) -> None:
        """HTTP/1.0 allows to send none."""
        error = LEADS.error("Missing Host Header")
        body = json.dumps(stage.example(endpoint)).encode() if endpoint.method == "POST" else b""
        head = f"{endpoint.method} {endpoint.path} HTTP/1.0\r\nContent-Type: application/json\r\n"

        answer = stage.server.raw(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

        top, _, told = answer.partition(b"\r\n\r\n")
        assert top.split(b" ")[1] == str(error.status).encode(), answer
        assert json.loads(told) == error.block.value

    @pytest.mark.parametrize("endpoint", BY_HOST, ids=lambda one: one.label)
    def test_brokerage_not_found(self, stage: Stage, endpoint: Endpoint) -> None:
        error = LEADS.error("Brokerage Not Found")
        body = stage.example(endpoint) if endpoint.method == "POST" else None

        answer = stage.server.ask(endpoint.method, endpoint.path, body, host="nobody.example.com")

        assert (answer.status, answer.json) == (error.status, error.block.value)

    @pytest.mark.parametrize("endpoint", [CONTACT, ADMIN, TOUR, NEWSLETTER], ids=lambda one: one.label)
    def test_validation_error(self, stage: Stage, endpoint: Endpoint) -> None:
        error = LEADS.error("Validation Error")
        example = stage.example(endpoint)
        before = stage.head
        for email in ("subscriber", "john.smith@", "@example.com", "a b@example.com"):
            answer = stage.ask(endpoint, example | {"email": email})
            assert (answer.status, answer.json) == (error.status, error.block.value)
        assert stage.head == before
