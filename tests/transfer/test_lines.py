"""What a line of an exported file says of an event whose key is gone."""

from uuid import uuid4

import pytest

from aureum.store.mapper import REGISTRY, TOGETHER
from aureum.transfer.lines import NOTHING, opened


@pytest.mark.parametrize(("schema_version", "lost"), [(1, {"name", "email"}), (2, {"name", "email", "language"})])
def test_what_a_version_did_not_have_yet_is_not_lost(schema_version: int, lost: set[str]) -> None:
    """A release that knows the older version alone imports the file, too."""
    fields = {"recipient_id": str(uuid4()), "role": "signer", "order": 1, TOGETHER: "c2VhbGVk"}
    kind = REGISTRY["envelope.recipient_added"]
    personal, names = opened(kind, uuid4(), uuid4(), 3, schema_version, fields, None, False)
    assert (personal, set(names)) == (NOTHING, lost) and TOGETHER not in fields
