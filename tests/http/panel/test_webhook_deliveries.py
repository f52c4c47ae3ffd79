"""Deliveries in the panel: listed by status and event, page by page; one with its attempts, and made again."""

import pytest

from tests.http.api.webhooks.hooks import made
from tests.http.api.webhooks.test_deliveries import LAST_EVENT, Hook, furnish
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, led_to, page, refused
from tests.http.panel.reading import Reading, only_our_modules
from tests.http.serving import Server


@pytest.fixture
def hook(server: Server, operator: Operator, tenant: Tenant) -> Hook:
    return Hook(server, operator, tenant, made(server, tenant)["id"])


def listed(reading: Reading) -> list[tuple[str, str]]:
    """Sequence and status of each delivery in the table."""
    cells = reading.said("td")
    return list(zip(cells[1::7], cells[2::7], strict=True))


def test_listed_by_status_and_event(hook: Hook, owner: Reader) -> None:
    path = f"/admin/webhooks/{hook.id}/deliveries"
    assert "No deliveries match." in " ".join(owner.read(path).said("p"))
    furnish(hook)

    reading = owner.read(path)

    statuses = ["delivered", "pending", "failed", "delivered", "pending", "pending"]
    assert listed(reading) == list(zip("654321", statuses, strict=True))
    assert reading.said("td")[:7] == ["No longer stored", "6", "delivered", "1", "1 Jan 2026, 17:00:00 MST", "200", ""]
    error = "500 the endpoint had an error of its own"
    pending = ["Lead updated", "2", "pending", "1", "1 Jan 2026, 17:00:00 MST", error, "4 May 2026, 18:00:00 MDT"]
    assert reading.said("td")[28:35] == pending
    assert reading.said("td")[19] == "the host's name was not found", "where no answer came, why not"
    (form,) = [form for form in reading.forms if form.method == "get"]
    assert (form.action, form.fields) == (path, [("status", ""), ("event", "")])
    for query, sequences in (
        ("status=pending&event=", "521"),
        ("status=&event=lead.created", "51"),
        ("status=delivered&event=task.created", "3"),
        ("status=failed&event=lead.created", ""),
    ):
        chosen = owner.read(f"{path}?{query}")
        assert "".join(sequence for sequence, _ in listed(chosen)) == sequences
        (kept,) = [form for form in chosen.forms if form.method == "get"]
        assert "&".join(f"{name}={value}" for name, value in kept.fields) == query
    # Its own page shows the latest five, and the way to the rest.
    webhook = owner.read(f"/admin/webhooks/{hook.id}")
    assert [cell for cell in webhook.said("td")[1::7]][:5] == list("65432") and path in webhook.links
    for query in ("status=lost", "event=lead.lost", "cursor=x"):
        assert refused(owner.get(f"{path}?{query}"), 400).startswith(query.partition("=")[0])


def test_page_by_page(hook: Hook, owner: Reader) -> None:
    for position in range(1, 104):
        hook.told(position, "lead.created" if position % 2 else "task.created")
        hook.queued(position)
    address = f"/admin/webhooks/{hook.id}/deliveries?status=pending&event="
    seen: list[int] = []
    for length in (50, 50, 3):
        reading = owner.read(address)
        assert len(listed(reading)) == length
        seen += [int(sequence) for sequence, _ in listed(reading)]
        older = [link for link in reading.links if "cursor=" in link]
        address = older[0] if older else ""
        assert not older or "status=pending" in address
    assert address == "" and seen == list(range(103, 0, -1))
    odd = owner.read(f"/admin/webhooks/{hook.id}/deliveries?event=lead.created")
    (rest,) = [link for link in odd.links if "cursor=" in link]
    assert [int(sequence) for sequence, _ in listed(owner.read(rest))] == [3, 1]


def test_one_with_its_attempts(hook: Hook, owner: Reader) -> None:
    hook.told(3, body=b'{"data":"\xc3\xa4<script>alert(1)</script>"}')
    hook.tried(3, 1, "failed", "blocked_address", b"a secret of our network")
    hook.tried(3, 2, "failed", "http_5xx", b"</pre><script>alert(2)</script>\xff\x00")
    hook.tried(3, 3, "delivered", answer=b"thanks")

    answer = owner.get(f"/admin/webhooks/deliveries/{hook.id}_3")

    reading = page(answer, 200)
    assert only_our_modules(answer.body) and b"a secret" not in answer.body
    assert reading.said("h1") == ["Lead created"] and reading.said("h3")[0] == "3 Jan 2026, 17:00:00 MST"
    assert len(reading.said("h3")) == 3
    answers = ["thanks", "</pre><script>alert(2)</script>\\xff\\x00"]
    assert reading.said("pre") == [*answers, '{"data":"ä<script>alert(1)</script>"}']
    outcomes = [text for text in reading.said("dd") if text.startswith(("delivered", "failed"))]
    assert outcomes == [
        "delivered",
        "delivered",
        "failed: the endpoint had an error of its own",
        "failed: the host's address is not allowed",
    ]
    assert "none after 7 ms" in reading.said("dd") and "200 after 7 ms" in reading.said("dd")
    assert f"/admin/webhooks/{hook.id}/deliveries" in reading.links


def test_made_again(hook: Hook, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    hook.told(3)
    hook.tried(3, 1, "exhausted", "timeout")
    path = f"/admin/webhooks/deliveries/{hook.id}_3"
    form = owner.read(path).form(f"{path}/redeliver")
    before = operator.head(tenant)

    answer = owner.send(form.action, form.fields)

    assert led_to(answer) == path
    ((kind, position),) = operator.rows(LAST_EVENT, tenant=tenant.id)
    assert (kind, position) == ("webhook_redelivery.requested", before + 1)
    assert owner.send(form.action, form.fields).status == 303 and operator.head(tenant) == position, (
        "the same form twice"
    )
    assert owner.send(form.action, owner.read(path).form(form.action).fields).status == 303
    hook.ask("PATCH", hook.id, {"disabled": True})
    head = operator.head(tenant)
    assert "Enable it" in refused(owner.send(form.action, {"once": "another"}), 409)
    assert operator.head(tenant) == head


def test_one_of_which_little_is_known(hook: Hook, owner: Reader) -> None:
    hook.told(1)
    hook.queued(1)
    hook.tried(2, 1, "delivered")
    waiting = owner.read(f"/admin/webhooks/deliveries/{hook.id}_1")
    assert "No attempts yet." in waiting.said("p") and waiting.said("span", class_="badge") == ["pending"]
    pruned = owner.read(f"/admin/webhooks/deliveries/{hook.id}_2")
    assert pruned.said("h1") == ["Delivery"] and "The message is no longer stored" in " ".join(pruned.said("p"))
    for suffix in ("", "_", "_3", "_0", "_02", "_" + "9" * 30, "_%31"):
        answer = owner.get(f"/admin/webhooks/deliveries/{hook.id}{suffix}")
        assert answer.status == (200 if suffix == "_%31" else 404)
        assert suffix == "_%31" or refused(answer, 404) == "There is no such delivery."
