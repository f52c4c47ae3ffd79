"""The roles of a template: what persons are in its documents, such as ``buyer`` and ``seller``."""

from dataclasses import dataclass
from uuid import UUID, uuid5

from aureum.domain.envelope_parts import LONGEST_ORDER, ROLES
from aureum.domain.errors import Invalid

LONGEST_ROLE = 50

OF_ROLES = UUID("6f2d1c1e-8f0b-5a53-9d5e-3c1f5a4b7e21")
"""The namespace of the ids that fields know roles by."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a person is in the documents, such as ``buyer``. ``role`` says whether the person signs or gets a copy."""

    name: str
    role: str = "signer"
    order: int = 1

    @property
    def id(self) -> UUID:
        """What fields know it by."""
        return role_id(self.name)


def role_id(name: str) -> UUID:
    """What fields know the role of this name by."""
    return uuid5(OF_ROLES, name)


def check_role(one: Role) -> None:
    """Raises Invalid."""
    if not one.name.strip() or len(one.name) > LONGEST_ROLE:
        raise Invalid("roles", f"The name of a role must be 1 to {LONGEST_ROLE} characters, such as buyer.")
    if one.role not in ROLES:
        raise Invalid("roles", f"role of a role must be one of: {', '.join(ROLES)}.")
    if not 1 <= one.order <= LONGEST_ORDER:
        raise Invalid("roles", f"order of a role must be from 1 to {LONGEST_ORDER}.")
