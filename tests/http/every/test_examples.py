"""The examples of the OpenAPI document are what the server answers. With AUREUM_RECORD_EXAMPLES=1 they are recorded."""

import json
import os
from collections.abc import Iterator
from typing import Any, cast

import pytest

from aureum.http.api.webhooks.messages import MESSAGES
from aureum.http.contract.endpoint import Endpoint
from aureum.http.openapi.document import name
from aureum.http.openapi.examples import FILE, examples
from aureum.http.server.routes import ENDPOINTS, described
from aureum.http.wire.error_codes import Code
from tests.http import sending
from tests.http.every.declared import declared, every
from tests.http.every.recorded import example_of, unlike
from tests.http.every.refusals import REFUSALS, Scene, scene_of
from tests.http.every.sample import Sample
from tests.http.serving import Answer

RECORD = bool(os.environ.get("AUREUM_RECORD_EXAMPLES"))
COMMAND = "Record it: AUREUM_RECORD_EXAMPLES=1 .venv/bin/python -m pytest -q tests/http/every/test_examples.py"

NEW: dict[str, dict[str, Any]] = {"answers": {}, "refusals": {}, "messages": {}}
"""What is recorded now."""

TESTS_AS_DELIVERIES = {("post_test", "200"): ("get_delivery", "200")}
"""The worker makes the answer of a test that was sent; it is a delivery, as it is read later."""


@pytest.fixture(scope="module", autouse=True)
def recording() -> Iterator[None]:
    """Afterwards the file is written, if that was asked for, in the order of the document."""
    yield
    if not RECORD:
        return
    for (operation, status), (other, its) in TESTS_AS_DELIVERIES.items():
        NEW["answers"][operation][status] = NEW["answers"][other][its]
    order = [name(endpoint) for endpoint in ENDPOINTS]
    NEW["answers"] = {one: dict(sorted(NEW["answers"][one].items())) for one in order if one in NEW["answers"]}
    NEW["messages"] = {event: NEW["messages"][event] for event in MESSAGES}
    FILE.write_text(json.dumps(NEW, indent=1, ensure_ascii=False) + "\n")


@pytest.fixture(scope="module")
def scene(sample: Sample, server_url: str, template: str, served_url: str) -> Iterator[Scene]:
    with scene_of(sample, server_url, template, served_url) as made:
        yield made


def compare(recorded: Any, answer: Any, what: str) -> None:
    """Raises AssertionError with the command that records it again."""
    assert recorded is not None, f"There is no example of {what}. {COMMAND}"
    assert unlike(recorded, answer) == [], f"The example of {what} is not what is answered now. {COMMAND}"


@every(lambda endpoint: endpoint.documented and endpoint.status != 204)
def test_a_success(sample: Sample, endpoint: Endpoint) -> None:
    answer = sample.succeed(endpoint)

    operation, status, shown = name(endpoint), str(answer.status), example_of(answer)
    NEW["answers"].setdefault(operation, {})[status] = shown
    if not RECORD:
        compare(examples().answers.get(operation, {}).get(status), shown, f"{endpoint.method} {endpoint.path}")


@pytest.mark.parametrize(("response", "code"), REFUSALS)
def test_a_refusal(scene: Scene, response: str, code: str) -> None:
    answer: Answer = REFUSALS[response, code](scene)

    assert (str(answer.status), answer.code) == (response.partition("_")[2], code), answer.body
    shown = example_of(answer)
    NEW["refusals"].setdefault(response, {})[code] = shown
    if not RECORD:
        compare(examples().refusals.get(response, {}).get(cast(Code, code)), shown, f"{response} {code}")


def test_messages(sample: Sample) -> None:
    for kind, change in CHANGES.items():
        path = f"/api/{kind}"
        post = declared("POST", path)
        assert post is not None
        made = sample.succeed(post).json
        if kind == "tasks":
            changed = sample.server.by_key(sample.tenant, "POST", f"{path}/{made['id']}/complete")
        else:
            changed = sample.server.by_key(sample.tenant, "PATCH", f"{path}/{made['id']}", change)
        assert changed.status == 200, changed.body
    sending.every_end(sample.server, sample.operator, sample.tenant)

    for event in MESSAGES:
        answer = sample.server.by_key(sample.tenant, "GET", f"/api/events?limit=500&events={event}")
        (shown,) = example_of(answer)
        assert shown["event"] == event
        NEW["messages"][event] = shown
        if not RECORD:
            compare(examples().messages.get(event), shown, event)


CHANGES = {
    "leads": {"status": "contacted"},
    "contacts": {"score": 90},
    "properties": {"status": "PENDING"},
    "showings": {"status": "confirmed"},
    "tasks": None,
}


@pytest.mark.skipif(RECORD, reason="the document has read the examples before they were recorded")
def test_every_answer_of_the_document_has_an_example() -> None:
    document = described()
    for response, about in document["components"]["responses"].items():
        (content,) = about["content"].values()
        assert content.get("examples"), f"No example of {response}: add one to REFUSALS in refusals.py. {COMMAND}"
    for methods in document["paths"].values():
        for operation in methods.values():
            for status, about in operation["responses"].items():
                content = next(iter(about.get("content", {}).values()), None)
                if content is not None:
                    assert "example" in content or "examples" in content, (operation["operationId"], status, COMMAND)
    for event in document["webhooks"].values():
        assert "example" in event["post"]["requestBody"]["content"]["application/json"], COMMAND
