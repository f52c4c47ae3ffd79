"""A user: somebody of the staff. Agents are users whose profile says which leads suit them."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from aureum.domain.aggregate import Aggregate, Created
from aureum.domain.errors import Invalid

ROLES = ("platform_admin", "brokerage_owner", "broker", "agent")


class User(Aggregate):
    """The aggregate. ``specialties`` are the agent's own words for places and kinds of homes."""

    number: int
    email: str
    name: str
    role: str
    password_hash: str | None
    takes_leads: bool
    specialties: tuple[str, ...]

    def __init__(self) -> None:
        """Joined.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of a user's events."""

    class Joined(Event, Created):
        """Somebody joined the staff. The password is there only as its Argon2id hash."""

        TOPIC: ClassVar[str] = "user.joined"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("email", "name", "password_hash"))

        number: int
        email: str
        name: str
        role: str
        password_hash: str | None
        takes_leads: bool
        specialties: tuple[str, ...]

        def apply(self, aggregate: "User") -> None:
            aggregate.number = self.number
            aggregate.email = self.email
            aggregate.name = self.name
            aggregate.role = self.role
            aggregate.password_hash = self.password_hash
            aggregate.takes_leads = self.takes_leads
            aggregate.specialties = self.specialties

    @classmethod
    def join(
        cls,
        user_id: UUID,
        at: datetime,
        *,
        number: int,
        email: str,
        name: str,
        role: str,
        password_hash: str | None,
        takes_leads: bool,
        specialties: tuple[str, ...],
    ) -> "User":
        """A new member of the staff. Raises Invalid."""
        if role not in ROLES:
            raise Invalid("role", f"role must be one of: {', '.join(ROLES)}.")
        if not name.strip():
            raise Invalid("name", "name must not be blank.")
        return cls._create(
            cls.Joined,
            id=user_id,
            timestamp=at,
            number=number,
            email=email,
            name=name.strip(),
            role=role,
            password_hash=password_hash,
            takes_leads=takes_leads,
            specialties=specialties,
        )
