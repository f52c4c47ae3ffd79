"""``GET /api/leads``: filters, pages, and the whole list streamed."""

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.domain.ids import aureum_time
from aureum.domain.lead import STATUSES
from aureum.domain.texts import one_line
from aureum.http.wire.times import parse_time
from tests.examples import examples
from tests.http.links import next_page
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server, until

NO_TIME = "updatedSince must be a time with its zone, such as 2025-01-15T10:30:00Z, or a date such as 2025-01-15."


def listed(server: Server, tenant: Tenant, query: str = "") -> list[str]:
    """The ids of a list."""
    return server.by_key(tenant, "GET", f"/api/leads{query}").ids


def test_without_leads_the_list_is_empty(server: Server, tenant: Tenant) -> None:
    for query in ("", "?limit=5"):
        answer = server.by_key(tenant, "GET", f"/api/leads{query}")
        assert (answer.status, answer.json) == (200, [])
        assert next_page(answer) is None


def test_newest_first_and_like_each_lead_alone(server: Server, tenant: Tenant) -> None:
    made = [server.lead(tenant, name=f"Jane {number}")["id"] for number in range(3)]

    whole, page = server.by_key(tenant, "GET", "/api/leads"), server.by_key(tenant, "GET", "/api/leads?limit=500")

    assert whole.ids == made[::-1]
    assert whole.json == page.json
    assert whole.json == [server.by_key(tenant, "GET", f"/api/leads/{lead}").json for lead in made[::-1]]


def test_each_status_is_a_filter(server: Server, tenant: Tenant) -> None:
    made = {status: server.lead(tenant, status=status)["id"] for status in STATUSES}

    assert len(made) == 7
    for status, lead in made.items():
        assert listed(server, tenant, f"?status={status}") == [lead]
        assert listed(server, tenant, f"?status={status}&limit=5") == [lead]


def test_filters_by_source_and_by_who_is_assigned(server: Server, tenant: Tenant, operator: Operator) -> None:
    rita, max_ = operator.agent(tenant, "Rita"), operator.agent(tenant, "Max")
    website = server.lead(tenant, source="website", assignedToId=rita)["id"]
    fair = server.lead(tenant, source="Spring Fair & Co+", assignedToId=rita, status="lost")["id"]
    server.lead(tenant)

    assert listed(server, tenant, "?source=website") == [website]
    assert listed(server, tenant, f"?source={quote('Spring Fair & Co+', safe='')}") == [fair]
    assert listed(server, tenant, "?source=Website") == []
    assert listed(server, tenant, f"?assignedToId={rita}") == [fair, website]
    assert listed(server, tenant, f"?assignedToId={rita}&status=lost") == [fair]
    assert listed(server, tenant, f"?assignedToId={max_}") == []
    for nobody in ("nobody", "c" + "0" * 25, "%00", "%FF"):
        assert listed(server, tenant, f"?assignedToId={nobody}") == []
    assert len(listed(server, tenant, "?_unknown=1")) == 3


def test_what_has_changed_since_a_moment(server: Server, tenant: Tenant) -> None:
    first, second = server.lead(tenant)["id"], server.lead(tenant)["id"]
    until(lambda: server.by_key(tenant, "PATCH", f"/api/leads/{first}", {"status": "lost"}).status == 200)
    changed = server.by_key(tenant, "GET", f"/api/leads/{first}").json["updatedAt"]

    assert listed(server, tenant, f"?updatedSince={changed}") == [first]
    assert listed(server, tenant, "?updatedSince=2020-01-01") == [second, first]
    assert listed(server, tenant, "?updatedSince=9999-12-31T23:59:59Z") == []
    later = aureum_time(parse_time(changed).replace(microsecond=0).replace(year=2100))
    assert listed(server, tenant, f"?updatedSince={later}") == []


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("status=sold", f'status must be one of: {", ".join(STATUSES)}; got "sold".'),
        ("status=%00", f"status must be one of: {', '.join(STATUSES)}."),
        ("source=%00", "source must not hold NUL characters."),
        ("source=" + "x" * 101, "source must have at most 100 characters."),
        ("updatedSince=lately", NO_TIME),
        ("updatedSince=0000-00-00", NO_TIME),
        *(
            (f"limit={limit}", "limit must be a whole number from 1 to 500.")
            for limit in ("0", "501", "-1", "1.5", "abc", "9" * 5_000, "%EF%BC%91", "1%00", "%2B1")
        ),
        *(
            (f"cursor={cursor}", "cursor must be taken from a Link header of this list.")
            for cursor in (
                "",
                "x",
                "A" * 21,
                "A" * 23,
                "%00" * 22,
                "A" * 22 + "==",
                "%FF",
                "A" * 9_000,
                "AAAA+AAAA/AAAAAAAAAAAA",
                "A" * 43,
            )
        ),
    ],
)
def test_a_bad_parameter(server: Server, operator: Operator, query: str, sentence: str) -> None:
    answer = server.by_key(operator.shared, "GET", f"/api/leads?{query}")

    assert (answer.status, answer.error) == (400, sentence)


def pages(server: Server, tenant: Tenant, path: str) -> Iterator[list[str]]:
    """Page after page, as the Link headers lead."""
    for _ in range(100):
        answer = server.by_key(tenant, "GET", path)
        yield answer.ids
        following = next_page(answer)
        if following is None:
            return
        assert following.startswith("/api/leads?"), "a relative link"
        path = following
    raise AssertionError("the pages do not end")


def test_a_page_leads_to_the_next_with_limit_cursor_and_filters(server: Server, tenant: Tenant) -> None:
    made = [server.lead(tenant, source="a&b")["id"] for _ in range(5)]
    server.lead(tenant)

    found = list(pages(server, tenant, "/api/leads?limit=2&source=a%26b&_unknown=1"))

    assert found == [made[:2:-1], made[2:0:-1], made[:1]]


@given(
    limit=st.integers(1, 5),
    before=st.integers(0, 9),
    meanwhile=st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=6),
)
@settings(max_examples=examples(20), deadline=None)
def test_paging_skips_and_repeats_nothing_while_others_write(
    server: Server, proxied: Server, operator: Operator, limit: int, before: int, meanwhile: list[tuple[int, bool]]
) -> None:
    tenant = operator.brokerage()
    made = [server.lead(tenant)["id"] for _ in range(before)]
    found: list[str] = []

    for number, page in enumerate(pages(server, tenant, f"/api/leads?limit={limit}")):
        assert len(page) <= limit
        found += page
        inserted, changes = meanwhile[number] if number < len(meanwhile) else (0, False)
        for _ in range(inserted):
            proxied.lead(tenant)
        if changes and made:
            proxied.by_key(tenant, "PATCH", f"/api/leads/{made[number % len(made)]}", {"subject": f"{number}"})

    assert found == made[::-1]


def test_a_list_that_is_known_already_is_not_sent_again(server: Server, proxied: Server, tenant: Tenant) -> None:
    lead = server.lead(tenant)["id"]
    for query in ("", "?limit=1", "?status=new", "?status=lost&limit=3"):
        path = f"/api/leads{query}"
        first = server.by_key(tenant, "GET", path)

        same = proxied.by_key(tenant, "GET", path, headers={"If-None-Match": first.etag})
        assert (same.status, same.body, same.etag) == (304, b"", first.etag)
        assert same.headers["x-ratelimit-limit"] == "1000000"

        # Anything of the tenant's changes it, from any process.
        proxied.by_key(tenant, "PATCH", f"/api/leads/{lead}", {"subject": f"changed {query}"})
        assert server.by_key(tenant, "GET", path, headers={"If-None-Match": first.etag}).status == 200


def test_no_two_lists_share_an_etag(server: Server, operator: Operator) -> None:
    tenants = [operator.brokerage(), operator.brokerage()]
    queries = ("", "?limit=1", "?limit=2", "?status=new", "?status=lost", "?source=new")

    etags = [server.by_key(tenant, "GET", f"/api/leads{query}").etag for tenant in tenants for query in queries]
    counts = [server.ask("GET", "/api/leads/count", host=tenant.domain).etag for tenant in tenants]

    assert len({*etags, *counts}) == len(etags) + len(counts)
    for query in queries:
        known = {"If-None-Match": server.by_key(tenants[0], "GET", f"/api/leads{query}").etag}
        assert server.by_key(tenants[1], "GET", f"/api/leads{query}", headers=known).status == 200


def test_the_list_is_json_whatever_visitors_write(server: Server, tenant: Tenant) -> None:
    text = '"],[\\"}{\n\r\t\u2028\u2029\x7f\x80 \U0001f3e1 </script> \\u0000 %s {} ,'

    assert server.form(tenant, message=text, firstName=text, subject=text).status == 200

    for query in ("", "?limit=1"):
        (lead,) = json.loads(server.by_key(tenant, "GET", f"/api/leads{query}").body)
        assert (lead["message"], lead["firstName"], lead["subject"]) == (text, one_line(text), one_line(text))


def test_an_etag_is_that_of_its_own_address_and_caller_only(server: Server, operator: Operator, tenant: Tenant) -> None:
    other, agent = operator.brokerage(), operator.staff(tenant.id, "agent")
    server.lead(tenant)
    etag = server.by_key(tenant, "GET", "/api/leads?limit=1").etag

    def status(path: str, known: str = etag, key: str = tenant.key) -> int:
        headers = {"Authorization": f"Bearer {key}", "If-None-Match": known}
        return server.ask("GET", path, headers=headers).status

    assert status("/api/leads?limit=1") == status("/api/leads?limit=1", f'"x", W/{etag}') == 304
    assert status("/api/leads?limit=1", "*") == 304
    assert status("/api/leads?limit=0", "*") == status("/api/leads?limit=0") == 400
    for path in ("/api/leads?limit=2", "/api/leads", "/api/tasks?limit=1", "/api/leads/count"):
        assert status(path) == 200
    assert status("/api/leads?limit=1", key=other.key) == status("/api/leads?limit=1", key=agent.token) == 200
    assert status("/api/leads?limit=1", key="aur_nobody") == 401
    server.lead(tenant)
    assert status("/api/leads?limit=1") == 200
