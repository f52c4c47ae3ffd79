"""Every list: its pages together are the whole, whatever comes in meanwhile, and a page that cannot be is refused."""

from typing import Any

from aureum.http.contract.endpoint import Endpoint
from aureum.http.contract.lists import Paging
from aureum.http.server.routes import ENDPOINTS
from tests.http.every.call import Call
from tests.http.every.declared import every, query_fields, refusal
from tests.http.every.sample import Sample
from tests.http.links import next_page

LISTS = every(lambda endpoint: endpoint.query is not None and issubclass(endpoint.query, Paging))

BAD = [
    *(("limit", text) for text in ("0", "501", "-1", " ", "1.5", "9" * 5_000, "１", "1\0")),
    *(("cursor", text) for text in ("", "A" * 21, "\0" * 22, "A" * 22 + "==", "A" * 9_000)),
    ("updatedSince", "lately"),
]


def ids(items: Any) -> list[Any]:
    return [item["id"] for item in items]


def filled(sample: Sample, endpoint: Endpoint) -> Call:
    """A list of at least four."""
    for _ in range(3):
        sample.make(endpoint.path)
    return sample.call(endpoint)


@LISTS
def test_the_pages_together_are_the_whole(sample: Sample, endpoint: Endpoint) -> None:
    call = filled(sample, endpoint)
    whole = sample.succeed(endpoint, call)
    assert next_page(whole) is None
    assert len(whole.json) >= 4
    assert len(set(ids(whole.json))) == len(whole.json)

    for limit in (1, 3, len(whole.json)):
        items: list[Any] = []
        page = call.but(path=f"{call.path}?limit={limit}")
        for _ in whole.json:
            answer = sample.succeed(endpoint, page)
            assert 1 <= len(answer.json) <= limit
            items += answer.json
            following = next_page(answer)
            if following is None:
                break
            assert following.startswith(f"{call.path}?")
            page = call.but(path=following)
        assert items == whole.json


@LISTS
def test_inserting_meanwhile_neither_skips_nor_repeats(sample: Sample, endpoint: Endpoint) -> None:
    call = filled(sample, endpoint)
    whole = ids(sample.succeed(endpoint, call).json)

    items: list[Any] = []
    page = call.but(path=f"{call.path}?limit=2")
    for number in range(len(whole)):
        answer = sample.succeed(endpoint, page)
        items += ids(answer.json)
        if number < 2:
            sample.make(endpoint.path)
        following = next_page(answer)
        if following is None:
            break
        page = call.but(path=following)

    assert items == whole


@LISTS
def test_a_page_that_cannot_be_is_refused(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint)

    for name, text in BAD:
        answer = call.but(query={name: text}).send(sample.server)
        assert answer.status == (400 if endpoint.dialect == "aureum" else 422), (name, text[:30], answer)
        assert name in refusal(endpoint, answer)


@LISTS
def test_what_has_changed_since_a_moment(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint)
    whole = sample.succeed(endpoint, call).json

    assert sample.succeed(endpoint, call.but(query={"updatedSince": "2001-01-01"})).json == whole
    assert sample.succeed(endpoint, call.but(query={"updatedSince": "9999-01-01"})).json == []


def test_numbered_pages_together_are_the_whole(sample: Sample) -> None:
    for endpoint in ENDPOINTS:
        if "page_size" in query_fields(endpoint):
            numbered(sample, endpoint)


def numbered(sample: Sample, endpoint: Endpoint) -> None:
    call = filled(sample, endpoint)
    whole = sample.succeed(endpoint, call.but(query={"page_size": "100"})).json
    # Of brokerages there are as many as the tests before have opened.
    assert min(whole["total"], 100) == len(whole["items"]) >= 4

    pages = [sample.succeed(endpoint, call.but(query={"page_size": "3", "page": f"{page}"})).json for page in (1, 2, 3)]

    assert [item for page in pages for item in page["items"]] == whole["items"][:9]
    assert {page["total_pages"] for page in pages} == {-(-whole["total"] // 3)}
    for name, text in (("page", "0"), ("page", "x"), ("page", "-1"), ("page_size", "0"), ("page_size", "101")):
        answer = call.but(query={name: text}).send(sample.server)
        assert answer.status == 422 and name in refusal(endpoint, answer)
