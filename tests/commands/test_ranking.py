"""Rankings by the engine as the domain has them: what decides, what is left to the fallback, and who is out."""

import asyncio
import subprocess
import sys
from typing import Any
from uuid import UUID

import pytest

from aureum.commands.ranking import Profiles, asking, ranking_of
from aureum.domain.routing.eligible import Agent
from aureum.domain.routing.enquiry import Enquiry, Listing
from aureum.domain.routing.ranking import Met, Ranking
from aureum.routing.decision import Because, Decision, How, Ranked

ANA, BEN, CORA = (UUID(int=number) for number in (1, 2, 3))
SCORES = (Ranked(BEN, 2.0), Ranked(ANA, 1.5), Ranked(CORA, None, "language"))


def agent(user_id: UUID, *specialties: str, **fields: Any) -> Agent:
    return Agent(user_id, user_id.int, "Agent", "agent", specialties=specialties, **fields)


def rank(enquiry: Enquiry, *agents: Agent, pool: tuple[Agent, ...] | None = None) -> Ranking:
    return asyncio.run(Profiles(agents).rank(enquiry, agents if pool is None else pool))


HORSES = Enquiry(message="We need stalls and pasture for our mares and an arena")


def test_an_enquiry_finds_its_agent_by_the_profile() -> None:
    team = (agent(ANA, "downtown condos"), agent(BEN, "horse property"), agent(CORA))
    ranking = rank(HORSES, *team)
    assert (ranking.how, ranking.chosen, ranking.model, ranking.missing) == ("letters", BEN, None, None)
    assert ranking.because[0].profile == "horse property" and ranking.margin is not None and ranking.margin >= 1
    assert [user_id for user_id, _ in ranking.ranked] == [BEN, CORA, ANA]
    assert rank(HORSES, *team, pool=(team[0], team[2])).chosen is None, "who is not eligible gets nothing"


def test_the_listing_is_part_of_the_enquiry() -> None:
    team = (agent(ANA, "downtown condos"), agent(BEN, "horse property"))
    asked = Enquiry(message="Is this still available?")
    assert rank(asked, *team).how == "nothing_said"
    listing = Listing("Barn, stalls and pasture", "LAND", "Emmett", "900000")
    about = rank(Enquiry(message=asked.message, listing=listing), *team)
    assert about.ranked[0][0] == BEN and about.how != "nothing_said"


def test_the_writers_names_are_masked() -> None:
    team = (agent(ANA, "condos"), agent(BEN, "Lake Lowell"))
    told = Enquiry(message="My name is Lowell Lake. Please call me")
    assert rank(told, *team).chosen == BEN
    assert rank(Enquiry(message=told.message, names=("Lowell", "Lake")), *team).how == "nothing_said"


def test_what_needs_no_comparison_makes_none() -> None:
    team = (agent(ANA), agent(BEN))
    assert rank(HORSES, *team) == Ranking("nothing_said")
    assert rank(HORSES, agent(ANA, "condos")) == Ranking("only", ((ANA, None),))
    assert rank(HORSES) == Ranking("nobody")
    assert rank(Enquiry(message="Busco una casa con jardín para mi familia"), *team).how == "nothing_said"
    speaker = agent(BEN, languages=("es",))
    spanish = rank(Enquiry(message="Busco una casa con jardín para mi familia"), agent(ANA), speaker)
    assert (spanish.chosen, spanish.language, spanish.other_language) == (BEN, "es", (ANA,))


@pytest.mark.parametrize("how", [How.LITERAL, How.LETTERS, How.MEANING])
def test_what_is_decided_stands_even_without_the_model(how: How) -> None:
    because = (Because("a place with stalls", "horse property"),)
    ranking = ranking_of(Decision(how, SCORES, 0.5, because=because, model_missing="late"))
    assert (ranking.how, ranking.chosen, ranking.missing) == (how.value, BEN, "late")
    assert ranking.ranked == ((BEN, 2.0), (ANA, 1.5)) and ranking.other_language == (CORA,)
    assert ranking.because == (Met("a place with stalls", "horse property"),)


@pytest.mark.parametrize(("missing", "how"), [("late", "late"), ("busy", "late"), ("away", "broken")])
@pytest.mark.parametrize("open_", [How.NEAR_TIE, How.NOTHING_SAID])
def test_what_is_open_without_the_model_is_left_to_the_fallback(open_: How, missing: str, how: str) -> None:
    ranking = ranking_of(Decision(open_, SCORES, 0.1, (BEN, ANA), model_missing=missing))
    assert (ranking.how, ranking.chosen, ranking.best, ranking.missing) == (how, None, (), missing)


def test_a_near_tie_names_who_is_near_and_gives_no_reason() -> None:
    ranking = ranking_of(Decision(How.NEAR_TIE, SCORES, 0.1, (BEN, ANA), (Because("a", "b"),), "model 1"))
    assert (ranking.how, ranking.best, ranking.because, ranking.model) == ("near_tie", (BEN, ANA), (), "model 1")


def test_profiles_are_made_ready_once_however_many_ask() -> None:
    async def asked(profiles: Profiles) -> None:
        waiting = asyncio.ensure_future(profiles.rank(HORSES, profiles.agents))
        others = [asyncio.ensure_future(profiles.rank(HORSES, profiles.agents)) for _ in range(5)]
        await asyncio.sleep(0)
        waiting.cancel()
        assert {ranking.chosen for ranking in await asyncio.gather(*others)} == {BEN}
        assert await profiles.roster() is await profiles.roster()

    asyncio.run(asked(Profiles((agent(ANA, "downtown condos"), agent(BEN, "horse property")))))


def test_nothing_that_goes_wrong_refuses_a_lead(capsys: pytest.CaptureFixture[str]) -> None:
    odd = agent(ANA, 7)  # type: ignore[arg-type]  # what no agent can have
    assert rank(HORSES, odd, agent(BEN, "horse property")) == Ranking("broken")
    assert "ranking_failed" in capsys.readouterr().out


def test_profiles_that_take_too_long_are_not_waited_for() -> None:
    async def asked(profiles: Profiles) -> None:
        with asking(None, 0.0):
            late = await profiles.rank(HORSES, profiles.agents)
        assert late == Ranking("late", missing="late")
        assert (await profiles.rank(HORSES, profiles.agents)).chosen == BEN

    asyncio.run(asked(Profiles((agent(ANA, "downtown condos"), agent(BEN, "horse property")))))


@pytest.mark.parametrize(
    "module",
    ["aureum.commands.leads", "aureum.processes.worker_child", "aureum.processes.http_child", "aureum.cli.main"],
)
def test_what_ranks_nothing_imports_no_numpy(module: str) -> None:
    code = f"import sys, {module}; print('numpy' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout == "False\n"
