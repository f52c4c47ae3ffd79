"""What the roles of the staff may do beside their daily work, from the contract. Each refuses by raising NotAllowed."""

from typing import Literal

from aureum.domain.errors import NotAllowed
from aureum.domain.user import User

Role = Literal["platform_admin", "brokerage_owner", "broker", "agent"]

ADMIN = "platform_admin"
OWNER = "brokerage_owner"
BROKER = "broker"

ADMINS_ONLY = "Only a platform admin may do this."
MANAGERS_ONLY = "Only the owner of the brokerage or a platform admin may do this."
LEADERS_ONLY = "Only a broker, the owner of the brokerage or a platform admin may do this."
NOT_YOURS_TO_GIVE = "Only a platform admin may give a user the role platform_admin."
NOT_YOURS_TO_CHANGE = "Only a platform admin may change a platform admin."


def check_platform_admin(role: str | None) -> None:
    """Brokerages, with their domains and plans, are for platform admins."""
    if role != ADMIN:
        raise NotAllowed(ADMINS_ONLY)


def check_manager(role: str | None) -> None:
    """Users, keys, webhooks and settings of a brokerage are for its owner, and for platform admins."""
    if role not in (ADMIN, OWNER):
        raise NotAllowed(MANAGERS_ONLY)


def check_leader(role: str | None) -> None:
    """Profiles of agents are for brokers and owners of the brokerage, and for platform admins."""
    if role not in (ADMIN, OWNER, BROKER):
        raise NotAllowed(LEADERS_ONLY)


def check_giving(role: str | None, given: str | None) -> None:
    """Users cannot give a role above their own: an owner cannot make a user a platform admin."""
    if given == ADMIN and role != ADMIN:
        raise NotAllowed(NOT_YOURS_TO_GIVE)


def check_changing(role: str | None, user: User) -> None:
    """With the password of a platform admin in the brokerage, its owner would be one."""
    if user.role == ADMIN and role != ADMIN:
        raise NotAllowed(NOT_YOURS_TO_CHANGE)
