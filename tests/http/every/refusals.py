"""How each kind of refusal comes about that the OpenAPI document shows, in both dialects."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from tests.conftest import fresh_database
from tests.http.contract.test_database_gone import gone
from tests.http.every.call import PASSWORD
from tests.http.every.sample import Sample
from tests.http.serving import FORM, JANE, Answer, Server, served

UNKNOWN = "c" + "0" * 25
ADMIN_LEAD = {
    "first_name": "Jane",
    "last_name": "Doe",
    "email": "jane@example.com",
    "subject": "Condos",
    "message": "Hi",
}


@dataclass(frozen=True)
class Scene:
    """A sample, a process that takes one form a minute, and one whose database is away."""

    sample: Sample
    strict: Server
    without_database: Server

    def by_key(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        return self.sample.server.by_key(self.sample.tenant, method, path, body, headers)

    def by_owner(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        return self.sample.server.ask(method, path, body, {**self.sample.owner.bearer, **(headers or {})})

    def by_agent(self, method: str, path: str) -> Answer:
        return self.sample.server.ask(method, path, None, self.sample.agent.bearer)

    def form(self, body: object, headers: Mapping[str, str] | None = None) -> Answer:
        return self.sample.server.ask("POST", "/api/contact", body, headers, host=self.sample.tenant.domain)


@contextmanager
def scene_of(sample: Sample, server_url: str, template: str, served_url: str) -> Iterator[Scene]:
    """What refusals need."""
    with (
        served(served_url, form_rate_limit="1") as strict,
        fresh_database(server_url, template) as away,
        served(away) as lonely,
        gone(server_url, away),
    ):
        yield Scene(sample, strict, lonely)


def plan(scene: Scene, path: str) -> Answer:
    return scene.sample.server.by_key(scene.sample.operator.brokerage("Starter"), "GET", path)


def twice(scene: Scene, ask: Callable[[int], Answer]) -> Answer:
    """The second answer."""
    assert ask(1).status < 300
    return ask(2)


def limited(scene: Scene) -> Answer:
    once = scene.sample.operator.key(scene.sample.tenant, 1)
    return twice(scene, lambda _: scene.sample.server.by_key(once, "GET", "/api/leads?limit=1"))


def limited_form(scene: Scene) -> Answer:
    tenant = scene.sample.operator.brokerage()
    return twice(scene, lambda turn: scene.strict.form(tenant, email=f"jane{turn}@example.com"))


def logged_in_wrongly(scene: Scene, times: int) -> Answer:
    body = {"email": f"nobody{times}@example.com", "password": PASSWORD}
    answers = [scene.sample.server.ask("POST", "/api/v1/auth/login", body) for _ in range(times)]
    return answers[-1]


def taken(scene: Scene) -> Answer:
    body = {"title": "Villa", "address": "1 Main St", "city": "Boise", "state": "ID", "mlsId": "M1"}
    return twice(scene, lambda _: scene.by_key("POST", "/api/properties", body))


def reused(scene: Scene) -> Answer:
    key = {"Idempotency-Key": "4a5f"}
    return twice(scene, lambda turn: scene.by_key("POST", "/api/leads", JANE | {"subject": f"{turn}"}, key))


def reused_by_owner(scene: Scene) -> Answer:
    key = {"Idempotency-Key": "4a5f"}
    body = ADMIN_LEAD
    return twice(scene, lambda turn: scene.by_owner("POST", "/api/v1/admin/leads", body | {"subject": f"{turn}"}, key))


def undated(scene: Scene) -> Answer:
    form = {"listing_id": "202412345", "name": "Jane Doe", "email": "jane@example.com"}
    tour = scene.sample.server.ask("POST", "/api/tours", form, host=scene.sample.tenant.domain).json
    return scene.by_owner("GET", f"/api/tours/{tour['id']}.ics")


def disabled(scene: Scene) -> Answer:
    delivery = scene.sample.make("/api/webhooks/deliveries")
    scene.by_key("PATCH", f"/api/webhooks/{delivery.partition('_')[0]}", {"disabled": True})
    return scene.by_key("POST", f"/api/webhooks/deliveries/{delivery}/redeliver")


def foreign_agent(scene: Scene) -> Answer:
    return scene.by_owner("POST", "/api/v1/admin/leads", ADMIN_LEAD | {"assigned_agent_id": 10**9})


def without_brokerage(scene: Scene) -> Answer:
    return scene.sample.server.ask("POST", "/api/v1/admin/leads", ADMIN_LEAD, scene.sample.platform_admin.bearer)


STALE = {"If-Match": '"v9"'}
LARGE = b'{"name": "' + b"x" * 1_000_000 + b'"}'
TEXT = {"Content-Type": "text/html"}
WRONG = {"Authorization": "Bearer aur_" + "x" * 43}
BAD = {"firstName": "", "lastName": "Smith", "email": "john@", "tags": [7]}

REFUSALS: Mapping[tuple[str, str], Callable[[Scene], Answer]] = {
    ("aureum_400", "invalid_fields"): lambda scene: scene.by_key("POST", "/api/contacts", BAD),
    ("aureum_400", "invalid_parameters"): lambda scene: scene.by_key("GET", "/api/leads?status=open&limit=0"),
    ("aureum_400", "body_missing"): lambda scene: scene.by_key("POST", "/api/leads"),
    ("aureum_400", "body_not_json"): lambda scene: scene.by_key("POST", "/api/leads", b'{"name": "Jane Doe",'),
    ("aureum_400", "body_not_object"): lambda scene: scene.by_key("POST", "/api/leads", []),
    ("aureum_400", "idempotency_key_invalid"): lambda scene: scene.by_key(
        "POST", "/api/leads", JANE, {"Idempotency-Key": "x" * 256}
    ),
    ("aureum_400", "if_match_invalid"): lambda scene: scene.by_key(
        "PATCH", f"/api/leads/{scene.sample.one('/api/leads')}", {"status": "lost"}, {"If-Match": ""}
    ),
    ("aureum_401", "credentials_missing"): lambda scene: scene.sample.server.ask("GET", "/api/leads"),
    ("aureum_401", "credentials_invalid"): lambda scene: scene.sample.server.ask("GET", "/api/leads", None, WRONG),
    ("aureum_403", "plan_required"): lambda scene: plan(scene, "/api/leads"),
    ("aureum_403", "role_not_allowed"): lambda scene: scene.by_agent("GET", "/api/webhooks"),
    ("aureum_404", "not_found"): lambda scene: scene.by_key("GET", f"/api/leads/{UNKNOWN}"),
    ("aureum_409", "already_taken"): taken,
    ("aureum_409", "similar_contacts"): lambda scene: twice(
        scene,
        lambda _: scene.by_key(
            "POST",
            "/api/contacts?unlessSimilar=true",
            {"firstName": "Rare", "lastName": "Bird", "email": "rare.bird@example.com"},
        ),
    ),
    ("aureum_409", "idempotency_key_reused"): reused,
    ("aureum_409", "wrong_state"): disabled,
    ("aureum_412", "version_stale"): lambda scene: scene.by_key(
        "PATCH", f"/api/leads/{scene.sample.one('/api/leads')}", {"status": "lost"}, STALE
    ),
    ("aureum_413", "body_too_large"): lambda scene: scene.by_key("POST", "/api/leads", LARGE),
    ("aureum_415", "media_type_unsupported"): lambda scene: scene.by_key("POST", "/api/leads", b"<p>", TEXT),
    ("aureum_429", "rate_limited"): limited,
    ("aureum_503", "database_unavailable"): lambda scene: scene.without_database.ask(
        "GET", "/api/leads", None, scene.sample.tenant.bearer
    ),
    ("leads_400", "agent_of_other_brokerage"): foreign_agent,
    ("leads_400", "brokerage_required"): without_brokerage,
    ("leads_400", "host_missing"): lambda scene: scene.sample.server.ask("POST", "/api/contact", FORM, host=None),
    ("leads_401", "credentials_missing"): lambda scene: scene.sample.server.ask("GET", "/api/v1/admin/leads"),
    ("leads_401", "credentials_invalid"): lambda scene: scene.sample.server.ask("GET", "/api/tours", None, WRONG),
    ("leads_401", "login_failed"): lambda scene: logged_in_wrongly(scene, 1),
    ("leads_403", "plan_required"): lambda scene: plan(scene, "/api/tours"),
    ("leads_403", "role_not_allowed"): lambda scene: scene.by_agent("GET", "/api/v1/admin/users"),
    ("leads_403", "cross_site_request"): lambda scene: scene.form(FORM, {"Origin": "https://elsewhere.example.com"}),
    ("leads_404", "brokerage_not_found"): lambda scene: scene.sample.server.ask(
        "POST", "/api/contact", FORM, host="unknown.example.com"
    ),
    ("leads_404", "not_found"): lambda scene: scene.by_owner("GET", "/api/v1/admin/leads/999999999"),
    ("leads_409", "idempotency_key_reused"): reused_by_owner,
    ("leads_409", "wrong_state"): undated,
    ("leads_412", "version_stale"): lambda scene: scene.by_owner(
        "PATCH", f"/api/v1/admin/leads/{scene.sample.one('/api/v1/admin/leads')}", {"status": "lost"}, STALE
    ),
    ("leads_413", "body_too_large"): lambda scene: scene.form(LARGE),
    ("leads_415", "media_type_unsupported"): lambda scene: scene.by_owner("POST", "/api/v1/admin/leads", b"<p>", TEXT),
    ("leads_422", "body_missing"): lambda scene: scene.form(None),
    ("leads_422", "body_not_json"): lambda scene: scene.form(b'{"firstName": "John",'),
    ("leads_422", "invalid_fields"): lambda scene: scene.form(FORM | {"email": "john.smith"}),
    ("leads_422", "invalid_parameters"): lambda scene: scene.by_owner("GET", "/api/v1/admin/leads?page=0"),
    ("leads_429", "login_rate_limited"): lambda scene: logged_in_wrongly(scene, 6),
    ("leads_429", "rate_limited"): limited_form,
    ("leads_503", "database_unavailable"): lambda scene: scene.without_database.form(scene.sample.tenant),
}
"""By the response's name in the document, and the code."""
