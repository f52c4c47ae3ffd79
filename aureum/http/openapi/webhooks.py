"""The ``webhooks`` of the OpenAPI document: the requests that Aureum sends, one for each event."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from aureum.http.openapi.schemas import JsonSchema, Schemas
from aureum.webhooks.sending.signing import NEXT

TAG = "messages"

VERBS = {
    "created": "was created",
    "updated": "has changed",
    "completed": "was completed",
    "sent": "was sent",
    "viewed": "was viewed",
    "signed": "was signed",
    "declined": "was declined",
    "voided": "was voided",
    "expired": "has expired",
}

DESCRIPTION = (
    "Sent to every webhook that receives `{event}`. `data` is the state of the resource right after the event. A "
    "message may arrive more than once, so keep the ids of the messages that you have processed. `sequence` orders the "
    "events of a brokerage."
)

HEX = "^[0-9a-f]{64}$"

HEADERS: Mapping[str, tuple[str, JsonSchema]] = {
    "X-Aureum-Event": ("The event.", {"type": "string"}),
    "X-Aureum-Signature": (
        "HMAC-SHA256 of the raw body in hexadecimal. The key is the whole secret.",
        {"type": "string", "pattern": HEX},
    ),
    NEXT: (
        "The same signature with the new secret, while both secrets are valid.",
        {"type": "string", "pattern": HEX},
    ),
    "webhook-id": ("The `id` of the message, the same in every attempt.", {"type": "string"}),
    "webhook-timestamp": ("When this attempt was made, in Unix seconds.", {"type": "string", "pattern": "^[0-9]+$"}),
    "webhook-signature": (
        "The signature of Standard Webhooks: `v1,` and base64. Two signatures while both secrets are valid.",
        {"type": "string"},
    ),
}


def webhooks(messages: Mapping[str, type[BaseModel]], schemas: Schemas, examples: Mapping[str, Any]) -> dict[str, Any]:
    """The requests by event. *messages* has the models of the bodies, and *examples* has bodies, both by event."""
    return {
        event: {"post": request(event, schemas.of(model), examples.get(event))} for event, model in messages.items()
    }


def summary(event: str) -> str:
    """``A lead was created``."""
    kind, _, what = event.partition(".")
    return f"A {kind} {VERBS[what]}"


def request(event: str, schema: JsonSchema, example: Any) -> dict[str, Any]:
    """The request for one event, and the responses that the receiver may give."""
    content: dict[str, Any] = {"schema": schema}
    if example is not None:
        content["example"] = example
    return {
        "operationId": event.replace(".", "_"),
        "tags": [TAG],
        "summary": summary(event),
        "description": DESCRIPTION.format(event=event),
        "parameters": [
            {"name": name, "in": "header", "required": name != NEXT, "description": text, "schema": schema}
            for name, (text, schema) in HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {
            "2XX": {"description": "Received. Aureum ignores the body of the response."},
            "410": {"description": "The endpoint is gone. Aureum disables the webhook."},
            "default": {"description": "Not received. Aureum sends the same message again later."},
        },
        "security": [],
    }
