"""schemathesis asks every operation of the OpenAPI document whatever can be made of it: examples, values at the edges
of each schema, values beyond them, and random ones. All its checks are on, and it must find nothing.

What stands in the document is tested, nothing has to be listed here.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from itertools import count
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.parameters import ParameterLocation
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.openapi.checks import RejectedPositiveData

from aureum.domain import ids
from aureum.http.contract.answers import ETAGS
from aureum.http.server.routes import described
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server, served

EXAMPLES = 4
"""Random cases of each operation, valid ones and others; more than that are those that the schemas themselves give."""

LONGEST_TEXT = 40

CHECKS: Mapping[str, Any] = {
    # 412 is how a change answers to an If-Match of what the resource is not: any string is a valid one. 429 is what a
    # login gets after five that failed.
    "positive_data_acceptance": {"expected-statuses": ["2xx", "304", "401", "403", "404", "409", "412", "429"]},
    # Where a value is checked beside what the resource is, an If-Match of something else is refused first.
    "negative_data_rejection": {
        "expected-statuses": ["400", "401", "403", "404", "405", "406", "409", "412", "415", "422", "428", "429"]
    },
}


PHASES: Mapping[str, Any] = {
    # It takes whatever one operation answers for what another one of a like name takes: the number of a lead for a
    # brokerage's, or for a header, at which it fails itself. What follows from what is in tests/http/every.
    "stateful": {"enabled": False},
}

REFERENCES = {"assignedToId": "users", "agentId": "users", "userId": "users", "propertyId": "properties"}
"""Whose ids belong into a field, where it is not the plural of the field's name."""

REMAINS = "cannot both be removed"
"""What a change is told that would take the last of something away, which no schema of a body can know."""

NOT_YOURS = "is not your current password"
"""What a user is told who wants another password, and which no schema can know."""

OF_THIS_LIST = "must be taken from a Link header of this list"
OF_CHANGES = "Use the Link header for further pages of changes"
"""What the list tells of cursors and tokens that it never gave out, of which a schema knows the form only; and of pages
by number of what changed."""

NOT_A_USER = "who is not a user of this brokerage"
"""Whose numbers routing settings may name, which no schema can know."""

IN_ORDER = "away_to must be after away_from"
HOURS_IN_ORDER = "each with a beginning and a later end"
"""What a schema cannot say of two moments, or of two times of a day."""

NOT_THEN = "at must be between"
STILL_TO_COME = "must be in the future"
"""What an activity is told that lies too far back or ahead, and a key that has ended before it begins: no schema knows
what time it is."""

OF_ANOTHER_TYPE = "is only for"
TEXT_OF_A_NOTE = "text of a note must not be blank"
"""What a correction is told that the activity's type does not allow, which the schema of the change cannot know."""

ANOTHER = "than the one in the path"
"""What a merge of a contact with itself is told, which the schema of the body cannot know."""

NOT_LOST = "can only be set while status is lost"
"""What a change of a lead is told that gives a reason for what has not happened."""

PERIOD_IN_ORDER = "to must not be before from"
LONGEST_PERIOD = "days before to"
"""What a schema cannot say of the two days of a report."""

CHANGES_IN_ORDER = "has an order of its own. Leave out sort"
"""What a list of changes is told that is to be sorted: a schema has no parameters that exclude each other."""

NOW_ONLY = "cannot be combined with asOf"
"""What a list is told that is asked for as it was, and for what has changed up to now."""

ONE_OF_THREE = "Send exactly one of"
"""What an erasure is told that names no person, or several: the document has no parameters that exclude each other."""

IN_QUERY_OR_FORM = "resource is required"
NO_SUCH_COLUMN = "which the file does not have"
"""What an import is told that names no resource in the query or the form, or whose map is of another file."""

ONLY_LEADS_ARE_ROUTED = "route is for leads only"
ROLE_OF_NO_TEMPLATE = "name the template by templateId"
"""What an import of contacts is told that is to route them, and an envelope whose recipient has the role of a template
that it does not name: what two fields say of each other."""

NO_SUCH_TEMPLATE = "must be the id of a template"
"""What an envelope is told that is to be made from a template which is not there."""

NOT_A_PICTURE = "must be a PNG or JPEG picture"
"""What base64 that begins like a picture is told, of which a schema knows the beginning only."""

NOT_A_PDF = "This file is not a PDF"
NOT_A_CERTIFICATE = "a PKCS#12 file"
NO_DOCUMENT_YET = "The envelope has no document"
NO_SUCH_RECIPIENT = "There is no such recipient"
"""What files are told of which a schema knows only that they are some; and an envelope that is to be sent before it has
one, or whose recipients are named by ids that it does not have."""

KNOWN = (
    REMAINS,
    NOT_YOURS,
    OF_THIS_LIST,
    OF_CHANGES,
    NOT_A_USER,
    IN_ORDER,
    HOURS_IN_ORDER,
    NOT_THEN,
    STILL_TO_COME,
    NOT_LOST,
    ANOTHER,
    OF_ANOTHER_TYPE,
    TEXT_OF_A_NOTE,
    PERIOD_IN_ORDER,
    LONGEST_PERIOD,
    CHANGES_IN_ORDER,
    NOW_ONLY,
    ONE_OF_THREE,
    IN_QUERY_OR_FORM,
    NO_SUCH_COLUMN,
    ONLY_LEADS_ARE_ROUTED,
    ROLE_OF_NO_TEMPLATE,
    NO_SUCH_TEMPLATE,
    NOT_A_PICTURE,
    NOT_A_PDF,
    NOT_A_CERTIFICATE,
    NO_DOCUMENT_YET,
    NO_SUCH_RECIPIENT,
)

TAGS = dict.fromkeys(
    tag for methods in described()["paths"].values() for operation in methods.values() for tag in operation["tags"]
)

OF_THE_PLATFORM = ("/api/v1/admin/brokerages", "/api/v1/admin/platform")
"""Where a platform admin asks."""

Case = schemathesis.Case[Any]

TURNS = count()

WIRE_ID = re.compile("c[0-9a-z]{25}")

LONG_DOMAIN = "." + ".".join("d" * 60 for _ in range(3)) + ".example.com"
LONG_EMAILS = [f"{'a' * 50}@{'b' * (length - 51 - len(LONG_DOMAIN))}{LONG_DOMAIN}" for length in (253, 254, 255)]
"""Around the limit, where nothing random comes to lie; two of them are allowed."""

# JSON Schema has no word for names that no mail goes to (".test"), nor for hosts that nothing is sent to: the field's
# description says that they are refused.
# From lists, not from a regular expression: hundreds of draws until one has a wanted length were most of the time here.
schemathesis.openapi.format(
    "email",
    st.builds(
        "{}{}@{}".format,
        st.integers(0, 10**9),
        st.sampled_from(["jane", "J.Doe", "a.b.c", "_", "!#$%&'*+/=?^`{|}~-"]),
        st.sampled_from(["example.com", "mail.example.co.uk", "a-b.example.org", "EXAMPLE.NET"]),
    )
    | st.sampled_from(LONG_EMAILS),
)
schemathesis.openapi.format(
    "uri",
    st.builds(
        "{}://{}{}".format,
        st.sampled_from(["https", "http", "HTTPS"]),
        st.sampled_from(["example.com", "hooks.example.com:8443", "a-b.example.org:80", "198.105.232.4"]),
        st.sampled_from(["", "/", "/hooks", "/hooks?a=b&c=%20", "/a/b;c#d"]),
    ),
)
schemathesis.openapi.format("time-zone", st.sampled_from(["America/Boise", "Europe/Vienna", "Asia/Kathmandu", "UTC"]))


@pytest.fixture(scope="module")
def unlimited(served_url: str) -> Iterator[Server]:
    """A process that counts no forms."""
    with served(served_url, form_rate_limit="0", webhook_limit="0") as running:
        yield running


@pytest.mark.parametrize("tag", TAGS)
def test_schemathesis_finds_nothing(unlimited: Server, operator: Operator, tag: str) -> None:
    tenant = operator.brokerage()
    published = unlimited.ask("GET", "/openapi.json").json
    components = deepcopy(published["components"])
    shorten(published["components"])
    schema = schemathesis.openapi.from_dict(published, config=configured(unlimited, tenant)).include(tag=tag)
    staff = {place: operator.staff(tenant.id, "brokerage_owner").token for place in ("", "logout")}
    staff["platform"] = operator.staff(ids.PLATFORM, "platform_admin").token
    agent = operator.staff(tenant.id, "agent")
    known = seeded(unlimited, tenant, schema.raw_schema["paths"])
    known |= {"users": [agent.id], "numbers": [agent.number]}

    @schema.auth(cache_by_key=lambda case, _: credentials(case, tenant, staff))
    class Credentials:
        """A key where one is taken, a token elsewhere."""

        def get(self, case: Case, context: schemathesis.AuthContext) -> str:
            return credentials(case, tenant, staff)

        def set(self, case: Case, data: str, context: schemathesis.AuthContext) -> None:
            case.headers["Authorization"] = f"Bearer {data}"

    @schemathesis.hook
    def before_call(context: schemathesis.HookContext, case: Case, kwargs: dict[str, Any]) -> None:
        refer(case, known)

    @schema.hook
    def filter_failure(
        context: schemathesis.HookContext, failure: Failure, case: Case, response: schemathesis.Response
    ) -> bool:
        if isinstance(failure, AcceptedNegativeData):
            return not is_valid(case, components)
        known = has_no_etag(case) or any(text in response.text for text in KNOWN)
        return not (isinstance(failure, RejectedPositiveData) and known)

    asked: Counter[str] = Counter()
    statuses: Counter[int] = Counter()
    found: dict[str, str] = {}
    try:
        for event in from_schema(schema).execute():
            if isinstance(event, events.ScenarioFinished):
                asked[event.recorder.label] += len(event.recorder.interactions)
                statuses.update(
                    one.response.status_code for one in event.recorder.interactions.values() if one.response
                )
                found |= failures(event.recorder)
            elif isinstance(event, events.NonFatalError):
                found[f"{event.label} {event.phase}"] = str(event.value)
    finally:
        schemathesis.hooks.unregister(before_call)

    assert found == {}, "\n\n".join(f"{title}\n{text}" for title, text in found.items())
    operations = [
        f"{method.upper()} {path}"
        for path, methods in schema.raw_schema["paths"].items()
        for method, operation in methods.items()
        if tag in operation["tags"] and path != "/openapi.json"  # asked already: the document came from there
    ]
    assert {label: asked[label] for label in operations if asked[label] < 5} == {}
    assert statuses[200] + statuses[201] + statuses[202] > 0
    assert unlimited.by_key(tenant, "GET", "/api/leads?limit=1").status == 200, "the key still works"
    owner = {"Authorization": f"Bearer {staff['']}"}
    assert unlimited.ask("GET", "/api/leads?limit=1", headers=owner).status == 200, "the token still works"


def shorten(schema: Any) -> None:
    """Bound long texts of bodies more narrowly than they are: to make one of 20,000 characters by a pattern takes long.
    The bounds themselves are tried by tests/http/every/test_bodies.py."""
    for value in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        shorten(value)
    if isinstance(schema, dict) and isinstance(schema.get("maxLength"), int):
        schema["maxLength"] = min(schema["maxLength"], LONGEST_TEXT)


def configured(server: Server, tenant: Tenant) -> SchemathesisConfig:
    """All phases and all checks, the same every time."""
    return SchemathesisConfig.from_dict(
        {
            "base-url": f"http://127.0.0.1:{server.port}",
            "headers": {"Host": tenant.domain},
            "continue-on-failure": True,
            "seed": 1,
            "generation": {"deterministic": True, "max-examples": EXAMPLES, "no-shrink": True},
            "cache": {"enabled": False},
            "checks": CHECKS,
            "phases": PHASES,
        }
    )


def credentials(case: Case, tenant: Tenant, staff: Mapping[str, str]) -> str:
    """What the operation takes; a user who logs out has a token of its own, and so has one that ends a session: its id
    comes from the list of them, and the others' token would no longer work."""
    security = case.operation.definition.raw.get("security", [])
    if not security or any("key" in scheme for scheme in security):
        return tenant.key
    if case.operation.path.startswith(OF_THE_PLATFORM):
        return staff["platform"]
    return staff["logout" if case.operation.path.endswith(("/logout", "/sessions/{id}")) else ""]


def seeded(server: Server, tenant: Tenant, paths: Mapping[str, Any]) -> dict[str, list[Any]]:
    """One of each resource that a key can make, as the document's example has it: ids by the last word of the path."""
    made = {}
    for path in paths:
        body = paths[path].get("post", {}).get("requestBody")
        if body is None or f"{path}/{{id}}" not in paths or "application/json" not in body["content"]:
            continue
        answer = server.by_key(tenant, "POST", path, body["content"]["application/json"]["example"])
        if answer.status == 201:
            made[path.rpartition("/")[2]] = [answer.json["id"]]
    # The last one is for DELETE.
    log = f"/api/leads/{made['leads'][0]}/activities"
    made["activities"] = [server.by_key(tenant, "POST", log, {"type": "visit"}).json["id"] for _ in range(2)]
    return made


def refer(case: Case, known: Mapping[str, Sequence[Any]]) -> None:
    """Put ids of what there is in the place of invented ones: in bodies always, in paths every other time.

    And write whole numbers in a query without a point: to a JSON schema 7.0 is one, but a query is text.
    """
    for name, value in (case.query or {}).items():
        if isinstance(value, float) and value.is_integer():
            case.query[name] = int(value)
    if isinstance(case.body, dict):
        for name in {"assigned_agent_id", "user_id"} & set(case.body):
            user = case.body[name]
            if isinstance(user, int | float) and not isinstance(user, bool) and float(user).is_integer():
                case.body[name] = known["numbers"][0] if abs(user) <= 10**15 else user
    refer_in(case.body, known)
    given = str(case.path_parameters.get("id", ""))
    resource = case.operation.path.partition("/{id}")[0].rpartition("/")[2]
    if WIRE_ID.match(given) and resource in known and next(TURNS) % 2:
        case.path_parameters["id"] = known[resource][-1 if case.method == "DELETE" else 0]


def refer_in(body: Any, known: Mapping[str, Sequence[Any]]) -> None:
    """The same in a body, and in the lists in it."""
    for one in body if isinstance(body, list) else ():
        refer_in(one, known)
    for name, value in list(body.items()) if isinstance(body, dict) else ():
        there = known.get(REFERENCES.get(name, name.removesuffix("Id") + "s"))
        if there and isinstance(value, str) and WIRE_ID.fullmatch(value):
            body[name] = there[0]
        elif isinstance(value, list):
            refer_in(value, known)


def is_valid(case: Case, components: Any) -> bool:
    """Whether what was meant to be wrong is right after all: a mutated text may be another good one, an empty parameter
    is one that was left out, and ``brokerage_id`` is ignored but from a platform admin."""
    elsewhere = (ParameterLocation.PATH, ParameterLocation.HEADER, ParameterLocation.COOKIE)
    if case.meta is None or any(case.meta.is_negative_at(place) for place in elsewhere):
        return False
    if case.meta.is_negative_at(ParameterLocation.QUERY) and any(
        value not in ("", None) and name != "brokerage_id" for name, value in (case.query or {}).items()
    ):
        return False
    body = case.operation.definition.raw.get("requestBody")
    if body is None:
        return case.meta.is_negative_at(ParameterLocation.QUERY)
    sent = case.body
    if "application/json" not in body["content"]:
        # Any bytes are a file.
        return isinstance(sent, dict) and bool(sent.get("file"))
    if isinstance(sent, dict):
        sent = {name: value for name, value in sent.items() if name != "brokerage_id"}
    described = {**body["content"]["application/json"]["schema"], "components": components}
    return jsonschema_rs.Draft202012Validator(described, validate_formats=True).is_valid(sent)


def has_no_etag(case: Case) -> bool:
    """Whether ``If-Match`` holds what its pattern does not allow: schemathesis 4.32 sends ``0`` for a pattern with
    ends, and takes it for valid."""
    sent = dict[str, Any](case.headers or {}).get("If-Match")
    return sent is not None and re.fullmatch(ETAGS, str(sent)) is None


def failures(recorder: ScenarioRecorder) -> dict[str, str]:
    """What the checks found, by check and operation: the first of each is enough to mend it."""
    found: dict[str, str] = {}
    for case_id, checks in recorder.checks.items():
        response = recorder.interactions[case_id].response
        answered = "" if response is None else f"{response.status_code} {response.text[:300]}"
        for check in checks:
            if check.status == Status.FAILURE and check.failure_info is not None:
                failure = check.failure_info.failure
                title = f"{check.name}: {recorder.label}: {failure.title}"
                found.setdefault(title, f"{answered}\n{failure.message}\n{check.failure_info.code_sample}")
    return found
