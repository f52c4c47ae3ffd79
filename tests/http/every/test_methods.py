"""Every address: HEAD is a GET without its body, OPTIONS says what there is, the rest is 405, and what is not known is
not minded.
"""

import pytest

from aureum.http.contract.endpoint import Endpoint
from aureum.http.server.routes import ENDPOINTS
from tests.http.every.declared import every, of_events, refusal
from tests.http.every.sample import Sample

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
MOVING = ("date", "x-request-id", "x-ratelimit-remaining", "x-ratelimit-reset", "transfer-encoding")
"""Headers that differ from one answer to the next, and how the body is cut up."""

METHODS_AT = {path: {one.method for one in ENDPOINTS if one.path == path} for path in {one.path for one in ENDPOINTS}}

PATHS = pytest.mark.parametrize("path", list(METHODS_AT))


@every(lambda endpoint: endpoint.method == "GET")
def test_head_is_get_without_its_body(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint)
    got, head = call.send(sample.server), call.but(method="HEAD").send(sample.server)

    assert (head.status, head.body) == (got.status, b"")
    for headers in (got.headers, head.headers):
        for name in (*MOVING, *(() if of_events(endpoint) else ("content-length",))):
            headers.pop(name, None)
    assert head.headers == got.headers


@PATHS
def test_options_say_what_there_is_and_the_rest_is_refused(sample: Sample, path: str) -> None:
    there = METHODS_AT[path] | {"OPTIONS"} | ({"HEAD"} if "GET" in METHODS_AT[path] else set())
    endpoint = next(one for one in ENDPOINTS if one.path == path)
    call = sample.call(endpoint).but(body=None)
    before = sample.heads

    options = call.but(method="OPTIONS", headers={"X-Request-Id": "asked-by-me"}).send(sample.server)
    assert (options.status, options.body, options.headers["x-request-id"]) == (204, b"", "asked-by-me")
    assert set(options.headers["allow"].split(", ")) == there

    for method in set(METHODS) - there:
        answer = call.but(method=method).send(sample.server)
        assert (answer.status, answer.headers["allow"]) == (405, options.headers["allow"])
        assert method == "HEAD" or refusal(endpoint, answer)
        assert answer.headers["x-request-id"]
    assert sample.heads == before


@PATHS
def test_there_is_nothing_behind_a_slash(sample: Sample, path: str) -> None:
    endpoint = next(one for one in ENDPOINTS if one.path == path)
    call = sample.call(endpoint)

    answer = call.but(path=f"{call.path}/").send(sample.server)

    assert (answer.status, answer.error) == (404, "This path does not exist.")


@every()
def test_unknown_fields_are_ignored(sample: Sample, endpoint: Endpoint) -> None:
    # Lists of the Aureum API tell of a parameter that they do not have (tests/http/every/test_queries.py).
    unknown = "_unknown" if endpoint.lists and endpoint.dialect == "aureum" else "unknown"
    call = sample.call(endpoint).but(query={unknown: "1"}, headers={"X-Request-Id": "asked-by-me", "X-Unknown": "1"})
    if call.body is not None and not endpoint.uploads:
        call = call.but(body={"unknown": [1], "": None} | call.body)

    answer = call.send(sample.server)

    assert answer.status == endpoint.status, answer.body
    assert answer.headers["x-request-id"] == "asked-by-me"
