"""Properties over HTTP: exact prices, ids of an MLS, statuses in two vocabularies, filters."""

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.domain.property import STANDARD_STATUS, STATUSES
from tests.examples import examples
from tests.http.api.properties.test_slugs import VILLA, entered
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server


def listed(server: Server, tenant: Tenant, query: str = "") -> list[str]:
    """The ids of a list."""
    return server.by_key(tenant, "GET", f"/api/properties{query}").ids


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("450000.1", "450000.1"),
        ("450000.10", "450000.1"),
        ("0.1", "0.1"),
        ("0.01", "0.01"),
        ("9999999999999.99", "9999999999999.99"),
        ("4500000.00", "4500000"),
        ("4500000", "4500000"),
        ("4.5e6", "4500000"),
        ("0", "0"),
        ("0.0", "0"),
        ("-0.0", "0"),
        ("0.30000000000000004", "0.3"),
    ],
)
def test_a_price_is_exact(server: Server, tenant: Tenant, sent: str, shown: str) -> None:
    body = json.dumps(VILLA | {"price": "-here-"}).replace('"-here-"', sent).encode()

    made = server.by_key(tenant, "POST", "/api/properties", body)

    assert made.status == 201, made.body
    written = f'"price":{shown},'.encode()
    path = f"/api/properties/{made.json['id']}"
    for answer in (made, *(server.by_key(tenant, "GET", at) for at in (path, f"{path}?asOf=9999-01-01", path[:15]))):
        assert written in answer.body, answer.body


@given(cents=st.integers(0, 10**15 - 1))
@settings(max_examples=examples(40), deadline=None, derandomize=True)
def test_any_price_comes_back_to_the_cent(server: Server, operator: Operator, cents: int) -> None:
    text = f"{cents // 100}.{cents % 100:02}"
    body = json.dumps(VILLA | {"price": "-here-"}).replace('"-here-"', text).encode()

    made = server.by_key(operator.shared, "POST", "/api/properties", body)

    assert f'"price":{text.rstrip("0").rstrip(".")},'.encode() in made.body


@pytest.mark.parametrize("price", ["-0.01", "0.001", "10000000000000", "1e400", "9" * 400, '"450000"', "true", "[1]"])
def test_a_price_that_is_none_is_refused(server: Server, operator: Operator, tenant: Tenant, price: str) -> None:
    before = operator.head(tenant)
    body = json.dumps(VILLA | {"price": "-here-"}).replace('"-here-"', price).encode()

    answer = server.by_key(tenant, "POST", "/api/properties", body)

    assert answer.status == 400
    assert answer.error.startswith(("price must ", "The request body is not valid JSON"))
    assert operator.head(tenant) == before


def test_any_status_may_follow_any_other(server: Server, tenant: Tenant) -> None:
    for first, second in permutations(STATUSES, 2):
        made = entered(server, tenant, status=first).json
        assert (made["status"], made["standardStatus"]) == (first, STANDARD_STATUS[first])
        path = f"/api/properties/{made['id']}"
        changed = server.by_key(tenant, "PATCH", path, {"status": second}).json
        assert (changed["status"], changed["standardStatus"]) == (second, STANDARD_STATUS[second])
        assert server.by_key(tenant, "GET", path).json == changed


def test_the_standard_status_is_not_to_be_set(server: Server, tenant: Tenant) -> None:
    made = entered(server, tenant, standardStatus="Closed").json

    assert (made["status"], made["standardStatus"]) == ("ACTIVE", "Active")


def test_each_status_is_a_filter(server: Server, tenant: Tenant) -> None:
    made = {status: entered(server, tenant, status=status).json["id"] for status in STATUSES}

    for status, one in made.items():
        assert (
            listed(server, tenant, f"?status={status}") == listed(server, tenant, f"?status={status}&limit=5") == [one]
        )
    server.by_key(tenant, "PATCH", f"/api/properties/{made['ACTIVE']}", {"status": "SOLD"})
    assert listed(server, tenant, "?status=ACTIVE") == []
    assert listed(server, tenant, "?status=SOLD") == [made["SOLD"], made["ACTIVE"]]
    assert len(listed(server, tenant, "?status=")) == len(STATUSES), "an empty one filters nothing"
    for wrong in ("active", "%20", "Closed", "%00"):
        answer = server.by_key(tenant, "GET", f"/api/properties?status={wrong}")
        assert answer.status == 400
        assert answer.error.startswith("status must be one of: ACTIVE, PENDING, SOLD, COMING_SOON")


def test_featured_is_a_filter(server: Server, tenant: Tenant) -> None:
    plain = entered(server, tenant).json["id"]
    featured = entered(server, tenant, isFeatured=True, status="SOLD").json["id"]

    assert listed(server, tenant, "?featured=true") == [featured]
    assert listed(server, tenant, "?featured=false") == [plain]
    assert listed(server, tenant, "?featured=true&status=ACTIVE") == []
    server.by_key(tenant, "PATCH", f"/api/properties/{plain}", {"isFeatured": True})
    assert listed(server, tenant, "?featured=true&limit=5") == [featured, plain]
    assert listed(server, tenant, "?featured=&status=") == [featured, plain]
    for wrong in ("1", "True", "%20", "yes"):
        answer = server.by_key(tenant, "GET", f"/api/properties?featured={wrong}")
        assert (answer.status, answer.error.partition(";")[0].rstrip(".")) == (
            400,
            "featured must be one of: true, false",
        )


def test_an_mls_id_keeps_its_zeros(server: Server, tenant: Tenant) -> None:
    made = entered(server, tenant, mls="IMLS", mlsId="00123").json

    assert made["mlsId"] == "00123"
    assert entered(server, tenant, mls="IMLS", mlsId="123").status == 201
    number = entered(server, tenant, mls="IMLS", mlsId=124)
    assert (number.status, number.error) == (400, "mlsId must be a string.")


@pytest.mark.parametrize("blank", ["", "  ", "\u200b"])
def test_a_blank_mls_id_is_none(server: Server, tenant: Tenant, blank: str) -> None:
    made = [entered(server, tenant, mlsId=blank) for _ in range(2)]
    assert [(answer.status, answer.json["mlsId"]) for answer in made] == [(201, None)] * 2

    path = f"/api/properties/{entered(server, tenant, mlsId='007').json['id']}"
    assert server.by_key(tenant, "PATCH", path, {"mlsId": blank}).json["mlsId"] is None


def test_an_mls_id_is_unique_in_the_brokerage_and_its_mls(server: Server, operator: Operator, tenant: Tenant) -> None:
    first = entered(server, tenant, mls="IMLS", mlsId="007").json
    assert entered(server, operator.brokerage(), mls="IMLS", mlsId="007").status == 201
    other = entered(server, tenant, mls="CRMLS", mlsId="007").json
    without = entered(server, tenant, mlsId="007").json
    before = operator.head(tenant)

    for mls in ("IMLS", None):
        again = entered(server, tenant, mls=mls, mlsId="007")
        assert again.status == 409 and "mlsId" in again.error
    for one, change in ((other, {"mls": "IMLS"}), (without, {"mls": "CRMLS"}), (other, {"mls": None})):
        answer = server.by_key(tenant, "PATCH", f"/api/properties/{one['id']}", change)
        assert answer.status == 409 and "mlsId" in answer.error
    assert operator.head(tenant) == before

    # Whatever an id is taken from, another may have.
    server.by_key(tenant, "PATCH", f"/api/properties/{first['id']}", {"mlsId": None})
    assert entered(server, tenant, mls="IMLS", mlsId="007").status == 201
    assert [entered(server, tenant, mls="IMLS").status for _ in range(2)] == [201, 201]


def test_one_mls_id_at_the_same_moment(server: Server, proxied: Server, operator: Operator, tenant: Tenant) -> None:
    before = operator.head(tenant)

    with ThreadPoolExecutor(10) as clients:
        answers = list(
            clients.map(lambda n: entered((server, proxied)[n % 2], tenant, title=f"House {n}", mlsId="7"), range(10))
        )

    assert sorted(answer.status for answer in answers) == [201, *[409] * 9]
    assert operator.head(tenant) == before + 1


def test_what_holds_already_is_no_change(server: Server, operator: Operator, tenant: Tenant) -> None:
    made = entered(server, tenant, price=450000.1, isFeatured=True).json
    before = operator.head(tenant)

    same = {name: made[name] for name in ("title", "price", "status", "isFeatured", "zip")}
    answer = server.by_key(tenant, "PATCH", f"/api/properties/{made['id']}", same)

    assert (answer.status, answer.json, operator.head(tenant)) == (200, made, before)


def test_null_empties_what_may_be_empty(server: Server, tenant: Tenant) -> None:
    made = entered(server, tenant, price=1, zip="90210", mls="IMLS", mlsId="1", propertyType="LAND").json
    path = f"/api/properties/{made['id']}"

    emptied = server.by_key(tenant, "PATCH", path, dict.fromkeys(("price", "zip", "mls", "mlsId", "propertyType")))

    assert {emptied.json[name] for name in ("price", "zip", "mls", "mlsId", "propertyType")} == {None}
    for name in ("title", "address", "city", "state", "status", "isFeatured"):
        answer = server.by_key(tenant, "PATCH", path, {name: None})
        assert (answer.status, answer.error) == (400, f"{name} must not be null. Leave it out to keep its value.")


def test_words_find_properties(server: Server, tenant: Tenant) -> None:
    palm, elm = (
        entered(server, tenant, title=title, address=address, mlsId=mls_id).json["id"]
        for title, address, mls_id in (("Modern Villa", "123 Palm Dr", "2024-001"), ("Cottage", "7 Elm St", None))
    )
    for search, found in {
        "villa": [palm],
        "PALM modern": [palm],
        "palmm": [palm],
        "2024-001": [palm],
        "123": [palm],
        "elm": [elm],
        "elm villa": [],
        "": [elm, palm],
    }.items():
        assert listed(server, tenant, f"?search={quote(search)}") == found, search
    server.by_key(tenant, "PATCH", f"/api/properties/{elm}", {"title": "Villa Elm"})
    assert listed(server, tenant, "?search=villa&status=ACTIVE") == [elm, palm]
    assert listed(server, tenant, "?search=cottage") == [] == listed(server, tenant, "?search=villa&status=SOLD")
