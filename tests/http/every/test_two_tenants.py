"""Two brokerages to which the same has happened: through no endpoint, filter, id, header, cursor or ETag does one see
anything of the other.
"""

import re
from dataclasses import dataclass

import pytest

from aureum.domain.ids import PLATFORM
from aureum.http.api.clients.access import WITH_PORTAL
from aureum.http.contract.endpoint import CALLER, INTEGRATOR, Endpoint
from aureum.http.contract.lists import Paging
from aureum.http.server.routes import ENDPOINTS
from tests.http.every.call import LOGOUT, OF_THE_PLATFORM, Call
from tests.http.every.declared import every, fields_of, names, of_events, query_fields, refusal
from tests.http.every.recipes import REFERENCES
from tests.http.every.sample import Sample
from tests.http.every.test_once import NOT_ONCE, replayed
from tests.http.links import links
from tests.http.operator import Operator
from tests.http.serving import Answer, Server

WIRE_ID = re.compile(rb"\bc[0-9a-z]{25}\b")
NEVER, NEVER_NUMBER = "c" + "1" * 25, 2**31 - 1
"""Ids that nothing has."""

IGNORED = ("brokerage_id",)
"""References that count only for platform admins; of others they are ignored."""


@dataclass
class Both:
    """Who asks, and the other, of whom nothing may be seen: neither its word nor its names and ids."""

    mine: Sample
    theirs: Sample
    traces: set[bytes]

    def clean(self, answer: Answer) -> Answer:
        """*answer*, in which nothing of the other's is. Its links repeat the filters that were asked for."""
        headers = {name: value for name, value in answer.headers.items() if name != "link"}
        whole = answer.body + repr(headers).encode()
        assert not [trace for trace in self.traces if trace in whole], answer
        return answer


@pytest.fixture(scope="module")
def both(server: Server, proxied: Server, operator: Operator) -> Both:
    """Two brokerages that have been walked whole, the other's once more by a process whose caches then know it."""
    mine = Sample(server, operator, operator.brokerage(), "ownword")
    theirs = Sample(server, operator, operator.brokerage(), "foreignword")
    known: dict[str, set[bytes]] = {}
    for sample in (mine, theirs):
        answers = [sample.succeed(endpoint) for endpoint in ENDPOINTS if not endpoint.path.startswith(OF_THE_PLATFORM)]
        answers += [sample.call(one).send(proxied) for one in ENDPOINTS if one.method == "GET" and of_events(one)]
        known[sample.mark] = {found for answer in answers for found in WIRE_ID.findall(answer.body)}
    names = {theirs.mark, theirs.tenant.slug + ".example.com", theirs.agent.id, theirs.owner.id}
    ids = known[theirs.mark] - known[mine.mark]
    assert len(ids) > 2
    return Both(mine, theirs, {name.encode() for name in names} | ids)


def asked(sample: Sample, endpoint: Endpoint) -> Call:
    """As the brokerage itself asks; of what is the platform admin's, as its owner does."""
    call = sample.call(endpoint)
    return call.but(headers=sample.owner.bearer) if endpoint.path.startswith(OF_THE_PLATFORM) else call


def never(endpoint: Endpoint) -> str:
    assert endpoint.id is not None
    return str(NEVER_NUMBER) if endpoint.id.number else NEVER


def instead(text: str, one: str | int, another: str | int) -> str:
    """*text* with *another* id where *one* is named first, as a whole: a number may stand within another one, and a
    brokerage may have the same as its agent."""
    return re.sub(rf"(?<!\w){one}(?!\w)", str(another), text, count=1)


def test_a_number_within_another_one_is_not_that_number() -> None:
    text = "Agent {} does not belong to brokerage {}"
    for agent, brokerage in ((4, 42), (4, 14), (42, 4), (7, 7), (1, 111)):
        assert instead(text.format(agent, brokerage), agent, NEVER_NUMBER) == text.format(NEVER_NUMBER, brokerage)


NOT_OF_THE_PLATFORM = every(lambda endpoint: not endpoint.path.startswith(OF_THE_PLATFORM))


@NOT_OF_THE_PLATFORM
def test_an_answer_shows_nothing_of_the_other(both: Both, proxied: Server, endpoint: Endpoint) -> None:
    for process in (both.mine.server, proxied):
        answer = both.clean(both.mine.call(endpoint).send(process))
        assert answer.status == endpoint.status


@every(
    # What is said of a file that is uploaded is no filter.
    lambda endpoint: (
        bool(query_fields(endpoint)) and not endpoint.uploads and not endpoint.path.startswith(OF_THE_PLATFORM)
    )
)
def test_no_filter_finds_anything_of_the_other(both: Both, endpoint: Endpoint) -> None:
    call, theirs = both.mine.call(endpoint), both.theirs
    values = [theirs.mark, theirs.tenant.domain, theirs.number]
    ids = [theirs.agent.id, theirs.agent.number, *theirs.made.values()]

    for name in query_fields(endpoint):
        for value in [*values, *(ids if name.lower().endswith("id") else ())]:
            answer = call.but(query={name: str(value)}).send(both.mine.server)
            assert answer.status < 500
            if answer.status < 300:
                both.clean(answer)


@every(lambda endpoint: endpoint.id is not None)
def test_what_is_the_others_is_as_unknown_as_what_never_was(both: Both, endpoint: Endpoint) -> None:
    mine, theirs = both.mine, both.theirs
    call, foreign = asked(mine, endpoint), theirs.id_in(endpoint, fresh=False)
    before = mine.heads, theirs.heads

    def told(wire_id: str) -> list[tuple[int, bytes]]:
        here = call.but(path=endpoint.path.replace("{id}", wire_id))
        asking = [here, here.but(headers={"If-None-Match": "*"}), here.but(headers={"If-Match": '"v1"'})]
        asking += [here.but(headers={"Idempotency-Key": "foreign"}), here.but(query={"asOf": "9999-01-01"})]
        asking += [here.but(method="HEAD")] if endpoint.method == "GET" else []
        answers = [both.clean(one.send(mine.server)) for one in asking]
        assert {answer.status for answer in answers} == {404}, answers
        return [(answer.status, answer.body) for answer in answers]

    assert told(foreign) == told(never(endpoint))
    assert (mine.heads, theirs.heads) == before


@every(lambda endpoint: endpoint.body is not None and not endpoint.path.startswith(OF_THE_PLATFORM))
def test_nothing_can_refer_to_the_other(both: Both, endpoint: Endpoint) -> None:
    assert endpoint.body is not None
    mine, theirs = both.mine, both.theirs
    call, before = mine.call(endpoint), theirs.heads

    for name in {field.name for field in fields_of(endpoint.body)} & set(REFERENCES):
        foreign = REFERENCES[name](theirs)
        nobody = NEVER_NUMBER if isinstance(foreign, int) else NEVER
        before = theirs.heads
        answers = []
        for value in (foreign, nobody):
            body = mine.another_body(endpoint, call) | {name: value}
            answers.append(call.but(body=body).send(mine.server))
        if name in IGNORED:
            assert [both.clean(answer).status for answer in answers] == [endpoint.status] * 2
            continue
        of_theirs, of_nobody = (refusal(endpoint, answer) for answer in answers)
        assert [answer.status for answer in answers] in ([400] * 2, [404] * 2, [422] * 2)
        assert names(endpoint, of_theirs, name)
        assert instead(of_theirs, foreign, nobody) == of_nobody

    assert theirs.heads == before


@every(lambda one: one.method == "GET" and of_events(one) and not one.path.startswith(OF_THE_PLATFORM))
def test_no_etag_of_the_other_is_known(both: Both, endpoint: Endpoint) -> None:
    mine, theirs = both.mine, both.theirs
    call, own = mine.call(endpoint), mine.succeed(endpoint)

    pages = [{"limit": "1"}] if "limit" in query_fields(endpoint) else []
    for query in ({}, *pages):
        known = theirs.call(endpoint).but(query=query).send(theirs.server).etag
        answer = both.clean(call.but(query=query, headers={"If-None-Match": known}).send(mine.server))
        # One resource may be at the same version as another.
        assert answer.status == 200 or (re.fullmatch('"v[0-9]+"', own.etag) and own.etag == known)


@every(lambda one: one.query is not None and issubclass(one.query, Paging))
def test_a_cursor_of_the_other_shows_nothing_of_it(both: Both, endpoint: Endpoint) -> None:
    mine, theirs = both.mine, both.theirs
    theirs.make(endpoint.path)
    page = theirs.succeed(endpoint, theirs.call(endpoint).but(query={"limit": "1"}))

    for path in links(page).values():
        answer = mine.call(endpoint).but(path=path).send(mine.server)
        # A list of what belongs to one resource is as unknown as that is.
        assert answer.status == (404 if endpoint.id else 422 if endpoint.dialect == "leads" else 400)
        assert all(trace not in answer.body for trace in both.traces)


OF_TWO = ("/distinct", "/merge", "/unmerge", "/contacts/{id}/listings")
"""What ends like these needs another resource of the brokerage in its body."""


@every(lambda one: one.method == "POST" and one.path not in NOT_ONCE and not one.path.startswith(OF_THE_PLATFORM))
def test_a_key_of_the_other_makes_a_thing_of_ones_own(both: Both, endpoint: Endpoint) -> None:
    key = {"Idempotency-Key": f"of both {endpoint.path}"}
    calls = [sample.call(endpoint, fresh=True).but(headers=key) for sample in (both.theirs, both.mine)]
    if calls[0].body is not None and not endpoint.path.endswith(OF_TWO) and not endpoint.uploads:
        body = {name: value for name, value in calls[1].body.items() if name not in REFERENCES}
        # One user has an address, whatever the brokerage; and a user who is named is one of the brokerage.
        own = "email" if endpoint.path.endswith("/users") else "user_id"
        other = {own: calls[0].body[own]} if own in calls[0].body else {}
        calls = [calls[0].but(body=body | other), calls[1].but(body=body)]

    theirs, mine = (call.send(both.mine.server) for call in calls)

    assert [theirs.status, mine.status] == [endpoint.status] * 2
    assert not replayed(mine)
    assert not set(WIRE_ID.findall(mine.body)) & set(WIRE_ID.findall(theirs.body))


USED = re.compile(rb'"lastUsedAt":"[^"]*"')


@every(lambda one: bool(one.access.schemes) and not one.path.startswith((*OF_THE_PLATFORM, LOGOUT)))
def test_credentials_do_not_count_at_the_others_address(both: Both, proxied: Server, endpoint: Endpoint) -> None:
    mine, foreign = both.mine, both.theirs.tenant.domain
    call, before = mine.call(endpoint), both.theirs.heads
    bearers = [mine.owner.bearer] if "token" in endpoint.access.schemes else []
    bearers += [mine.tenant.bearer] if "key" in endpoint.access.schemes else []

    for bearer in bearers:
        here = call.but(host=foreign, headers=bearer)
        forwarded = call.but(headers={**bearer, "X-Forwarded-Host": foreign})
        for answer in (here.send(mine.server), forwarded.send(proxied)):
            # The security log tells at whose address one's own key was tried.
            shown = answer.body.replace(foreign.encode(), b"")
            assert all(trace not in shown for trace in both.traces)
            if bearer == mine.tenant.bearer or endpoint.access in (CALLER, INTEGRATOR, WITH_PORTAL):
                assert answer.status == 401, answer
            elif endpoint.method == "GET":
                # To staff the Host does not matter but on the Aureum API: they see their own.
                own = call.but(host="127.0.0.1", headers=bearer).send(mine.server)
                # A session tells the minute of its last use, and a minute may end between the two.
                told = [USED.sub(b"", one.body) for one in (answer, own)]
                assert (answer.status, told[0]) == (own.status, told[1])
    own_settings = (endpoint.method, endpoint.path) in (
        ("PUT", "/api/v1/admin/routing"),
        ("PATCH", "/api/v1/admin/signing"),
    )
    # The settings of a brokerage stand in the platform's log.
    heads = both.theirs.heads | ({PLATFORM: before[PLATFORM]} if own_settings else {})
    assert heads == before
