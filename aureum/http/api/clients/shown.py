"""Responses about what belongs to a contact, with an ETag of all streams that they are made of."""

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from aureum.commands.of_contacts import Around
from aureum.http.contract.answers import answer, living_etag, resource_etag
from aureum.http.contract.endpoint import Context
from aureum.http.contract.idempotency import Replayed
from aureum.store.event_store import Appended


def versions(context: Context, of: Around[Any]) -> str:
    """The ETag of what is read of several streams together."""
    return living_etag(of.version, context.caller.read_version or None)


def answered_around(
    context: Context,
    of: Around[Any],
    body: Callable[[Any], bytes],
    appended: Appended | None = None,
    status: int = 200,
) -> Response:
    """*of* as it is now, unless a twin of the request came first. Raises Replayed."""
    if appended is not None and appended.remembered is not None:
        raise Replayed(appended.remembered)
    return answer(body(of), status=status, headers={"ETag": resource_etag(of.version, context.caller)})
