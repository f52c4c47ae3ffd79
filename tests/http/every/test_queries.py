"""Every list tells of a parameter that it does not have, and whether it can show the past."""

from aureum.http.contract.endpoint import Endpoint
from tests.http.every.declared import every, query_fields, refusal
from tests.http.every.sample import Sample

LISTS = every(lambda endpoint: endpoint.lists)
OF_AUREUM = every(lambda endpoint: endpoint.lists and endpoint.dialect == "aureum")
OF_LEADS = every(lambda endpoint: endpoint.lists and endpoint.dialect == "leads")


@OF_AUREUM
def test_an_unknown_parameter_is_named_and_so_are_those_there_are(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint)
    known = [name for name in query_fields(endpoint)]

    for name in {"email", "stauts", "x", "Limit", "updated_since", "asof", "q"} - {*known}:
        answer = call.but(query={name: "1"}).send(sample.server)
        assert answer.status == 400, name
        text = refusal(endpoint, answer)
        assert text.startswith(f"{name} is not a parameter of this list.")
        assert all(one in text for one in known) and (known or text.endswith("It takes none."))
    for name in ("x" * 33, "\0", "%", "é", "", "a b"):
        answer = call.but(query={name: "1"}).send(sample.server)
        assert answer.status == 400, name
        assert refusal(endpoint, answer).startswith("This is not a parameter of this list.")
    if "status" in known:
        assert "Did you mean status?" in refusal(endpoint, call.but(query={"stauts": "new"}).send(sample.server))
    if "updatedSince" in known:
        assert "Did you mean updatedSince?" in refusal(
            endpoint, call.but(query={"updated_since": ""}).send(sample.server)
        )


@OF_AUREUM
def test_what_begins_with_a_line_is_the_clients_own(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint)

    for query in ({"_": "1764400000"}, {"_cache": "x"}, {"__": ""}):
        assert sample.succeed(endpoint, call.but(query=query)).json == sample.succeed(endpoint, call).json


@OF_AUREUM
def test_a_parameter_that_stands_there_twice_is_refused(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint)

    for name in query_fields(endpoint):
        answer = call.but(path=f"{call.path}?{name}=1&{name}=1").send(sample.server)
        assert answer.status == 400, name
        assert name in refusal(endpoint, answer)
    # The client's own may.
    assert call.but(path=f"{call.path}?_=1&_=2").send(sample.server).status == 200


@OF_LEADS
def test_the_leads_api_ignores_what_it_does_not_know(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint)

    for query in ({"emial": "x"}, {"stauts": "new"}, {"_": "1"}):
        assert sample.succeed(endpoint, call.but(query=query)).json == sample.succeed(endpoint, call).json


PAST = {
    "/api/leads",
    "/api/leads/count",
    "/api/contacts",
    "/api/properties",
    "/api/tasks",
    "/api/showings",
    "/api/tours",
    "/api/users",
    "/api/v1/admin/leads",
    "/api/v1/admin/newsletter",
    "/api/v1/admin/users",
}
"""The lists and counts that can be requested as of a moment."""


@every(lambda endpoint: endpoint.method == "GET" and endpoint.path in PAST)
def test_lists_as_of_a_moment(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint)
    if endpoint.path == "/api/leads/count":
        call = call.but(headers=sample.tenant.bearer)
    now = sample.succeed(endpoint, call)

    late = sample.succeed(endpoint, call.but(query={"asOf": "9999-01-01T00:00:00Z"}))
    early = sample.succeed(endpoint, call.but(query={"asOf": "2001-01-01"}))
    assert late.body == now.body and now.json
    assert [one for one in (early.json if isinstance(early.json, list) else early.json.get("items", ()))] == []
    for tag in (late.etag, f'"other", W/{late.etag}'):
        again = call.but(query={"asOf": "9999-01-01T00:00:00Z"}, headers={"If-None-Match": tag}).send(sample.server)
        assert (again.status, again.body) == (304, b"")
    for moment in ("lately", "x", "2026-02-30"):
        bad = call.but(query={"asOf": moment}).send(sample.server)
        assert bad.status in (400, 422) and "asOf" in refusal(endpoint, bad)


@every(lambda endpoint: endpoint.lists and "asOf" not in query_fields(endpoint))
def test_other_lists_have_no_as_of(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint)
    etag = sample.succeed(endpoint, call).etag

    for query in (
        {"asOf": "2001-01-01"},
        {"asOf": "9999-01-01T00:00:00Z"},
        {"asOf": "lately"},
        {"asOf": "x", "_": "1"},
    ):
        for headers in ({}, {"If-None-Match": etag}):
            answer = call.but(query=query, headers=headers).send(sample.server)
            assert answer.status == 400
            assert refusal(endpoint, answer).startswith("asOf does not work for this list")
        assert call.but(method="HEAD", query=query).send(sample.server).status == 400


@every(lambda endpoint: endpoint.method == "GET" and not endpoint.lists and endpoint.answers and not endpoint.pages)
def test_one_resource_ignores_what_it_does_not_know(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint)

    assert call.but(query={"stauts": "1"}).send(sample.server).status == endpoint.status
