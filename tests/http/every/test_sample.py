"""Every endpoint has a way to be asked that succeeds, and answers what it declares."""

from pydantic import TypeAdapter

from aureum.http.contract.endpoint import Endpoint
from tests.http.every.declared import every
from tests.http.every.sample import Sample


@every()
def test_it_succeeds_as_it_is_declared(sample: Sample, endpoint: Endpoint) -> None:
    answer = sample.succeed(endpoint)

    assert answer.headers["x-request-id"]
    if answer.status != 204:
        assert answer.headers["content-type"].startswith(endpoint.media)
    if endpoint.answers is not None and endpoint.media == "application/json":
        TypeAdapter(endpoint.answers).validate_json(answer.body, strict=True)
        assert not isinstance(answer.json, list) or answer.json, "a list of something"
