"""From what to what: the difference of two documents of one resource, as histories and webhooks show it."""

from typing import Any

NOT_CHANGES = frozenset(("id", "createdAt", "updatedAt"))


def changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """``{"status": {"from": "new", "to": "contacted"}}``; what was not there before comes from null."""
    return {
        name: {"from": before.get(name), "to": value}
        for name, value in after.items()
        if name not in NOT_CHANGES and before.get(name) != value
    }
