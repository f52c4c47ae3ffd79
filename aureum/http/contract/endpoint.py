"""One declaration an endpoint: it routes, says who may ask, validates, and is what the OpenAPI document is made of.

A function that answers takes ``Context`` and, in this order, what its declaration names: the ids in the path,
the query, the body. It returns a response, or raises a refusal that the edge renders in the endpoint's dialect.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_origin
from uuid import UUID

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from aureum.commands.clock import on_clock
from aureum.domain.errors import NotFound
from aureum.domain.ids import from_wire
from aureum.domain.wall_time import Midnight
from aureum.http.access.callers import by_integrator, by_key, by_key_or_staff, by_link, by_staff
from aureum.http.access.gate import Caller
from aureum.http.contract.answers import answer_kept, kept_as, known_tags, log_etag, unchanged
from aureum.http.contract.idempotency import Replayed, replayed
from aureum.http.wire.bodies import json_object, read_body
from aureum.http.wire.errors import Dialect, HttpError, InvalidRequest, OwnWebhook, Problem
from aureum.http.wire.headers import header
from aureum.http.wire.queries import check_names, check_past
from aureum.http.wire.sent import given
from aureum.http.wire.validation import INTEGER, validate

if TYPE_CHECKING:
    from aureum.app import Aureum


@dataclass(frozen=True, slots=True)
class Context:
    """One request: who asks, of which brokerage, and the bytes of its body."""

    request: Request
    caller: Caller
    body: bytes = b""

    @property
    def app(self) -> "Aureum":
        app: Aureum = self.request.app.state.aureum
        return app

    @property
    def tenant_id(self) -> UUID:
        return self.caller.tenant_id


@dataclass(frozen=True, slots=True)
class Access:
    """Who may ask: *resolve* tells the brokerage or refuses; *schemes* name the kinds of credentials, one of which
    is needed; without schemes no credentials are needed."""

    resolve: Callable[[Request], Awaitable[Caller]] | None
    schemes: tuple[Literal["key", "token"], ...] = ()
    optional: bool = False


CALLER = Access(by_key, ("key", "token"))
"""An API key, or a user's token, on a plan that has the Aureum API."""

INTEGRATOR = Access(by_integrator, ("key", "token"))
"""An API key, or the token of an owner, on the plan that has webhooks."""

KEY_OR_STAFF = Access(by_key_or_staff, ("key", "token"))
STAFF = Access(by_staff, ("token",))
LINK = Access(by_link)
"""Public: a signed link proves itself. Host names the brokerage."""

ANYONE = Access(None)
"""The function itself finds out what it needs to know."""

NUMBER_LIMIT = 2**63


@dataclass(frozen=True, slots=True)
class Id:
    """The id that a path names: a wire id, or one of the platform-wide integers. *missing* is said of one that is not
    there."""

    missing: str
    number: bool = False
    parse: Callable[[str], Any] = from_wire
    """Of ids that are neither: what the text stands for, None if it never was one."""
    pattern: str = "^c[0-9a-z]{25}$"

    def read(self, text: str) -> Any:
        """Raises NotFound for what never was such an id, InvalidRequest for what is no integer."""
        if self.number:
            if not (text.isascii() and text.isdigit() and len(text) <= 19):
                raise InvalidRequest([Problem(("path", "id"), INTEGER.msg, INTEGER.type, "id must be a whole number.")])
            if int(text) >= NUMBER_LIMIT:
                raise NotFound(self.missing)
            return int(text)
        found = self.parse(text)
        if found is None:
            raise NotFound(self.missing)
        return found


@dataclass(frozen=True)
class Endpoint:
    """What answers a method at a path. ``answers`` is the type of the body of a success."""

    method: str
    path: str
    run: Callable[..., Awaitable[Response]]
    summary: str
    access: Access = CALLER
    dialect: Dialect = "aureum"
    id: Id | None = None
    part: tuple[str, Id] | None = None
    """A second id in the path, of what belongs to the resource, by its name there."""
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    bodiless: bool = False
    """Whether no body at all is as good as an empty object."""
    answers: Any = None
    status: int = 200
    statuses: Sequence[int] = ()
    """Other statuses of a success, with the same body."""
    media: str = "application/json"
    pages: bool = False
    """Whether a browser, which names HTML in ``Accept``, gets a page: of a success, and of 404. Such answers tell no
    version."""
    from_pages: bool = False
    """Whether pages of the brokerage's own may ask from a browser (CORS)."""
    idempotent: bool = True
    """Whether a POST takes an Idempotency-Key."""
    refusals: Sequence[int] = ()
    """Statuses besides those that follow from the declaration."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of a success, with what they mean, besides those that follow from the declaration."""
    etag_from_position: bool = False
    """Whether it says the same at the same address, to callers with the same view, until something is appended: its
    ETag is ``log_etag``. A client that has that already learns so, and an answer that is kept is sent again, before
    anything is validated or read."""
    uploads: str = ""
    """The media type of a file that it takes as its body. The function reads it, within a limit of its own."""
    own_clock: bool = False
    """Whether the function itself reads dates without a time, on the clock of the brokerage that the resource is of."""
    tag: str = ""
    """What the OpenAPI document files it under; without it the resource that the path names."""
    documented: bool = True

    @property
    def has_etag(self) -> bool:
        """Whether a success tells its version: what shows data of a brokerage, but for public forms."""
        reads = self.method == "GET" and self.access.resolve is not None and not self.pages
        return reads or (bool(self.access.schemes) and self.answers is not None and self.idempotent)

    @cached_property
    def lists(self) -> bool:
        """Whether it answers with a list, whole or in pages, of what there is now. The history of one resource is none:
        it is what that resource was at any moment."""
        listed = get_origin(self.answers) is list or "items" in getattr(self.answers, "model_fields", {})
        return self.method == "GET" and listed and not self.of_one_at_a_moment

    @property
    def of_one_at_a_moment(self) -> bool:
        """Whether it shows one resource, as it is or was."""
        return self.id is not None and "asOf" in self.parameters

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """What may stand in the query, as it is spelled there."""
        fields = {} if self.query is None else self.query.model_fields
        return tuple(field.alias or name for name, field in fields.items())

    def check_query(self, request: Request) -> None:
        """Raises HttpError 400 for what a list or a count would have to ignore. On the Leads API unknown parameters are
        ignored, and of one that is given twice the last counts."""
        if (self.lists or self.etag_from_position) and "asOf" not in self.parameters:
            check_past(request.query_params)
        if self.lists and self.dialect == "aureum":
            check_names(request.query_params, self.parameters)

    async def asked_by(self, request: Request) -> Caller:
        """Who asks. Raises OwnWebhook, and what ``access`` raises."""
        if self.method != "GET" and header(request.scope, b"x-aureum-event") is not None:
            raise OwnWebhook
        return NO_CALLER if self.access.resolve is None else await self.access.resolve(request)

    async def respond(self, request: Request) -> Response:
        """Who asks, then what for. Raises what the edge renders."""
        caller = await self.asked_by(request)
        if self.etag_from_position:
            etag = log_etag(request, caller, self.path)
            known = known_tags(request)
            # No query but this one has this ETag, and it was valid when it was answered.
            if etag in known:
                request.scope["state"]["unchanged"] = caller
                return unchanged(etag)
            app: Aureum = request.app.state.aureum
            key = kept_as(caller, etag)
            kept = app.answers.find(key)
            if kept is not None and "*" not in known:
                request.scope["state"].update(unchanged=caller, kept_as=key)
                return answer_kept(kept, etag)
        if request.scope["query_string"] and self.id is None:
            self.check_query(request)
        arguments: list[Any] = []
        if self.id is not None:
            arguments.append(self.id.read(request.path_params["id"]))
        if self.part is not None:
            name, part = self.part
            arguments.append(part.read(request.path_params[name]))
        if self.query is not None:
            arguments.append(validate(self.query, given(request.query_params), "query"))
        body = b""
        if self.method in ("POST", "PATCH", "PUT") and not self.uploads:
            body = await read_body(request.receive, request.scope["headers"])
            if self.body is not None:
                sent = {} if self.bodiless and not body else json_object(body, request.scope["headers"])
                arguments.append(validate(self.body, sent))
        if self.access.schemes and not self.own_clock:
            arguments = [await dated(request, caller, one) for one in arguments]
        try:
            response = await self.run(Context(request, caller, body), *arguments)
        except Replayed as kept:
            return replayed(kept.answer, self.status)
        if request.scope["query_string"] and self.id is not None:
            # Not before it is known that what the list belongs to is there for the caller.
            self.check_query(request)
        return response


async def dated(request: Request, caller: Caller, argument: Any) -> Any:
    """*argument*; if it is a model, with its dates without a time as moments on the clock of the brokerage."""
    if not isinstance(argument, BaseModel):
        return argument
    dates = {name: value for name, value in vars(argument).items() if isinstance(value, Midnight)}
    if not dates:
        return argument
    moments = await on_clock(request.app.state.aureum.database, caller.tenant_id, *dates.values())
    return argument.model_copy(update=dict(zip(dates, moments, strict=True)))


NO_CALLER = Caller(None, None, None, None, UUID(int=0), 0, "", "", "US", False, 0, 0, 0, 0)


class Address:
    """All endpoints of one path, as an ASGI application: HEAD is a GET, OPTIONS says what there is, the rest is 405."""

    def __init__(self, *endpoints: Endpoint, preflight: Callable[[Request], Awaitable[Response]] | None = None) -> None:
        self.path = endpoints[0].path
        self.dialect = endpoints[0].dialect
        self.endpoints = {endpoint.method: endpoint for endpoint in endpoints}
        self.preflight = preflight
        methods = {*self.endpoints, "OPTIONS"} | ({"HEAD"} if "GET" in self.endpoints else set())
        self.allowed = ", ".join(sorted(methods))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        endpoint = self.endpoints.get("GET" if method == "HEAD" else method)
        request = Request(scope, receive, send)
        if endpoint is not None:
            response = await endpoint.respond(request)
        elif method == "OPTIONS":
            response = await self.options(request)
        else:
            text = f"This path accepts only {self.allowed}."
            raise HttpError("method_not_allowed", text, {"Allow": self.allowed})
        await response(scope, receive, send)

    async def options(self, request: Request) -> Response:
        """What may be asked here; to a browser that asks for a page, whether the page may."""
        response = Response(status_code=204) if self.preflight is None else await self.preflight(request)
        response.headers["Allow"] = self.allowed
        return response
