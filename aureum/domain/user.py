"""A user: a member of the staff. Agents are users whose profile says which leads suit them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from aureum.domain import profile, totp
from aureum.domain.aggregate import Aggregate, Created
from aureum.domain.errors import Invalid, NotFound, WrongState
from aureum.domain.saved_view import MOST, NO_VIEW, TOO_MANY, SavedView
from aureum.domain.texts import one_line

ROLES = ("platform_admin", "brokerage_owner", "broker", "agent")

PROFILE = ("role", *profile.PROFILE)
"""What may change later besides the name, the bio and the password; nothing of it is personal."""

NOTIFY = ("at_once", "digest", "none")
"""Which mails a user gets about leads and showings: each at once, all of them in one on working mornings, or none."""

JSON_LISTS = frozenset(profile.LISTS)

LANGUAGES = ("en", "es")
"""The languages in which users are invited."""

HAS_PASSWORD = "This user has a password already, so no invitation is needed."  # noqa: S105  it is a sentence
NO_SUCH_CODE = "There is no such recovery code."
IS_DISABLED = "A disabled user cannot be invited. Enable the user first."


class User(Aggregate):
    """The aggregate. ``specialties`` are the agent's own words for places and kinds of homes; what the other fields of
    a profile mean, ``aureum.domain.profile`` says."""

    number: int
    email: str
    name: str
    role: str
    password_hash: str | None
    takes_leads: bool
    specialties: tuple[str, ...]
    bio: str | None
    areas: tuple[str, ...]
    languages: tuple[str, ...]
    price_min: str | None
    price_max: str | None
    daily_cap: int | None
    hours: dict[str, list[str]] | None
    away_from: str | None
    away_to: str | None
    primary: bool
    notify: str
    disabled: bool
    invited_at: datetime | None
    views: dict[str, SavedView]
    totp_secret: str | None
    recovery: tuple[str, ...]

    def __init__(self) -> None:
        """Joined.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of a user's events."""

    class Joined(Event, Created):
        """The user joined the staff. The password is kept only as its Argon2id hash."""

        TOPIC: ClassVar[str] = "user.joined"
        class_version: ClassVar[int] = 2
        SEALED_ONE_BY_ONE: ClassVar[int] = 1
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("email", "name", "password_hash"))
        SECRET: ClassVar[frozenset[str]] = frozenset(("password_hash",))

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
            aggregate.bio = aggregate.price_min = aggregate.price_max = None
            aggregate.areas = aggregate.languages = ()
            aggregate.daily_cap = aggregate.hours = aggregate.away_from = aggregate.away_to = None
            aggregate.primary = False
            aggregate.notify = NOTIFY[0]
            aggregate.disabled = False
            aggregate.invited_at = None
            aggregate.views = {}
            aggregate.totp_secret = None
            aggregate.recovery = ()

    class Renamed(Event):
        """The user has another name."""

        TOPIC: ClassVar[str] = "user.renamed"
        class_version: ClassVar[int] = 2
        SEALED_ONE_BY_ONE: ClassVar[int] = 1
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("name",))

        name: str

        def apply(self, aggregate: "User") -> None:
            aggregate.name = self.name

    class ProfileChanged(Event):
        """Other rights or other leads; ``changes`` holds those of ``PROFILE`` that changed."""

        TOPIC: ClassVar[str] = "user.profile_changed"

        changes: dict[str, Any]

        def apply(self, aggregate: "User") -> None:
            for name, value in self.changes.items():
                # JSON has no tuples.
                setattr(aggregate, name, tuple(value) if name in JSON_LISTS else value)

    class BioChanged(Event):
        """The agent is described in other words, or in none."""

        TOPIC: ClassVar[str] = "user.bio_changed"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("bio",))

        bio: str | None

        def apply(self, aggregate: "User") -> None:
            aggregate.bio = self.bio

    class PasswordSet(Event):
        """The password is another one, of which only the Argon2id hash is kept. All sessions of the user end."""

        TOPIC: ClassVar[str] = "user.password_set"
        class_version: ClassVar[int] = 2
        SEALED_ONE_BY_ONE: ClassVar[int] = 1
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("password_hash",))
        SECRET: ClassVar[frozenset[str]] = frozenset(("password_hash",))

        password_hash: str

        def apply(self, aggregate: "User") -> None:
            aggregate.password_hash = self.password_hash
            aggregate.invited_at = None

    class Invited(Event):
        """The user gets a mail in this language, with a link at which to choose a password."""

        TOPIC: ClassVar[str] = "user.invited"

        language: str

        def apply(self, aggregate: "User") -> None:
            aggregate.invited_at = self.timestamp

    class InvitationCancelled(Event):
        """The link in the mail opens nothing any more."""

        TOPIC: ClassVar[str] = "user.invitation_cancelled"

        def apply(self, aggregate: "User") -> None:
            aggregate.invited_at = None

    class TotpEnabled(Event):
        """Logins need a code of the user's authenticator app, too. ``recovery`` are the SHA-256 of codes that replace
        it."""

        TOPIC: ClassVar[str] = "user.totp_enabled"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("secret", "recovery"))
        SECRET: ClassVar[frozenset[str]] = frozenset(("secret", "recovery"))

        secret: str
        recovery: str

        def apply(self, aggregate: "User") -> None:
            aggregate.totp_secret = self.secret
            aggregate.recovery = tuple(self.recovery.split())

    class RecoveryCodeUsed(Event):
        """The user logged in with it; it works no more."""

        TOPIC: ClassVar[str] = "user.recovery_code_used"
        SECRET: ClassVar[frozenset[str]] = frozenset(("used",))

        used: str

        def apply(self, aggregate: "User") -> None:
            aggregate.recovery = tuple(one for one in aggregate.recovery if one != self.used)

    class TotpDisabled(Event):
        """The password is enough."""

        TOPIC: ClassVar[str] = "user.totp_disabled"

        def apply(self, aggregate: "User") -> None:
            aggregate.totp_secret = None
            aggregate.recovery = ()

    class Disabled(Event):
        """The user is logged out, and cannot log in any more."""

        TOPIC: ClassVar[str] = "user.disabled"

        def apply(self, aggregate: "User") -> None:
            aggregate.disabled = True
            aggregate.invited_at = None

    class Enabled(Event):
        """The user may log in again."""

        TOPIC: ClassVar[str] = "user.enabled"

        def apply(self, aggregate: "User") -> None:
            aggregate.disabled = False

    class NotifyChanged(Event):
        """The user wants other mails; ``notify`` is one of ``NOTIFY``."""

        TOPIC: ClassVar[str] = "user.notify_changed"

        notify: str

        def apply(self, aggregate: "User") -> None:
            aggregate.notify = self.notify

    class ViewSaved(Event):
        """The user has saved a list, or the same view with another name or other filters. Both may hold what the user
        searched for."""

        TOPIC: ClassVar[str] = "user.view_saved"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("name", "query"))

        view: str
        page: str
        name: str
        query: str

        def apply(self, aggregate: "User") -> None:
            aggregate.views = {**aggregate.views, self.view: SavedView(self.name, self.page, self.query)}

    class ViewRemoved(Event):
        """The user keeps a view no longer."""

        TOPIC: ClassVar[str] = "user.view_removed"

        view: str

        def apply(self, aggregate: "User") -> None:
            aggregate.views = {name: one for name, one in aggregate.views.items() if name != self.view}

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
        check_role(role)
        check_name(name)
        return cls._create(
            cls.Joined,
            id=user_id,
            timestamp=at,
            number=number,
            email=email,
            name=one_line(name.strip()),
            role=role,
            password_hash=password_hash,
            takes_leads=takes_leads,
            specialties=tuple(map(one_line, specialties)),
        )

    @property
    def has_password(self) -> bool:
        """Whether the user has chosen a password."""
        return self.password_hash is not None

    @property
    def totp(self) -> bool:
        """Whether logins need a code, too."""
        return self.totp_secret is not None

    @property
    def owns(self) -> bool:
        """Whether the user manages the brokerage at present."""
        return self.role == "brokerage_owner" and not self.disabled

    @property
    def administers(self) -> bool:
        """Whether the user manages the platform at present."""
        return self.role == "platform_admin" and not self.disabled

    def rename(self, name: str, at: datetime) -> None:
        """Raises Invalid for a blank name."""
        check_name(name)
        name = one_line(name.strip())
        if name != self.name:
            self.trigger_event(self.Renamed, timestamp=at, name=name)

    def change_profile(self, changes: Mapping[str, Any], at: datetime) -> None:
        """Change some of ``PROFILE``, and the bio. Raises Invalid."""
        kept = profile.checked(changes)
        if "bio" in kept:
            self.change_bio(kept.pop("bio"), at)
        changed = {name: value for name, value in kept.items() if value != getattr(self, name)}
        if not changed:
            return
        if "role" in changed:
            check_role(changed["role"])
        after = {name: getattr(self, name) for name in PROFILE} | changed
        profile.check_order(after["price_min"], after["price_max"])
        profile.check_absence(after["away_from"], after["away_to"])
        recorded = {name: list(value) if name in JSON_LISTS else value for name, value in changed.items()}
        self.trigger_event(self.ProfileChanged, timestamp=at, changes=recorded)

    def change_bio(self, bio: str | None, at: datetime) -> None:
        """Describe the agent in other words; None for none."""
        if bio != self.bio:
            self.trigger_event(self.BioChanged, timestamp=at, bio=bio)

    def change_notify(self, notify: str, at: datetime) -> None:
        """Choose which mails the user gets. Raises Invalid."""
        if notify not in NOTIFY:
            raise Invalid("notify", f"notify must be one of: {', '.join(NOTIFY)}.")
        if notify != self.notify:
            self.trigger_event(self.NotifyChanged, timestamp=at, notify=notify)

    def save_view(self, view: str, saved: SavedView, at: datetime) -> None:
        """Save a view, or the same view in another way. Raises WrongState for too many."""
        if view not in self.views and len(self.views) >= MOST:
            raise WrongState(TOO_MANY)
        if self.views.get(view) != saved:
            self.trigger_event(self.ViewSaved, timestamp=at, view=view, **saved._asdict())

    def remove_view(self, view: str, at: datetime) -> None:
        """Keep a view no longer. Raises NotFound."""
        if view not in self.views:
            raise NotFound(NO_VIEW)
        self.trigger_event(self.ViewRemoved, timestamp=at, view=view)

    def set_password(self, password_hash: str, at: datetime) -> None:
        """A hash has salt of its own: whether the password is another cannot be told, so it always counts as one."""
        self.trigger_event(self.PasswordSet, timestamp=at, password_hash=password_hash)

    def invite(self, language: str, at: datetime) -> None:
        """Have the user choose a password, by a link in a mail. A new invitation replaces the one before. Raises
        Invalid, WrongState."""
        if language not in LANGUAGES:
            raise Invalid("language", f"language must be one of: {', '.join(LANGUAGES)}.")
        if self.disabled:
            raise WrongState(IS_DISABLED)
        if self.password_hash is not None:
            raise WrongState(HAS_PASSWORD)
        self.trigger_event(self.Invited, timestamp=at, language=language)

    def cancel_invitation(self, at: datetime) -> None:
        """End an invitation, if there is one."""
        if self.invited_at is not None:
            self.trigger_event(self.InvitationCancelled, timestamp=at)

    def enable_totp(self, secret: str, recovery: list[str], at: datetime) -> None:
        """Ask for codes of *secret* from now on; *recovery* are the digests of codes that replace them. Raises
        Invalid."""
        totp.check_secret(secret)
        self.trigger_event(self.TotpEnabled, timestamp=at, secret=secret, recovery=" ".join(recovery))

    def use_recovery_code(self, used: str, at: datetime) -> None:
        """*used* is its digest. Raises WrongState for one that there is not, or no more."""
        if used not in self.recovery:
            raise WrongState(NO_SUCH_CODE)
        self.trigger_event(self.RecoveryCodeUsed, timestamp=at, used=used)

    def disable_totp(self, at: datetime) -> None:
        """Ask for the password alone."""
        if self.totp:
            self.trigger_event(self.TotpDisabled, timestamp=at)

    def disable(self, at: datetime) -> None:
        """Shut the user out."""
        if not self.disabled:
            self.trigger_event(self.Disabled, timestamp=at)

    def enable(self, at: datetime) -> None:
        """Let the user in again."""
        if self.disabled:
            self.trigger_event(self.Enabled, timestamp=at)


def check_role(role: str) -> None:
    """Raises Invalid for a role that there is not."""
    if role not in ROLES:
        raise Invalid("role", f"role must be one of: {', '.join(ROLES)}.")


def check_name(name: str) -> None:
    """Raises Invalid for a blank name."""
    if not name.strip():
        raise Invalid("name", "name must not be blank.")
