from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from front_end.slack_bodies import CAST
from front_end.stage import Stage

from bot.admission import REFUSAL, Admission
from bot.delivery.web_api import SingleToken, WebApi
from bot.people import People
from bot.playground.faults import ErrorAnswer
from harness_core.models import Run
from harness_core.states import RunState

INFO = "users.info"


@pytest.fixture
async def admission(stage: Stage) -> AsyncIterator[Admission]:
    token = SingleToken(stage.slack.config.bot_token)
    people = People(WebApi(stage.session, token, base_url=stage.slack.api_url))
    yield Admission(people)
    await people.close()


def run_of(user: str, channel: str | None = CAST.general) -> Run:
    return Run(
        run_id="run_1",
        tenant=CAST.team,
        conversation="c",
        thread_id="t",
        user=user,
        state=RunState.RUNNING,
        created_at=0,
        target={"channel": channel} if channel else {},
    )


@pytest.mark.parametrize("user", [CAST.requester, CAST.admin])
async def test_members_may_start_runs(admission: Admission, user: str) -> None:
    assert await admission(run_of(user)) is None


@pytest.mark.parametrize("user", [CAST.guest, CAST.stranger])
async def test_guests_and_strangers_are_refused_in_a_sentence(admission: Admission, user: str) -> None:
    assert await admission(run_of(user)) == REFUSAL


async def test_a_look_up_that_fails_lets_the_run_start_and_is_not_remembered(
    stage: Stage, admission: Admission
) -> None:
    await stage.door.fault(ErrorAnswer(error="missing_scope", method=INFO))
    assert await admission(run_of(CAST.guest)) is None
    assert await admission(run_of(CAST.guest)) == REFUSAL


async def test_an_answer_is_remembered(stage: Stage, admission: Admission) -> None:
    for _ in range(3):
        await admission(run_of(CAST.requester))
    assert len(await stage.door.calls(INFO)) == 1


async def test_a_run_that_was_not_asked_for_in_slack_is_not_looked_up(
    stage: Stage, admission: Admission
) -> None:
    assert await admission(run_of("shell:root", channel=None)) is None
    assert await stage.door.calls(INFO) == []
