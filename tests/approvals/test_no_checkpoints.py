"""Agents whose checkpoints go with their process, or who keep none: what they did is not done again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from approvals.approval_office import ApprovalOffice, call
from sealing import SEAL
from waiting import wait_until

from harness_core import Harness, RunState
from harness_core.events import OutputDelta, RunFailed
from harness_core.models import Run
from harness_core.policy import Ask, Called, CallSite, Deny, judge
from harness_core.workspace.schema.runtime import Checkpointer


def keeping(office: ApprovalOffice, kind: str) -> None:
    """The office's agent with tools that ask nobody, and this checkpointer."""
    yaml = office.folder / "workspace.yaml"
    text = yaml.read_text().replace("tools: [restart, toggle, notify, look]", "tools: [notify, look]")
    yaml.write_text(text.replace("model: demo\ntools", f"model: demo\ncheckpointer: {{kind: {kind}}}\ntools"))


async def left_behind(office: ApprovalOffice, text: str) -> str:
    """A run that a worker let go of after its first words, at the end of its patience."""
    run_id = await office.ask(text)
    async with office.worker("first") as first:
        await wait_until(lambda: said(office, run_id), what="a word")
        await first.drain(limit=0.5, grace=0.1)
    return run_id


async def said(office: ApprovalOffice, run_id: str) -> bool:
    return any(isinstance(each.payload, OutputDelta) for each in await office.store.events.read(run_id))


async def went_on(office: ApprovalOffice, run_id: str) -> tuple[Run, str]:
    """How it ended with the next worker, and what people read if it failed."""
    async with office.worker("second"):
        run = await office.ended(run_id)
    failed = [each.payload for each in await office.store.events.read(run_id)]
    return run, "".join(each.message for each in failed if isinstance(each, RunFailed))


@pytest.mark.parametrize("kind", ["memory", "false"])
async def test_a_call_that_was_made_is_not_made_again_for_want_of_a_checkpoint(
    office: ApprovalOffice, kind: str
) -> None:
    keeping(office, kind)
    run_id = await left_behind(office, f"{call('notify')} then stream for 20s")

    run, message = await went_on(office, run_id)

    assert len(office.ran("notify")) == 1
    assert (run.state, run.reason) == (RunState.FAILED, "cannot_continue")
    assert "“notify” ran or may have run" in message
    assert run_id in message


async def test_calls_that_may_be_repeated_do_not_keep_a_run_from_beginning_anew(
    office: ApprovalOffice,
) -> None:
    keeping(office, "false")
    run_id = await left_behind(office, f"{call('look')} then stream for 1s")

    run, _ = await went_on(office, run_id)

    assert run.state is RunState.COMPLETED
    assert len(office.ran("look")) == 2


async def test_a_harness_that_closes_gives_such_a_run_its_time_to_end(office: ApprovalOffice) -> None:
    keeping(office, "memory")
    run_id = await office.ask(f"{call('notify')} then stream for 2s")
    harness = Harness(office.store, office.holder, seal=SEAL)
    async with harness:
        await wait_until(lambda: said(office, run_id), what="a word")
        await harness.close(limit=6.0)

    run = await office.store.runs.get(run_id)
    assert run.state is RunState.COMPLETED
    assert len(office.ran("notify")) == 1


@pytest.mark.parametrize(
    ("agent", "acting", "waits"),
    [
        ("kept", "kept", True),
        ("forgetful", "forgetful", False),
        ("kept", "inner", False),
        ("kept", "deep", False),
    ],
)
def test_where_nothing_can_wait_for_people_a_call_that_needs_them_is_refused(
    office: ApprovalOffice, agent: str, acting: str, *, waits: bool
) -> None:
    workspace = office.holder.current
    ops, none = workspace.agents["ops"], Checkpointer(kind=False)
    agents = {
        "kept": ops.model_copy(update={"name": "kept", "subagents": ("inner",)}),
        "forgetful": ops.model_copy(update={"name": "forgetful", "checkpointer": none}),
        "inner": ops.model_copy(update={"name": "inner", "checkpointer": none, "subagents": ("deep",)}),
        "deep": ops.model_copy(update={"name": "deep"}),
    }
    spec = workspace.tools["restart"].for_tool()

    verdict = judge(
        replace(workspace, agents=agents),
        Called(spec=spec, name="restart", source="restart"),
        {"service": "web"},
        CallSite(requester="U1", agent=agent, acting=acting),
    )

    assert isinstance(verdict, Ask) is waits
    assert waits or (isinstance(verdict, Deny) and "keeps no checkpoints" in verdict.reason)
