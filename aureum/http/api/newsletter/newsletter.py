"""The newsletter, in the Leads API: subscribe by a form, unsubscribe by a link."""

from functools import partial
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from aureum.commands.newsletter import LinkTarget, Subscribe, find_link, subscribe, unsubscribe
from aureum.domain.subscriber import Subscriber
from aureum.http.access.callers import GUESSES, counted, origin
from aureum.http.api.newsletter.unsubscribe_page import ASKS, DONE, UNKNOWN, Words, page
from aureum.http.contract.answers import answer, encoded
from aureum.http.contract.endpoint import LINK, Context, Endpoint
from aureum.http.contract.form_fields import EMPTY_IS_NONE, Forgiven, Interests, Trap
from aureum.http.contract.form_page import FormWords, Input
from aureum.http.contract.forms import FormEndpoint, Submission, submit
from aureum.http.contract.idempotency import Replayed, idempotency, unless_replayed
from aureum.http.contract.visitor_page import NOT_KEPT, Brand
from aureum.http.wire.accept import prefers_page
from aureum.http.wire.characters import Characters
from aureum.http.wire.errors import HttpError
from aureum.http.wire.fields import Email
from aureum.http.wire.shapes import Shape
from aureum.store.event_store import Appended

SUBSCRIBED = encoded({"success": True, "message": "Successfully subscribed to newsletter"})
TO_UNSUBSCRIBE = encoded({"success": True, "message": "Send a POST request to this address to unsubscribe"})
UNSUBSCRIBED = encoded({"success": True, "message": "Successfully unsubscribed from newsletter"})

NO_LINK = "This link is not valid. Open the complete link from the newsletter."

FirstName = Annotated[str, Characters(limit=200, lines=False), Forgiven()]


class SubscriptionForm(BaseModel):
    """A newsletter subscription. Only the email address is required."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "email": "subscriber@example.com",
                "first_name": "John",
                "interests": ["new-listings", "market-updates"],
            }
        },
    )

    email: Annotated[Email, Field(description="Valid email address")]
    first_name: Annotated[FirstName | None, EMPTY_IS_NONE, Field(description="Subscriber's first name")] = None
    interests: Annotated[
        Interests, Field(description="The topics that interest the subscriber: a list, or words separated by commas.")
    ] = ()
    suspect: Annotated[
        Trap,
        Field(
            alias="_gotcha",
            description="A honeypot field, hidden from visitors. If it is filled in, the form is treated as spam.",
        ),
    ] = False


class UnsubscribeLink(BaseModel):
    """The query of a link. Any text that is no token counts as an unknown token: a person gets a page, not a list of
    errors."""

    model_config = ConfigDict(frozen=True)

    token: Annotated[str, Field(description="The token from the unsubscribe link.")] = ""


class SuccessResponse(Shape):
    """A success. The response is the same for new and known addresses."""

    success: Literal[True]
    message: str


async def post_subscribe(context: Context, form: SubscriptionForm) -> Response:
    """Subscribes an address. The response is the same for new, subscribed and unsubscribed addresses. The endpoint
    accepts the same formats as the contact form."""

    async def work(submission: Submission) -> tuple[Subscriber, Appended]:
        command = Subscribe(
            tenant_id=submission.site.visitor.tenant_id,
            email=form.email,
            first_name=form.first_name and form.first_name.strip(),
            interests=form.interests,
            source_domain=submission.host,
            suspect=form.suspect,
        )
        return await subscribe(
            context.app.store,
            command,
            submission.origin,
            idempotency=submission.idempotency,
            guards=submission.guards,
        )

    return await submit(context, form, lambda _: SUBSCRIBED, work)


async def get_unsubscribe(context: Context, query: UnsubscribeLink) -> Response:
    """Returns a page with an unsubscribe button to browsers. It changes nothing, because mail scanners follow every
    link."""
    link = await find_link(context.app.store, context.tenant_id, query.token)
    if link.subscriber_id is None:
        return await unknown(context.request, link)
    if prefers_page(context.request.scope):
        return page(brand_of(link), ASKS)
    return answer(TO_UNSUBSCRIBE, headers=NOT_KEPT)


async def post_unsubscribe(context: Context, query: UnsubscribeLink) -> Response:
    """Unsubscribes the owner of the link, from the page or with one click (RFC 8058). The request body is ignored."""
    store = context.app.store
    # The body is the same for every link: the token tells requests apart.
    sent = query.token.encode() + b"\n" + context.body
    once = await unless_replayed(
        store, context.tenant_id, idempotency(context.request, context.caller, sent, lambda _: UNSUBSCRIBED)
    )
    link = await find_link(store, context.tenant_id, query.token)
    if link.subscriber_id is None:
        return await unknown(context.request, link)
    who = origin(context.request, context.caller)
    appended = await unsubscribe(store, context.tenant_id, link.subscriber_id, who, idempotency=once)
    if appended.remembered is not None:
        raise Replayed(appended.remembered)
    if prefers_page(context.request.scope):
        return page(brand_of(link), DONE)
    return answer(UNSUBSCRIBED, headers=NOT_KEPT)


def brand_of(link: LinkTarget) -> Brand:
    """How the page of a link looks."""
    return Brand(link.brokerage, link.color, link.logo)


async def unknown(request: Request, link: LinkTarget) -> Response:
    """404, as a page if the client wants one; else raises HttpError. Only wrong tokens are limited: a mail provider
    presses the buttons of all its readers from a few addresses."""
    try:
        await counted(request, GUESSES)
    except HttpError as error:
        if prefers_page(request.scope):
            words = Words("Please wait a moment", error.text)
            return page(brand_of(link), words, 429, {**error.headers, "X-Error-Code": error.code})
        raise
    if prefers_page(request.scope):
        return page(brand_of(link), UNKNOWN, 404)
    raise HttpError("link_not_found", NO_LINK, NOT_KEPT)


WORDS = FormWords(
    "You are subscribed.",
    (
        Input("email", "Email", "email", required=True, autocomplete="email"),
        Input("first_name", "First name", autocomplete="given-name"),
        Input("interests", ""),
    ),
    "Subscribe",
)

link = partial(
    Endpoint,
    path="/api/newsletter/unsubscribe",
    access=LINK,
    dialect="leads",
    query=UnsubscribeLink,
    answers=SuccessResponse,
    refusals=(404,),
    pages=True,
)

ENDPOINTS = (
    FormEndpoint(
        "POST",
        "/api/newsletter/subscribe",
        post_subscribe,
        "Subscribe to the newsletter",
        body=SubscriptionForm,
        answers=SuccessResponse,
        words=WORDS,
    ),
    link(method="GET", run=get_unsubscribe, summary="Show the unsubscribe page"),
    link(method="POST", run=post_unsubscribe, summary="Unsubscribe from the newsletter"),
)
