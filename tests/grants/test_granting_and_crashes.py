"""A worker that is lost around a call that a grant lets through."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from approvals.approval_office import TENANT, call
from grants.granting_office import GrantingOffice

from harness_core import RunState
from harness_core.approvals import NotGrantable, RunAgain

WEB = call("restart", env="staging")


async def test_a_call_that_broke_off_is_asked_about_although_it_was_granted(office: GrantingOffice) -> None:
    async with office.worker("w1"):
        await office.granted(WEB)
        office.hold("web")
        run_id = await office.say(WEB)
        await office.began("restart", 2)
    await office.later(3)
    office.let_go("web")
    async with office.worker("w2"):
        doubt = await office.question(run_id)
        assert (doubt.kind, doubt.grants) == ("uncertain", None)
        assert await office.give(doubt) == NotGrantable()
        await office.decide(doubt, RunAgain())
        await office.ended(run_id)

    assert len(office.ran("restart")) == 3
    assert len({row["key"] for row in office.ran("restart")}) == 2
    (grant,) = await office.all_grants()
    assert grant.used == 1, "the same call, so the same use"


async def died_before_it_started(office: GrantingOffice, text: str = WEB) -> str:
    """A run whose call a grant let through, and whose worker died before the call started."""
    reached = asyncio.Event()

    async def die(*_: Any, **__: Any) -> Any:
        reached.set()
        await asyncio.Event().wait()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(office.store.calls, "start", die)
        async with office.worker("dying"):
            run_id = await office.say(text)
            await asyncio.wait_for(reached.wait(), 10)
    await office.later(3)
    return run_id


async def test_a_worker_that_dies_between_use_and_start_leaves_a_call_that_runs_once_on_one_use(
    office: GrantingOffice,
) -> None:
    async with office.worker("w1"):
        await office.granted(WEB)
    run_id = await died_before_it_started(office)
    (grant,) = await office.all_grants()
    assert (grant.used, len(office.ran("restart"))) == (1, 1)
    async with office.worker("w3"):
        await office.ended(run_id)

    (grant,) = await office.all_grants()
    assert (grant.used, len(office.ran("restart"))) == (1, 2)
    assert (await office.names(run_id)).count("approval.granted") == 1


async def test_what_was_revoked_while_no_worker_was_there_is_asked_about_by_the_next(
    office: GrantingOffice,
) -> None:
    async with office.worker("w1"):
        grant = await office.granted(WEB)
    run_id = await died_before_it_started(office)
    await office.approvals.revoke(TENANT, grant.grant_id, by="U3", source="list")
    async with office.worker("w3"):
        asked = await office.question(run_id)
        assert len(office.ran("restart")) == 1
        await office.decide(asked)
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    assert len(office.ran("restart")) == 2


@pytest.mark.parametrize("tool", ["restart", "toggle"])
async def test_what_was_let_through_by_a_grant_that_is_forgotten_is_asked_about(
    office: GrantingOffice, tool: str
) -> None:
    async with office.worker("w1"):
        grant = await office.granted(call(tool))
        if tool == "toggle":
            office.hold("web")
            run_id = await office.say(call(tool))
            await office.began(tool, 2)
    if tool == "toggle":
        await office.later(3)
        office.let_go("web")
    else:
        run_id = await died_before_it_started(office, call(tool))
    ran = len(office.ran(tool))
    await office.store.upkeep.forget_runs(TENANT, [grant.approval.run_id])

    async with office.worker("w3"):
        asked = await office.question(run_id)
        assert len(office.ran(tool)) == ran
        await office.decide(asked)
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    assert len(office.ran(tool)) == ran + 1
