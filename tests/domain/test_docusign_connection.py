"""The connection to DocuSign: what counts as one, and what is left of it where its keys are gone."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from aureum.domain.aggregate import ERASED, event_of, replay
from aureum.domain.docusign_connection import Details, DocusignConnection, connection_of
from aureum.domain.errors import Invalid

AT = datetime(2026, 1, 1, tzinfo=UTC)
TENANT = UUID(int=7)
GUID = "6f1e29d1-7a3b-4a06-9f6e-2d0c7c1b8a55"
DETAILS = Details(GUID, GUID, GUID, False, "a key", ("k" * 44,))


def test_a_brokerage_has_one_connection_whose_ids_are_in_one_form() -> None:
    one = DocusignConnection.connect(TENANT, AT, DETAILS._replace(user_id=f" {{{GUID.upper()}}} "))
    assert (one.id, one.user_id, one.connected) == (connection_of(TENANT), GUID, True)
    one.reconnect(AT, DETAILS._replace(connect_keys=("k" * 44, " " + "k" * 44, "")))
    assert one.version == 1
    one.reconnect(AT, DETAILS._replace(production=True, connect_keys=()))
    assert (one.version, one.production, one.connect_keys) == (2, True, ())
    for _ in range(2):
        one.disconnect(AT)
    assert (one.version, one.connected, one.private_key, one.details.connect_keys) == (3, False, "", ())
    one.reconnect(AT, DETAILS)
    assert one.connected and replay(one.pending_events).details == DETAILS


@pytest.mark.parametrize("gone", [None, "", ERASED])
def test_without_its_key_there_is_no_connection_and_no_call_is_genuine(gone: str | None) -> None:
    """Keys stay where they were when a brokerage moves; and what cannot be opened any more reads as erased."""
    (event,) = DocusignConnection.connect(TENANT, AT, DETAILS).pending_events
    left = {**vars(event), "private_key": gone, "connect_keys": gone}
    moved = replay([event_of(DocusignConnection.Connected, left)])
    assert (moved.connected, moved.private_key, moved.connect_keys) == (False, "", ())


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"integration_key": "me"}, "integration_key"),
        ({"user_id": "ann@example.com"}, "user_id"),
        ({"account_id": "\0"}, "account_id"),
        ({"account_id": "1234567"}, "account_id"),
        ({"connect_keys": ("short",)}, "connect_keys"),
        ({"connect_keys": ("k" * 20 + "\n" + "k" * 20,)}, "connect_keys"),
        ({"connect_keys": ("k" * 20 + " " + "k" * 20,)}, "connect_keys"),
        ({"connect_keys": ("ключ" * 10,)}, "connect_keys"),
        ({"connect_keys": tuple(f"{n:044}" for n in range(101))}, "connect_keys"),
    ],
)
def test_what_cannot_be_used_is_refused(changed: dict[str, Any], field: str) -> None:
    tries: list[Callable[[Details], object]] = [
        lambda details: DocusignConnection.connect(TENANT, AT, details),
        lambda details: DocusignConnection.connect(TENANT, AT, DETAILS).reconnect(AT, details),
    ]
    for attempt in tries:
        with pytest.raises(Invalid) as refused:
            attempt(DETAILS._replace(**changed))
        assert refused.value.field == field
