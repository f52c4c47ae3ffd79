"""Every list of the log says what has changed in it since a client read it, to that client and for that list only."""

from typing import Any

from aureum.http.contract.endpoint import Endpoint
from tests.http.every.call import Call
from tests.http.every.declared import declared, every, query_fields, refusal
from tests.http.every.sample import Sample
from tests.http.links import delta, links, next_page
from tests.http.serving import Answer

DELTAS = every(
    lambda endpoint: "changedAfter" in query_fields(endpoint) and declared("PATCH", f"{endpoint.path}/{{id}}")
)
"""Of resources that can be changed there; users are in tests/http/api/staff/test_users.py."""

SIZE = {"aureum": "limit", "leads": "page_size"}


def items(answer: Answer) -> list[Any]:
    """What stands in the list, or on the page."""
    found: list[Any] = answer.json["items"] if isinstance(answer.json, dict) else answer.json
    return found


def size_of(endpoint: Endpoint) -> str:
    """How a page's length is called."""
    return "page_size" if "page_size" in query_fields(endpoint) else "limit"


def change(sample: Sample, endpoint: Endpoint, resource: str) -> Any:
    """Change one; it, as it is afterwards."""
    patch = declared("PATCH", f"{endpoint.path}/{{id}}")
    assert patch is not None
    call = sample.call(patch)
    return sample.succeed(patch, call.but(path=f"{endpoint.path}/{resource}")).json


def runs_to_its_end(sample: Sample, endpoint: Endpoint, page: Call) -> list[list[Any]]:
    """The pages that follow one another, all of which lead on to the same next run."""
    found, tokens = [], set()
    for _ in range(50):
        answer = sample.succeed(endpoint, page)
        found.append(items(answer))
        tokens.add(delta(answer).partition("changedAfter=")[2])
        following = next_page(answer)
        if following is None:
            assert len(tokens) == 1
            return found
        page = page.but(path=following, query={})
    raise AssertionError("the pages do not end")


@DELTAS
def test_what_changed_comes_once_the_oldest_change_first(sample: Sample, endpoint: Endpoint) -> None:
    first, second, untouched = (sample.make(endpoint.path) for _ in range(3))
    call = sample.call(endpoint)
    whole = sample.succeed(endpoint, call.but(query={} if size_of(endpoint) == "limit" else {"page_size": "100"}))
    after = delta(whole)
    assert after.startswith(f"{endpoint.path}?")

    assert items(sample.succeed(endpoint, call.but(path=after))) == []
    changed = [change(sample, endpoint, second), change(sample, endpoint, first)]
    sample.make("/api/leads" if endpoint.path != "/api/leads" else "/api/tasks")
    new = sample.make(endpoint.path)

    told = items(sample.succeed(endpoint, call.but(path=after)))
    # With a lead there comes its first row, which is of another list.
    told = [one for one in told if str(one["id"]) in (first, second, untouched, new)]
    assert [str(one["id"]) for one in told] == [second, first, new]
    # How it was routed stands where one is read, and not in every list.
    assert [one | {"routing": None} for one in told[:2]] == [one | {"routing": None} for one in changed]


@DELTAS
def test_pages_of_what_changed_together_are_the_run(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint)
    after = delta(sample.succeed(endpoint, call.but(query={size_of(endpoint): "1"})))
    made = [sample.make(endpoint.path) for _ in range(5)]
    change(sample, endpoint, made[0])

    for size in (1, 2, 5, 50):
        page = call.but(path=after.replace(f"{size_of(endpoint)}=1", f"{size_of(endpoint)}={size}"))
        pages = runs_to_its_end(sample, endpoint, page)
        assert [str(one["id"]) for page in pages for one in page] == [*made[1:], made[0]]
        assert all(len(page) <= size for page in pages)


@DELTAS
def test_what_changes_while_a_run_is_read_is_in_the_next(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint)
    after = delta(sample.succeed(endpoint, call.but(query={size_of(endpoint): "1"})))
    made = [sample.make(endpoint.path) for _ in range(3)]

    first = sample.succeed(endpoint, call.but(path=after))
    assert [str(one["id"]) for one in items(first)] == made[:1]
    change(sample, endpoint, made[1])
    late = sample.make(endpoint.path)
    following = next_page(first)
    assert following
    rest = [one for page in runs_to_its_end(sample, endpoint, call.but(path=following)) for one in page]
    assert [str(one["id"]) for one in rest] == made[1:]

    again = [one for page in runs_to_its_end(sample, endpoint, call.but(path=delta(first))) for one in page]
    assert [str(one["id"]) for one in again] == [made[1], late]


@DELTAS
def test_head_and_304_know_it_too(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint)
    after = call.but(path=delta(sample.succeed(endpoint, call)))
    sample.make(endpoint.path)

    got = sample.succeed(endpoint, after)
    head = after.but(method="HEAD").send(sample.server)
    assert (head.status, head.body, head.etag, links(head)) == (200, b"", got.etag, links(got))
    known = after.but(headers={"If-None-Match": got.etag})
    assert [(one.status, one.body) for one in (known.send(sample.server) for _ in range(3))] == [(304, b"")] * 3
    sample.make(endpoint.path)
    assert len(items(sample.succeed(endpoint, known))) == len(items(got)) + 1


@DELTAS
def test_tokens_and_cursors_of_another_list_or_of_other_filters_are_refused(sample: Sample, endpoint: Endpoint) -> None:
    for _ in range(2):
        sample.make(endpoint.path)
    call = sample.call(endpoint)
    size = size_of(endpoint)
    whole = sample.succeed(endpoint, call.but(query={size: "1"}))
    token = delta(whole).partition("changedAfter=")[2]
    for _ in range(2):
        sample.make(endpoint.path)
    page = sample.succeed(endpoint, call.but(path=delta(whole)))
    following = next_page(page)
    assert following
    cursor = following.partition("cursor=")[2].partition("&")[0]

    wrong = [
        {"changedAfter": token, "status": filters_of(endpoint)},
        {"changedAfter": token, "status": filters_of(endpoint), "cursor": cursor},
        {"changedAfter": token[:-2] + ("AA" if token[-2:] != "AA" else "BA")},
        {"changedAfter": "1"},
        {"changedAfter": cursor},
        {"changedAfter": token, "cursor": token},
        {"cursor": cursor},
    ]
    for query in wrong:
        name = "type" if endpoint.path == "/api/contacts" else "status"
        query = {name if one == "status" else one: value for one, value in query.items()}
        answer = call.but(query={size: "1", **query}).send(sample.server)
        assert answer.status == (400 if endpoint.dialect == "aureum" else 422), (query, answer)
        assert refusal(endpoint, answer)
    for other in others(endpoint):
        path = f"{other.path}?changedAfter={token}"
        assert sample.call(other).but(path=path).send(sample.server).status in (400, 422)


def filters_of(endpoint: Endpoint) -> str:
    """A word that a filter of the list takes."""
    return {
        "/api/properties": "ACTIVE",
        "/api/contacts": "BUYER",
        "/api/tasks": "pending",
        "/api/showings": "pending",
        "/api/tours": "pending",
    }.get(endpoint.path, "new")


def others(endpoint: Endpoint) -> list[Endpoint]:
    """The other lists of the log."""
    found = [declared("GET", path) for path in ("/api/leads", "/api/contacts", "/api/tasks", "/api/tours")]
    return [one for one in found if one is not None and one.path != endpoint.path]
