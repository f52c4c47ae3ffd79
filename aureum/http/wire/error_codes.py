"""All error codes on one page. Programs read the code, and people the message.

A released code keeps its meaning. Later versions may add codes. ``docs/errors.md`` is generated from this list
(``aureum openapi --errors``). Each error names its code where it is raised, and mypy refuses a code that is not listed.
Those of PDFs stand where PDFs are refused.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from aureum.pdf.refusing import REASONS, RefusedCode

Code = Literal[
    "invalid_fields",
    "invalid_parameters",
    "as_of_unsupported",
    "past_too_long",
    "body_missing",
    "body_not_json",
    "body_not_object",
    "body_incomplete",
    "form_unreadable",
    "request_unreadable",
    "headers_too_large",
    "host_missing",
    "host_invalid",
    "forwarded_host_invalid",
    "brokerage_required",
    "agent_of_other_brokerage",
    "idempotency_key_invalid",
    "if_match_invalid",
    "credentials_missing",
    "credentials_invalid",
    "login_failed",
    "totp_required",
    "plan_required",
    "role_not_allowed",
    "cross_site_request",
    "not_found",
    "brokerage_not_found",
    "link_not_found",
    "path_not_found",
    "method_not_allowed",
    "request_timeout",
    "already_taken",
    "similar_contacts",
    "slug_taken",
    "idempotency_key_reused",
    "wrong_state",
    "changed_meanwhile",
    "changed_since",
    "own_webhook",
    "version_stale",
    "body_too_large",
    "media_type_unsupported",
    "encoding_unsupported",
    RefusedCode,
    "rate_limited",
    "login_rate_limited",
    "internal_error",
    "busy",
    "database_unavailable",
]


class Meaning(NamedTuple):
    """What a code says: its status, when it comes, and what the client does about it."""

    status: int
    means: str
    remedy: str
    leads_status: int | None = None
    """The status in the Leads API, where it is another one."""


CODES: Mapping[Code, Meaning] = {
    "invalid_fields": Meaning(
        400,
        "One or more fields of the body are invalid. In the Aureum API `fields` names each of them with its own "
        "message. In the Leads API `detail` lists them.",
        "Correct the named fields and send the request again.",
        leads_status=422,
    ),
    "invalid_parameters": Meaning(
        400,
        "One or more parameters of the query or the path are invalid. `fields` or `detail` names each of them.",
        "Correct the named parameters and send the request again.",
        leads_status=422,
    ),
    "as_of_unsupported": Meaning(
        400,
        "`asOf` was sent to a list that has only the current state.",
        "Leave it out.",
    ),
    "past_too_long": Meaning(
        400,
        "At the moment of `asOf`, the list had more resources than one response can have.",
        "Ask the operator, who prints the list with `aureum audit list`.",
    ),
    "body_missing": Meaning(
        400,
        "The request has no body, or the body is `null`, but the endpoint requires a JSON object.",
        "Send a JSON object.",
        leads_status=422,
    ),
    "body_not_json": Meaning(
        400,
        "The body is not valid JSON in UTF-8. The message names the position.",
        "Send valid JSON in UTF-8.",
        leads_status=422,
    ),
    "body_not_object": Meaning(
        400,
        "The body is valid JSON, but not an object.",
        "Send a JSON object.",
        leads_status=422,
    ),
    "body_incomplete": Meaning(
        400,
        "The connection was closed before the whole body had arrived.",
        "Send the request again.",
    ),
    "form_unreadable": Meaning(
        400,
        "The form is incomplete, has too many fields, or does not match its `Content-Type`.",
        "Open the page again and submit the form.",
        leads_status=422,
    ),
    "request_unreadable": Meaning(
        400,
        "The request is not valid HTTP.",
        "Check the request line, the headers and the lengths.",
    ),
    "headers_too_large": Meaning(
        400,
        "The headers of the request are larger than 250,000 bytes.",
        "Send fewer or shorter headers.",
    ),
    "host_missing": Meaning(
        400,
        "The request has no `Host` header, which public endpoints need to find the brokerage.",
        "Send the request to the brokerage's domain.",
    ),
    "host_invalid": Meaning(400, "The `Host` header is not a valid name.", "Send one valid name as `Host`."),
    "forwarded_host_invalid": Meaning(
        400,
        "A trusted proxy sent an `X-Forwarded-Host` that is a list or an invalid name.",
        "Configure the proxy to send one name, the client's `Host`.",
    ),
    "brokerage_required": Meaning(
        400,
        "The caller does not belong to a brokerage, and the request does not name one.",
        "Pass `brokerage_id`, or send the request to the brokerage's domain.",
    ),
    "agent_of_other_brokerage": Meaning(
        400,
        "The agent does not exist or belongs to another brokerage.",
        "Use the number of a user of this brokerage.",
    ),
    "idempotency_key_invalid": Meaning(
        400,
        "`Idempotency-Key` does not have 1 to 255 printable ASCII characters.",
        "Send another key, such as a UUID.",
    ),
    "if_match_invalid": Meaning(
        400,
        "`If-Match` is not an ETag, a list of them, or `*`.",
        "Send the `ETag` of the resource unchanged, with its quotes, or leave the header out.",
    ),
    "credentials_missing": Meaning(
        401,
        "The request has no `Bearer` credentials.",
        "Send `Authorization: Bearer` with an API key or a user's token.",
    ),
    "credentials_invalid": Meaning(
        401,
        "The API key or token is not valid here. It may be mistyped, revoked or expired, or belong to another "
        "brokerage than the `Host`.",
        "Check the key and the host. With a token, log in again.",
    ),
    "login_failed": Meaning(
        401,
        "The email address or the password is wrong.",
        "Check both. After five failures in 15 minutes the answer is `login_rate_limited`.",
    ),
    "totp_required": Meaning(
        401,
        "The password is right, and the user's login has a second step: `totp` is missing, wrong or was used already.",
        "Send the login again with the code that the authenticator app shows now, or a recovery code, as `totp`.",
    ),
    "plan_required": Meaning(
        403,
        "The brokerage's plan does not include this. `requiredPlan` names the lowest plan that does.",
        "Upgrade the plan.",
    ),
    "role_not_allowed": Meaning(
        403,
        "The user's role does not allow this.",
        "Ask an owner of the brokerage, or use an API key.",
    ),
    "cross_site_request": Meaning(
        403,
        "The browser sent this request from a page of another website.",
        "Open the page on this host and submit it there.",
    ),
    "not_found": Meaning(
        404,
        "The resource does not exist, or is not visible to the caller. With `asOf`, it did not exist at that time.",
        "Check the id.",
    ),
    "brokerage_not_found": Meaning(
        404,
        "No brokerage has the domain that `Host` names, or it is disabled.",
        "Check the domain, and that it points to the right installation.",
    ),
    "link_not_found": Meaning(
        404,
        "The link of a mail is not valid: it is incomplete, or, if it opens something once, was used or has expired.",
        "Open the complete link from the mail. For a password, ask for a new link.",
    ),
    "path_not_found": Meaning(
        404,
        "This path does not exist.",
        "Check the path against the reference.",
    ),
    "method_not_allowed": Meaning(
        405,
        "The path exists, but does not accept this method.",
        "Use one of the methods that `Allow` lists.",
    ),
    "request_timeout": Meaning(
        408,
        "The request did not arrive in time, or too slowly. The connection is closed.",
        "Send the request again, with the same `Idempotency-Key`.",
    ),
    "already_taken": Meaning(
        409,
        "A value that must be unique is already in use. The message names it.",
        "Choose another value.",
    ),
    "similar_contacts": Meaning(
        409,
        "With `unlessSimilar=true`: other contacts may be the same person as the new one, so it was not created.",
        "Look at them (`GET /api/contacts/similar`), or send the request without `unlessSimilar`.",
    ),
    "slug_taken": Meaning(
        409,
        "Another request took the slug at the same moment.",
        "Send the request again.",
    ),
    "idempotency_key_reused": Meaning(
        409,
        "The `Idempotency-Key` was used for a request with another body.",
        "Use a new key for a new request.",
    ),
    "wrong_state": Meaning(
        409,
        "The state of the resource does not allow this. The message says why.",
        "Read the resource, and change its state first.",
    ),
    "changed_meanwhile": Meaning(
        409,
        "Someone else changed the same resource, or the brokerage, at the same moment.",
        "Read it again, then repeat the change.",
    ),
    "changed_since": Meaning(
        409,
        "The change cannot be undone: all of its fields have changed since, or cannot be set back.",
        "Read the history, then undo the later change, or change the fields themselves.",
    ),
    "own_webhook": Meaning(
        410,
        "The request is one of Aureum's own webhooks. They may not change anything here.",
        "Point the webhook at another system.",
    ),
    "version_stale": Meaning(
        412,
        "The resource has changed since the `ETag` in `If-Match`.",
        "Read it again, then repeat the change with the new `ETag`.",
    ),
    "body_too_large": Meaning(413, "The body is larger than the endpoint accepts.", "Send a smaller body."),
    "media_type_unsupported": Meaning(
        415,
        "The endpoint does not accept the body's `Content-Type`.",
        "Send JSON with `Content-Type: application/json`. Public forms may also be urlencoded or multipart.",
    ),
    "encoding_unsupported": Meaning(
        415,
        "The body is compressed.",
        "Send the body uncompressed, without `Content-Encoding`.",
    ),
    **{code: Meaning(413 if code == "pdf_too_large" else 415, *reason) for code, reason in REASONS.items()},
    "rate_limited": Meaning(
        429,
        "Too many requests with an API key, from one client address to public endpoints, or for tests of a webhook.",
        "Wait for the seconds in `Retry-After`.",
    ),
    "login_rate_limited": Meaning(
        429,
        "Too many failed logins, or requests for a new password.",
        "Wait for the seconds in `Retry-After`.",
    ),
    "internal_error": Meaning(
        500,
        "An unexpected error in the server. The server's log has it under the request's id.",
        "Send the request again once, with the same `Idempotency-Key`. Report its `X-Request-Id` if it fails again.",
    ),
    "busy": Meaning(
        503,
        "The server is busy at the moment.",
        "Wait for the seconds in `Retry-After`, then send the request again with the same `Idempotency-Key`.",
    ),
    "database_unavailable": Meaning(
        503,
        "The database is unavailable at the moment.",
        "Wait for the seconds in `Retry-After`, then send the request again with the same `Idempotency-Key`.",
    ),
}
