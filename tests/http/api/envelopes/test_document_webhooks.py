"""``document.*``: only those who name these events hear of them, and they hear ids, states and hashes alone."""

from tests.http.operator import Operator
from tests.http.sending import every_end
from tests.http.serving import Server

EVENTS = {"sent", "viewed", "signed", "completed", "declined", "voided", "expired"}


def test_only_ids_and_hashes_and_only_for_those_who_ask(server: Server, operator: Operator) -> None:
    tenant = operator.brokerage()
    ends = every_end(server, operator, tenant)

    whole = server.by_key(tenant, "GET", "/api/events?limit=500").json
    assert [one["event"] for one in whole if one["event"].startswith("document.")] == []
    told = server.by_key(tenant, "GET", "/api/events?limit=500&events=document.*")
    assert {one["event"].removeprefix("document.") for one in told.json} == EVENTS
    for text in (b"example.com", b"Person", b"Offer", b"/portal", b"203.0.113.9", b"Too dear"):
        assert text not in told.body
    for one in told.json:
        assert set(one["data"]) == {"id", "state", "contactId", "leadId", "recipientId", "documents"}
        assert all(set(document) == {"id", "sha256", "sealedSha256"} for document in one["data"]["documents"])
        acted = one["event"] in ("document.viewed", "document.signed", "document.declined")
        assert (one["data"]["recipientId"] is not None) == acted
    of_end = {end: [one for one in told.json if one["data"]["id"] == ends[end]][-1] for end in ends}
    assert {end: one["event"] for end, one in of_end.items()} == {end: f"document.{end}" for end in ends}
    assert of_end["completed"]["data"]["documents"][0]["sealedSha256"] == "cd" * 32
    grow = operator.brokerage("Grow")
    assert server.by_key(grow, "GET", "/api/events?events=document.*").status == 403
    hook = {"url": "https://example.com/hooks", "events": ["document.*", "document.signed"]}
    assert server.by_key(tenant, "POST", "/api/webhooks", hook).status == 201
