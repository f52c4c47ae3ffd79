"""Semantic routing from an enquiry to a decision: the cheap signals first, the model where they leave it open."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from aureum.routing.comparison import Comparison, compared
from aureum.routing.decision import Because, Decision, How
from aureum.routing.enquiry import Enquiry
from aureum.routing.model_client import ModelClient, ModelMissing
from aureum.routing.roster import Roster
from aureum.routing.vectors import Question


@dataclass(frozen=True)
class SemanticRouter:
    """``model`` is None where no model is set."""

    model: ModelClient | None = None

    async def decide(self, enquiry: Enquiry, roster: Roster, eligible: Collection[UUID] | None = None) -> Decision:
        """Who of *roster*, or of its *eligible* agents, should get the lead. It never raises for what was written, and
        waits for the model no longer than the client's time limit."""
        comparison = compared(enquiry, roster, eligible)
        early = comparison.early()
        if early is not None:
            return early
        if self.model is None:
            return comparison.without_model(None)
        try:
            answer, model = await self.model.answer(question(comparison), roster)
        except ModelMissing as missing:
            return comparison.without_model(missing.why)
        scores = np.array(answer.scores)
        because = tuple(Because(said, profile) for said, profile in answer.because)
        how = comparison.judged(scores, How.MEANING)
        return comparison.decision(how, scores, because if how is How.MEANING else (), str(model))


def question(comparison: Comparison) -> Question:
    """What the model is asked about *comparison*."""
    return Question(
        comparison.roster.digest,
        comparison.enquiry.text,
        comparison.enquiry.clauses,
        comparison.places,
        comparison.letters.tolist(),
        comparison.spoken_of(),
    )
