"""The path of a lead or task that names a contact: it goes along when the contact is merged into another one, and back
when the merge is undone.

The path has the contacts that it came from, in their order, so that undoing one merge after the other leads back to
each.
"""

from uuid import UUID

Path = tuple[UUID, ...]


def moved(path: Path, previous: UUID, contact_id: UUID) -> Path:
    """The path once it goes from *previous* to *contact_id*: a step back, or one more."""
    return path[:-1] if path and path[-1] == contact_id else (*path, previous)
