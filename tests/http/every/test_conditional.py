"""Every answer that is made of events: its ETag, 304, 412, and how it was at another time."""

from uuid import uuid4

from aureum.http.contract.endpoint import Endpoint
from tests.http.every.declared import collection, declared, every, of_events, query_fields, refusal
from tests.http.every.sample import Sample
from tests.signing.docusign.deal import connect

OF_WORKERS = (
    "/api/me/sessions",
    "/api/v1/admin/api-keys",
    "/api/webhooks/deliveries",
    "/api/webhooks/replays",
    "/api/v1/admin/routing/rehearsals",
    "/api/v1/admin/imports",
    "/api/v1/admin/routing/history",
    "/api/v1/admin/security-log",
    "/api/v1/admin/mail",
)
"""What begins like these shows also what is no event, such as what workers did: how it was is not known."""

MAILS = "/mails"
"""What ends like this below a resource does not change with it, but with what workers did."""

FILES = "/documents/{documentId}"
"""What ends like this below a resource never changes: another file has another id."""

FIXED = "/api/reso/$metadata"
"""What is made of the program's own declarations, and changes with its version alone."""

OF_THE_MOMENT = ("date", "x-request-id", "x-ratelimit-remaining", "x-ratelimit-reset")
"""Headers that differ from one answer to the next."""

BEFORE, AFTER = "2001-01-01", "9999-01-01"

READS = every(lambda endpoint: endpoint.method == "GET" and of_events(endpoint))
PATCHES = every(lambda endpoint: endpoint.method == "PATCH")


@READS
def test_what_is_known_already_is_not_sent_again(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint)
    got = sample.succeed(endpoint, call)
    tag = got.etag

    for known in (tag, f"W/{tag}", f'"other", W/"more" , {tag}', "*"):
        for method in ("GET", "HEAD"):
            answer = call.but(method=method, headers={"If-None-Match": known}).send(sample.server)
            assert (answer.status, answer.body, answer.etag) == (304, b"", tag)
    for other in ('"other"', tag.strip('"'), tag[:-1], "", tag.replace('"', "'"), "\xff"):
        answer = call.but(headers={"If-None-Match": other}).send(sample.server)
        assert (answer.status, answer.body, answer.etag) == (endpoint.status, got.body, tag)


@READS
def test_a_client_that_asks_again_gets_the_same_answer_until_it_changes(sample: Sample, endpoint: Endpoint) -> None:
    """Also where the second time is answered another way than the first (aureum/http/server/revalidation.py)."""
    call = sample.call(endpoint)
    known = call.but(headers={"If-None-Match": sample.succeed(endpoint, call).etag})

    answers = [known.send(sample.server) for _ in range(4)]

    assert {(answer.status, answer.body) for answer in answers} == {(304, b"")}
    assert len({answer.headers["x-request-id"] for answer in answers}) == 4
    same = [{name: value for name, value in answer.headers.items() if name not in OF_THE_MOMENT} for answer in answers]
    assert all(headers == same[0] for headers in same)
    assert all(answer.headers.keys() == answers[0].headers.keys() for answer in answers)
    if endpoint.etag_from_position:
        sample.make("/api/leads")
        again = known.send(sample.server)
        assert (again.status, again.etag == known.headers["If-None-Match"]) == (endpoint.status, False)


@READS
def test_a_change_changes_the_etag(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint, fresh=True)
    known = sample.succeed(endpoint, call).etag
    patch = declared("PATCH", f"{collection(endpoint)}/{{id}}")

    # What stands around a contact has a history of its own.
    around = endpoint.path.removesuffix("/history") if "/contacts/{id}/" in endpoint.path else endpoint.path
    place = call.path.removesuffix("/history") if around != endpoint.path else call.path
    replacing = declared("PUT", around)
    if endpoint.path.endswith("/signing"):
        replacing = declared("PATCH", endpoint.path)
    adding = declared("POST", around)
    renewing = declared("POST", f"{endpoint.path}/renew")
    if renewing is not None:
        sample.succeed(renewing, sample.call(renewing))
    elif endpoint.path.endswith("/docusign"):
        # Connected on the command line.
        sample.operator.run(lambda store: connect(store, sample.tenant.id, (uuid4().hex,)))
    elif replacing is not None:
        sample.succeed(replacing, sample.call(replacing).but(path=place))
    elif adding is not None and endpoint.id is not None:
        added = sample.call(adding)
        # The same listing again says nothing new.
        note = {"note": "Another one"} if "note" in (added.body or {}) else {}
        sample.succeed(adding, added.but(path=place, body={**(added.body or {}), **note}))
    elif endpoint.id is None and endpoint.path != FIXED:
        # A list or a count changes with anything that happens in the brokerage, one of brokerages with any of them.
        own = declared("POST", endpoint.path) or endpoint.path.startswith(OF_WORKERS)
        sample.make(endpoint.path if own else "/api/leads")
    elif patch is not None and not endpoint.path.endswith((MAILS, FILES)):
        change = sample.call(patch)
        path = f"{collection(endpoint)}/{call.path.removeprefix(collection(endpoint)).split('/')[1].split('.')[0]}"
        sample.succeed(patch, change.but(path=path))
    else:
        # Nothing changes it.
        assert call.but(headers={"If-None-Match": known}).send(sample.server).status == 304
        return

    answer = call.but(headers={"If-None-Match": known}).send(sample.server)
    assert (answer.status, answer.etag == known) == (endpoint.status, False)


@PATCHES
def test_a_change_of_what_has_changed_meanwhile_is_refused(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint, fresh=True)
    get = declared("GET", endpoint.path)
    assert get is not None, "what can be changed can be read"
    known = sample.call(get).but(path=call.path, headers=call.headers).send(sample.server).etag
    changed = sample.succeed(endpoint, call.but(headers={"If-Match": known}))
    assert changed.etag != known, "the example changes something, and tells the new version"
    before = sample.heads

    for stale in (known, f"W/{changed.etag}", '"v999999999"', '"nonsense"', f'{known}, "other"'):
        answer = call.but(headers={"If-Match": stale}).send(sample.server)
        assert answer.status == 412, stale
        assert refusal(endpoint, answer)
    for nonsense in ("", "\xff", "v1", known.strip('"')):
        answer = call.but(headers={"If-Match": nonsense}).send(sample.server)
        assert (answer.status, answer.code) == (400, "if_match_invalid"), nonsense
        assert refusal(endpoint, answer)
    assert sample.heads == before

    for current in (changed.etag, f'"other", {changed.etag}', "*"):
        answer = sample.succeed(endpoint, call.but(headers={"If-Match": current}))
        assert (answer.etag, answer.body) == (changed.etag, changed.body)


@every(lambda endpoint: "asOf" in query_fields(endpoint) and endpoint.id is not None)
def test_as_it_was(sample: Sample, endpoint: Endpoint) -> None:
    call = sample.call(endpoint, fresh=True)
    now = sample.succeed(endpoint, call)

    early = call.but(query={"asOf": BEFORE}).send(sample.server)
    late = sample.succeed(endpoint, call.but(query={"asOf": AFTER}))
    bad = call.but(query={"asOf": "lately"}).send(sample.server)

    assert early.status == 404 and refusal(endpoint, early)
    assert (late.body, late.etag) == (now.body, now.etag)
    assert bad.status in (400, 422) and "asOf" in refusal(endpoint, bad)
    again = call.but(query={"asOf": AFTER}, headers={"If-None-Match": now.etag}).send(sample.server)
    assert (again.status, again.body) == (304, b"")


@every(lambda endpoint: endpoint.method == "GET" and endpoint.id is not None and endpoint.answers is not None)
def test_one_resource_can_be_asked_for_as_it_was(endpoint: Endpoint) -> None:
    """The contract: ``asOf`` on GET of one resource."""
    of_events = endpoint.path.endswith("{id}") and not endpoint.path.startswith(OF_WORKERS)
    assert "asOf" in query_fields(endpoint) or not of_events
