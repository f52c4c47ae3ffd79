"""Every answer that is made of events: its ETag, 304, 412, and how it was at another time."""

from aureum.http.contract.endpoint import Endpoint
from tests.http.every.declared import collection, declared, every, of_events, query_fields, refusal
from tests.http.every.world import World

OF_WORKERS = ("/api/webhooks/deliveries", "/api/webhooks/replays", "/api/v1/admin/routing/rehearsals")
"""What begins like these shows what workers did, which is no event: how it was, nobody knows."""

OF_THE_MOMENT = ("date", "x-request-id", "x-ratelimit-remaining", "x-ratelimit-reset")
"""Headers that differ from one answer to the next."""

BEFORE, AFTER = "2001-01-01", "9999-01-01"

READS = every(lambda endpoint: endpoint.method == "GET" and of_events(endpoint))
PATCHES = every(lambda endpoint: endpoint.method == "PATCH")


@READS
def test_what_is_known_already_is_not_sent_again(world: World, endpoint: Endpoint) -> None:
    call = world.call(endpoint)
    got = world.succeed(endpoint, call)
    tag = got.etag

    for known in (tag, f"W/{tag}", f'"other", W/"more" , {tag}', "*"):
        for method in ("GET", "HEAD"):
            answer = call.but(method=method, headers={"If-None-Match": known}).send(world.server)
            assert (answer.status, answer.body, answer.etag) == (304, b"", tag)
    for other in ('"other"', tag.strip('"'), tag[:-1], "", tag.replace('"', "'"), "\xff"):
        answer = call.but(headers={"If-None-Match": other}).send(world.server)
        assert (answer.status, answer.body, answer.etag) == (endpoint.status, got.body, tag)


@READS
def test_a_client_that_asks_again_gets_the_same_answer_until_it_changes(world: World, endpoint: Endpoint) -> None:
    """Also where the second time is answered another way than the first (aureum/http/server/revalidation.py)."""
    call = world.call(endpoint)
    known = call.but(headers={"If-None-Match": world.succeed(endpoint, call).etag})

    answers = [known.send(world.server) for _ in range(4)]

    assert {(answer.status, answer.body) for answer in answers} == {(304, b"")}
    assert len({answer.headers["x-request-id"] for answer in answers}) == 4
    same = [{name: value for name, value in answer.headers.items() if name not in OF_THE_MOMENT} for answer in answers]
    assert all(headers == same[0] for headers in same)
    assert all(answer.headers.keys() == answers[0].headers.keys() for answer in answers)
    if endpoint.etag_from_position:
        world.make("/api/leads")
        again = known.send(world.server)
        assert (again.status, again.etag == known.headers["If-None-Match"]) == (endpoint.status, False)


@READS
def test_a_change_changes_the_etag(world: World, endpoint: Endpoint) -> None:
    call = world.call(endpoint, fresh=True)
    known = world.succeed(endpoint, call).etag
    patch = declared("PATCH", f"{collection(endpoint)}/{{id}}")

    replacing = declared("PUT", endpoint.path)
    if replacing is not None:
        world.succeed(replacing)
    elif endpoint.id is None:
        # A list or a count changes with anything that happens in the brokerage, one of brokerages with any of them.
        world.make(endpoint.path if declared("POST", endpoint.path) else "/api/leads")
    elif patch is not None:
        change = world.call(patch)
        path = f"{collection(endpoint)}/{call.path.removeprefix(collection(endpoint)).split('/')[1].split('.')[0]}"
        world.succeed(patch, change.but(path=path))
    else:
        # Nothing changes it.
        assert call.but(headers={"If-None-Match": known}).send(world.server).status == 304
        return

    answer = call.but(headers={"If-None-Match": known}).send(world.server)
    assert (answer.status, answer.etag == known) == (endpoint.status, False)


@PATCHES
def test_a_change_of_what_has_changed_meanwhile_is_refused(world: World, endpoint: Endpoint) -> None:
    call = world.call(endpoint, fresh=True)
    get = declared("GET", endpoint.path)
    assert get is not None, "what can be changed can be read"
    known = world.call(get).but(path=call.path, headers=call.headers).send(world.server).etag
    changed = world.succeed(endpoint, call.but(headers={"If-Match": known}))
    assert changed.etag != known, "the example changes something, and tells the new version"
    before = world.heads

    for stale in (known, f"W/{changed.etag}", '"v999999999"', '"nonsense"', f'{known}, "other"'):
        answer = call.but(headers={"If-Match": stale}).send(world.server)
        assert answer.status == 412, stale
        assert refusal(endpoint, answer)
    for nonsense in ("", "\xff", "v1", known.strip('"')):
        answer = call.but(headers={"If-Match": nonsense}).send(world.server)
        assert (answer.status, answer.code) == (400, "if_match_invalid"), nonsense
        assert refusal(endpoint, answer)
    assert world.heads == before

    for current in (changed.etag, f'"other", {changed.etag}', "*"):
        answer = world.succeed(endpoint, call.but(headers={"If-Match": current}))
        assert (answer.etag, answer.body) == (changed.etag, changed.body)


@every(lambda endpoint: "asOf" in query_fields(endpoint))
def test_as_it_was(world: World, endpoint: Endpoint) -> None:
    call = world.call(endpoint, fresh=True)
    now = world.succeed(endpoint, call)

    early = call.but(query={"asOf": BEFORE}).send(world.server)
    late = world.succeed(endpoint, call.but(query={"asOf": AFTER}))
    bad = call.but(query={"asOf": "lately"}).send(world.server)

    assert early.status == 404 and refusal(endpoint, early)
    assert (late.body, late.etag) == (now.body, now.etag)
    assert bad.status in (400, 422) and "asOf" in refusal(endpoint, bad)
    again = call.but(query={"asOf": AFTER}, headers={"If-None-Match": now.etag}).send(world.server)
    assert (again.status, again.body) == (304, b"")


@every(lambda endpoint: endpoint.method == "GET" and endpoint.id is not None and endpoint.answers is not None)
def test_one_resource_can_be_asked_for_as_it_was(endpoint: Endpoint) -> None:
    """The contract: ``asOf`` on GET of one resource."""
    of_events = endpoint.path.endswith("{id}") and not endpoint.path.startswith(OF_WORKERS)
    assert "asOf" in query_fields(endpoint) or not of_events
