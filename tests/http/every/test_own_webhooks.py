"""A webhook of our own that comes back changes nothing, at whatever address: or it would send the next, without end."""

from aureum.http.contract.endpoint import Endpoint
from tests.http.every.declared import every, refusal
from tests.http.every.world import World

OURS = {"X-Aureum-Event": "lead.created"}


@every(lambda endpoint: endpoint.method != "GET")
def test_what_writes_refuses_our_own_webhooks_for_good(world: World, endpoint: Endpoint) -> None:
    call = world.call(endpoint)
    before = world.heads
    answer = call.but(headers=OURS).send(world.server)
    assert answer.status == 410
    assert "X-Aureum-Event" in refusal(endpoint, answer)
    assert world.heads == before
    assert call.send(world.server).status == endpoint.status


@every(lambda endpoint: endpoint.method == "GET")
def test_what_reads_does_not_mind(world: World, endpoint: Endpoint) -> None:
    assert world.call(endpoint).but(headers=OURS).send(world.server).status == endpoint.status
