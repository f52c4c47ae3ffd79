"""What the address of the list of leads says, and what the API is asked for it: the list, the board and the export go
by the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, get_args
from urllib.parse import parse_qsl, urlencode

from aureum.http.api.leads.lead_fields import Status
from aureum.http.api.leads.lead_list import Sort
from aureum.http.panel.visit import Visit

HERE = "/admin/leads"

NOBODY = "nobody"
"""The assignee of leads that are assigned to no user."""

STATUSES: Sequence[str] = get_args(Status)

NAMES = ("q", "status", "source", "assigned", "since", "until", "spam", "pond", "sort", "view")
"""What the address may say, in the order in which it is written."""

FORMER: Mapping[str, str] = {"q": "search", "assigned": "assignedToId"}
"""How addresses that users keep from before 0.9 say the same."""

CHOICES: Mapping[str, Sequence[str]] = {
    "status": STATUSES,
    "spam": ("yes",),
    "pond": ("yes",),
    "sort": get_args(Sort),
    "view": ("board",),
}


def day(text: str) -> date | None:
    """The day that a field for a date sends; None for what is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@dataclass(frozen=True)
class LeadQuery:
    """What is *chosen*, by the names of the address; nothing that is none of its choices."""

    chosen: Mapping[str, str]

    @classmethod
    def of(cls, visit: Visit) -> "LeadQuery":
        """That of the page's address."""
        return cls.read(visit.request.query_params)

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "LeadQuery":
        """That of the parameters of any address."""
        given = {name: (query.get(name) or query.get(FORMER.get(name, ""), "")).strip() for name in NAMES}
        return cls(
            {
                name: text
                for name, text in given.items()
                if text
                and (name not in CHOICES or text in CHOICES[name])
                and (name not in ("since", "until") or day(text) is not None)
            }
        )

    @classmethod
    def sent(cls, text: str) -> "LeadQuery":
        """That of the query of an address, which a form sends."""
        return cls.read(dict(parse_qsl(text.removeprefix("?"))))

    def __getitem__(self, name: str) -> str:
        return self.chosen.get(name, "")

    @property
    def asked(self) -> dict[str, Any]:
        """The parameters of the API's list. Suspected spam is a list of its own, as it is counted apart; a search finds
        it as well."""
        until = day(self["until"])
        nobodys = self["assigned"] == NOBODY
        return {
            "search": self["q"],
            "status": self["status"],
            "source": self["source"],
            "assignedToId": "" if nobodys else self["assigned"],
            "unassigned": "true" if nobodys else "",
            "pond": "true" if self["pond"] else "",
            "suspect": "true" if self["spam"] else "" if self["q"] else "false",
            "createdSince": self["since"],
            "createdBefore": "" if until is None or until == date.max else (until + timedelta(days=1)).isoformat(),
            "sort": self["sort"],
        }

    @property
    def filtered(self) -> bool:
        """Whether it leaves out any leads but those of other statuses."""
        return bool(set(self.chosen) - {"status", "sort", "view"})

    def address(self, **other: str) -> str:
        """That of the same list but for *other*, of which what is blank is left out."""
        return HERE + self.text(**other)

    def text(self, **other: str) -> str:
        """The query of that address, with its question mark, or nothing."""
        both = {**self.chosen, **other}
        said = {name: both[name] for name in (*NAMES, *(set(other) - set(NAMES))) if both.get(name)}
        return f"?{urlencode(said)}" if said else ""
