"""A webhook of our own that comes back changes nothing, at whatever address: or it would send the next, without end."""

from aureum.http.contract.endpoint import Endpoint
from tests.http.every.declared import every, refusal
from tests.http.every.sample import Sample

OURS = {"X-Aureum-Event": "lead.created"}


@every(lambda endpoint: endpoint.method != "GET")
def test_what_writes_refuses_our_own_webhooks_for_good(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint)
    before = sample.heads
    answer = call.but(headers=OURS).send(sample.server)
    assert answer.status == 410
    assert "X-Aureum-Event" in refusal(endpoint, answer)
    assert sample.heads == before
    assert call.send(sample.server).status == endpoint.status


@every(lambda endpoint: endpoint.method == "GET")
def test_what_reads_does_not_mind(sample: Sample, endpoint: Endpoint) -> None:
    assert sample.call(endpoint).but(headers=OURS).send(sample.server).status == endpoint.status
