"""Leads that staff gave to another agent: what routing may learn from, where a brokerage wants it to."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from aureum.domain.routing.enquiry import Enquiry


@dataclass(frozen=True, slots=True)
class Example:
    """What the visitor of a lead said, and the agent whose the lead became."""

    lead_id: UUID
    number: int
    agent: UUID
    at: datetime
    enquiry: Enquiry

    @property
    def name(self) -> str:
        """How a reason names it, which quotes no other visitor."""
        return f"lead {self.number}, which staff gave to this agent"
