"""Webhooks in the panel: made, their secret shown once, changed, disabled and enabled, rotated, replayed, removed."""

import re

import pytest

from aureum.http.panel.page import STALE
from aureum.registry import ALL_EVENTS as EVENTS
from tests.http.api.webhooks.hooks import SECRET, aggregate, made
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, led_to, page
from tests.http.panel.reading import Reading, only_our_modules
from tests.http.serving import Server

LIST = "/admin/webhooks"
NEW = {"url": "https://example.com/hooks?a=1&b=2", "description": 'Marketing "& <more>"', "rateLimit": "5"}
CHOSEN = ["lead.*", "task.completed"]


def shown_secret(reading: Reading) -> str:
    """The secret on a page."""
    (secret,) = reading.said("code", class_="secret")
    assert SECRET.fullmatch(secret)
    return secret


def facts(reading: Reading) -> dict[str, str]:
    """The first list of a page."""
    return dict(zip(reading.said("dt"), reading.said("dd"), strict=True))


@pytest.fixture
def webhook(server: Server, tenant: Tenant) -> str:
    """The address of the page of one."""
    return f"{LIST}/{made(server, tenant, events=['lead.*'])['id']}"


def test_made_and_its_secret_shown_once(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    empty = owner.read(LIST)
    assert "There are no webhooks yet" in " ".join(empty.said("p"))
    form = empty.form(LIST)
    assert form["mode"] == "parallel" and form["rateLimit"] == form["url"] == form["description"] == ""
    assert [name for name, _ in form.fields].count("events") == 0

    answer = owner.send(LIST, form.filled(**NEW, mode="keyed", events=CHOSEN))

    reading = page(answer, 201)
    secret = shown_secret(reading)
    (webhook,) = server.by_key(tenant, "GET", "/api/webhooks").json
    typed = {"url": NEW["url"], "description": NEW["description"], "rateLimit": 5, "mode": "keyed", "events": CHOSEN}
    assert webhook | typed == webhook
    assert secret == aggregate(operator, tenant, webhook).secret
    assert f"{LIST}/{webhook['id']}" in reading.links
    # Never again, wherever one looks.
    for path in (
        LIST,
        f"{LIST}/{webhook['id']}",
        f"{LIST}/{webhook['id']}/deliveries",
        "/admin",
        "/admin/settings/api-keys",
    ):
        body = owner.get(path).body
        assert secret.encode() not in body and b"whsec_" not in body, path
    listed = owner.read(LIST)
    assert listed.said("td")[:4] == [NEW["url"], "enabled", "All lead events, Task completed", NEW["description"]]
    shown = owner.read(f"{LIST}/{webhook['id']}").form(f"{LIST}/{webhook['id']}")
    assert sorted(value for name, value in shown.fields if name == "events") == CHOSEN
    assert (shown["url"], shown["mode"], shown["rateLimit"]) == (NEW["url"], "keyed", "5")
    assert shown["description"] == NEW["description"]
    assert secret not in server.logged()


def test_the_same_form_again_makes_no_second_one(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant, owner: Reader
) -> None:
    form = owner.read(LIST).form(LIST).filled(**NEW, events=CHOSEN)
    secret = shown_secret(page(owner.send(LIST, form), 201))
    head = operator.head(tenant)

    again = Reader(proxied, owner.cookies).send(LIST, form)

    assert shown_secret(page(again, 201)) == secret
    assert operator.head(tenant) == head
    assert len(server.by_key(tenant, "GET", "/api/webhooks").json) == 1
    # The form as it was shown again, or with something else in it, means another one.
    other = owner.read(LIST).form(LIST).filled(**NEW, events=CHOSEN)
    assert shown_secret(page(owner.send(LIST, other), 201)) != secret
    mended = [(name, "https://example.com/2" if name == "url" else value) for name, value in form]
    assert shown_secret(page(owner.send(LIST, mended), 201)) != secret
    assert len(server.by_key(tenant, "GET", "/api/webhooks").json) == 3


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("url", "ftp://example.com/\"><script>alert('x')</script>", "url must begin with https:// or http://."),
        ("url", "http://localhost:8000/", "url must name a public host."),
        ("url", "", "url must"),
        ("rateLimit", "0", "rateLimit must be 1 or more"),
        ("rateLimit", "some", "rateLimit must be"),
        ("rateLimit", "007x", "rateLimit must be"),
        ("rateLimit", "١٢", "rateLimit must be"),
        ("rateLimit", "1" + "0" * 20, "rateLimit must be"),
        ("events", "", "events[0] must be one of: lead.created,"),
        ("mode", "random", "mode must be one of: parallel, keyed, fifo"),
        ("description", "<b>'\"&amp;" + "x" * 500, "description must have at most 500 characters"),
    ],
)
def test_what_cannot_be_stays_in_the_form(
    operator: Operator, tenant: Tenant, owner: Reader, webhook: str, field: str, value: str, says: str
) -> None:
    before = operator.head(tenant)
    for path in (LIST, webhook):
        form = owner.read(path).form(path)
        kept = NEW | {"mode": "fifo", "events": "task.*"} | {field: value}

        answer = owner.send(path, form.filled(**kept))

        reading = page(answer, 400)
        assert reading.problem.startswith(says), reading.problem
        assert only_our_modules(answer.body) and b"<b>'" not in answer.body
        again = reading.form(path)
        for name in set(kept) - {field} | ({field} - {"events", "mode"}):
            assert (name, kept[name]) in again.fields, name
        assert path == webhook or again["once"] != form["once"]
    assert operator.head(tenant) == before


def test_without_any_event(operator: Operator, tenant: Tenant, owner: Reader) -> None:
    before = operator.head(tenant)
    answer = owner.send(LIST, owner.read(LIST).form(LIST).filled(url=NEW["url"]))
    assert page(answer, 400).problem.startswith("events must have at least 1")
    assert operator.head(tenant) == before


def test_changed_unless_another_user_has(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    one = made(server, tenant, rateLimit=5, description="Marketing")
    path = f"{LIST}/{one['id']}"
    colleague = as_staff(server, operator.staff(tenant.id, "brokerage_owner"))
    mine, theirs = owner.read(path).form(path), colleague.read(path).form(path)

    done = owner.send(path, mine.filled(rateLimit="", description="", mode="fifo", events=["showing.*"]))

    assert led_to(done) == f"{path}?done=changed"
    assert owner.follow(done).said("p", role="status") == ["The webhook was saved."]
    now = server.by_key(tenant, "GET", f"/api/webhooks/{one['id']}").json
    changed = {"rateLimit": None, "description": None, "mode": "fifo", "events": ["showing.*"]}
    assert now | changed == now
    before = operator.head(tenant)

    late = page(colleague.send(path, theirs.filled(url="https://example.com/late")), 400)

    assert "changed" in late.problem and operator.head(tenant) == before
    again = late.form(path)
    assert again["url"] == "https://example.com/late" and again["etag"] != theirs["etag"]
    # The user has read that, and decides.
    assert led_to(colleague.send(path, again.fields)) == f"{path}?done=changed"
    assert server.by_key(tenant, "GET", f"/api/webhooks/{one['id']}").json["url"] == "https://example.com/late"
    assert owner.follow(owner.send(path, owner.read(path).form(path).fields)).said("p", role="status")


def test_saved_twice_is_one_change_and_refused_it_is_still_of_what_was_seen(
    server: Server, operator: Operator, tenant: Tenant, owner: Reader, webhook: str
) -> None:
    mine = owner.read(webhook).form(webhook)
    before = operator.head(tenant)
    for _ in range(2):
        assert led_to(owner.send(webhook, mine.filled(description="Marketing"))) == f"{webhook}?done=changed"
    assert operator.head(tenant) == before + 1

    refused = page(owner.send(webhook, mine.filled(rateLimit="0")), 400).form(webhook)

    assert refused["etag"] == mine["etag"], "not yet of what has changed since"
    late = page(owner.send(webhook, refused.filled(rateLimit="9")), 400)
    assert late.problem == STALE and late.form(webhook)["etag"] != mine["etag"]
    assert operator.head(tenant) == before + 1


def test_disabled_and_enabled(server: Server, operator: Operator, tenant: Tenant, owner: Reader, webhook: str) -> None:
    on = owner.read(webhook)
    assert facts(on)["Status"] == "enabled" and not [form for form in on.forms if form.action == f"{webhook}/enable"]

    off = owner.follow(owner.send(f"{webhook}/disable", on.form(f"{webhook}/disable").fields))

    assert off.said("p", role="status") == ["The webhook is disabled. Events are kept for it from now on."]
    assert facts(off)["Status"] == "disabled" and "a user disabled it" in facts(off)["Disabled"]
    assert {form.action for form in off.forms}.isdisjoint({f"{webhook}/disable", f"{webhook}/test"})
    head = operator.head(tenant)
    assert led_to(owner.send(f"{webhook}/disable")) == f"{webhook}?done=disabled"
    refused = page(owner.send(f"{webhook}/test", {"event": "lead.created"}), 400)
    assert "Enable it" in refused.problem and operator.head(tenant) == head

    on = owner.follow(owner.send(f"{webhook}/enable", off.form(f"{webhook}/enable").fields))

    assert on.said("p", role="status") == ["The webhook is enabled, and receives what it missed."]
    assert facts(on)["Status"] == "enabled"
    assert len(on.said("progress")) == 1, "the replay of what it has missed"
    head = operator.head(tenant)
    assert led_to(owner.send(f"{webhook}/enable")) == f"{webhook}?done=enabled"
    assert operator.head(tenant) == head


def test_what_was_done_is_said_in_the_panels_own_words_only(owner: Reader, webhook: str) -> None:
    for done in ("", "removed", "<b>paid</b>", "changed2"):
        assert owner.read(f"{webhook}?done={done}").said("p", role="status") == []


def test_rotated(operator: Operator, tenant: Tenant, owner: Reader, server: Server) -> None:
    one = made(server, tenant)
    webhook = f"{LIST}/{one['id']}"
    form = owner.read(webhook).form(f"{webhook}/rotate-secret")
    assert form["overlap_hours"] == "24"

    reading = page(owner.send(form.action, form.fields), 200)

    secret = shown_secret(reading)
    assert secret != one["secret"] and secret == aggregate(operator, tenant, one).secret
    assert "the previous secret is also valid" in " ".join(reading.said("p"))
    head = operator.head(tenant)
    assert shown_secret(page(owner.send(form.action, form.fields), 200)) == secret, "the same form again"
    shown = owner.get(webhook)
    assert b"whsec_" not in shown.body and "Old secret valid until" in facts(page(shown, 200))
    fresh = page(shown, 200).form(form.action)
    for hours, says in (("24", "overlap"), ("169", "overlap_hours"), ("-1", "overlap_hours"), ("x", "overlap_hours")):
        refused = page(owner.send(form.action, fresh.filled(overlap_hours=hours)), 400)
        assert says in refused.problem
    assert operator.head(tenant) == head
    at_once = page(owner.send(form.action, fresh.filled(overlap_hours="0")), 200)
    assert shown_secret(at_once) not in (secret, one["secret"])
    assert "the previous secret is also valid" not in " ".join(at_once.said("p"))


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ({"sequence": "2", "only": "all"}, {"since": 2, "only": "all"}),
        ({"sequence": "2", "since": "2001-01-01T00:00", "only": "failed"}, {"since": 2, "only": "failed"}),
        ({"sequence": "0"}, {"since": 1, "only": "missing"}),
        ({"since": "2001-01-01T00:00"}, {"since": 1, "only": "missing"}),
        ({"since": "2001-01-01T00:00:01", "until": "2001-01-01T00:00:02"}, {"until": 0}),
        ({"since": "2001-01-01T00:00", "until": "9999-12-31T23:59"}, {"since": 1}),
    ],
)
def test_replayed_from_a_sequence_or_a_time(
    server: Server,
    operator: Operator,
    tenant: Tenant,
    owner: Reader,
    webhook: str,
    typed: dict[str, str],
    asked: dict[str, object],
) -> None:
    server.lead(tenant)
    form = owner.read(webhook).form(f"{webhook}/replay")
    filled, head = form.filled(**typed), operator.head(tenant)

    answer = owner.send(form.action, filled)

    assert led_to(answer) == f"{webhook}?done=replaying"
    replay = replays(server, tenant, webhook)[0]
    assert replay | {"until": head} | asked == replay | {"until": replay["until"]}
    assert replay["events"] == []
    reading = owner.follow(answer)
    assert reading.said("p", role="status") == ["The replay was started."]
    sequences = f"{replay['only']}, sequences {replay['since']} to {replay['until']}"
    assert sequences in reading.said("td") and "running" in reading.said("td")
    # Twice the same form is one replay.
    after = operator.head(tenant)
    assert led_to(owner.send(form.action, filled)) == f"{webhook}?done=replaying"
    assert operator.head(tenant) == after and len(replays(server, tenant, webhook)) == 1


def replays(server: Server, tenant: Tenant, webhook: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = server.by_key(
        tenant, "GET", f"/api/webhooks/{webhook.removeprefix(LIST + '/')}/replays"
    ).json
    return found


def test_replays_that_cannot_be(operator: Operator, tenant: Tenant, owner: Reader, webhook: str) -> None:
    form, before = owner.read(webhook).form(f"{webhook}/replay"), operator.head(tenant)
    for typed, field in (
        ({}, "since"),
        ({"since": "yesterday"}, "since"),
        ({"sequence": "-3"}, "since"),
        ({"sequence": "1", "until": "now"}, "until"),
        ({"sequence": "1", "only": "some"}, "only"),
    ):
        refused = page(owner.send(form.action, form.filled(**typed)), 400)
        assert refused.problem.startswith(field), refused.problem
    assert operator.head(tenant) == before


def test_a_replay_is_followed_and_cancelled(
    server: Server, operator: Operator, tenant: Tenant, owner: Reader, webhook: str
) -> None:
    assert owner.read(webhook).links.count(webhook) == 0
    running = owner.follow(owner.send(f"{webhook}/replay", {"sequence": "1", "only": "all"}))
    assert running.links.count(webhook) == 1, "to look again"
    assert b"http-equiv" not in owner.get(webhook).body, "what is being typed would be gone"
    (cancel,) = [form for form in running.forms if form.action.endswith("/cancel")]

    cancelled = owner.send(cancel.action, cancel.fields)

    assert led_to(cancelled) == f"{webhook}?done=cancelled"
    reading = owner.follow(cancelled)
    assert reading.said("p", role="status") == ["The replay was cancelled."] and "cancelled" in reading.said("td")
    assert not [form for form in reading.forms if form.action.endswith("/cancel")]
    assert reading.links.count(webhook) == 0
    head = operator.head(tenant)
    assert led_to(owner.send(cancel.action)) == f"{webhook}?done=cancelled"
    assert operator.head(tenant) == head


def test_removed_when_it_was_said_twice(
    server: Server, operator: Operator, tenant: Tenant, owner: Reader, webhook: str
) -> None:
    before = operator.head(tenant)
    form = owner.read(webhook).form(f"{webhook}/remove")
    assert form.fields == [] and form.names == {"sure": "checkbox"}
    for fields in (form.fields, [("sure", "no")], [("sure", "")]):
        refused = page(owner.send(form.action, fields), 400)
        assert refused.problem == "Tick the box to confirm that you want to remove the webhook."
    assert operator.head(tenant) == before

    gone = owner.send(form.action, form.filled(sure="yes"))

    assert led_to(gone) == LIST and server.by_key(tenant, "GET", "/api/webhooks").json == []
    head = operator.head(tenant)
    for answer in (owner.get(webhook), owner.send(form.action, {"sure": "yes"}), owner.send(f"{webhook}/enable")):
        assert "no such webhook" in " ".join(page(answer, 404).said("p")).lower()
    assert operator.head(tenant) == head


def test_every_event_can_be_chosen(owner: Reader) -> None:
    boxes = re.findall(r'name="events" value="([^"]+)"', owner.get(LIST).body.decode())
    assert len(boxes) == len(set(boxes)) and set(boxes) >= set(EVENTS)
    assert {box for box in boxes if box.endswith(".*")} == {f"{event.partition('.')[0]}.*" for event in EVENTS}


def test_on_a_plan_without_them_a_sentence_says_which(server: Server, operator: Operator) -> None:
    grow = operator.brokerage("Grow")
    owner = as_staff(server, operator.staff(grow.id, "brokerage_owner"))
    before = operator.head(grow)
    for answer in (owner.get(LIST), owner.send(LIST, NEW | {"events": "lead.*"})):
        assert "This requires the Elite plan" in " ".join(page(answer, 403).said("p"))
    assert operator.head(grow) == before
