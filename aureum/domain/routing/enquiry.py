"""What a lead or a tour says, as rules and rankings read it. Who wrote it takes no part, but that names are masked."""

import re
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Listing:
    """The brokerage's own property that an enquiry is about. ``price`` is an exact decimal as text."""

    title: str = ""
    kind: str = ""
    city: str = ""
    price: str | None = None
    listing_id: str | None = None


@dataclass(frozen=True, slots=True)
class Enquiry:
    """``sources`` are where it came from: the lead's source and its ``utm_source``. ``names`` are the writer's own.
    ``person`` is by whom the brokerage may know the writer (``aureum.domain.people``), for the append alone."""

    subject: str = ""
    message: str = ""
    page: str = ""
    sources: tuple[str, ...] = ()
    listing_id: str | None = None
    listing: Listing | None = None
    names: tuple[str, ...] = ()
    person: UUID | None = None

    @property
    def text(self) -> str:
        """All that was written, and the words of the page."""
        return f"{self.subject} {self.message} {self.page}"


PAGE_PART = re.compile(r"[^/?#&=]+")


def page_parts(page: str) -> tuple[str, ...]:
    """The parts of a page's address, one of which may be a listing's id or slug: ``/property/202412345``."""
    return tuple(PAGE_PART.findall(re.sub(r"^[a-z][a-z+.-]*://[^/?#]*", "", page.strip(), flags=re.IGNORECASE)))[:20]
