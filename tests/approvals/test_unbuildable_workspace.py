"""A workspace that reads well and whose agents cannot be built: what worked stays, for those who wait, too."""

from __future__ import annotations

import sys

import pytest
from approvals.approval_office import TENANT, ApprovalOffice, call
from sealing import SEAL
from waiting import wait_until

from harness_core import Approvals, Harness, RunState, WorkspaceHolder
from harness_core.approvals import Approve, Won
from harness_core.workspace import Reloaded

WHOLE = '''
def look(service: str) -> str:
    """Look at a service."""
    return f"{service} looked at anew"
'''
BROKEN = f"{WHOLE}\nraise RuntimeError('this package is not whole')\n"


def break_a_tool(office: ApprovalOffice) -> None:
    """Has the YAML name a module that cannot be imported for a tool of the agent."""
    sys.modules.pop("late_tools", None)
    (office.folder / "late_tools.py").write_text(BROKEN)
    yaml = office.folder / "workspace.yaml"
    text = yaml.read_text().replace("python: approval_tools:look", "python: late_tools:look")
    yaml.write_text(text.replace("[approval_tools]", "[approval_tools, late_tools]"))


async def refused(caplog: pytest.LogCaptureFixture) -> None:
    await wait_until(lambda: "the last good one stays" in caplog.text, what="the agents were not built")


async def test_a_run_that_waits_goes_on_where_a_changed_workspace_cannot_be_built(
    office: ApprovalOffice, caplog: pytest.LogCaptureFixture
) -> None:
    holder = office.holder
    async with Harness(office.store, holder, seal=SEAL) as harness:
        paused = await harness.run(call("restart"))
        before = holder.current
        break_a_tool(office)
        assert isinstance(holder.reload(), Reloaded)
        await refused(caplog)
        assert holder.current is before

        done = await harness.resume(paused.approval_id, decision="approve", decided_by="U2")

    assert done.state is RunState.COMPLETED
    assert len(office.ran("restart")) == 1


async def test_a_process_that_builds_no_agents_ends_no_run_for_what_it_read(
    office: ApprovalOffice, caplog: pytest.LogCaptureFixture
) -> None:
    async with office.worker():
        run_id = await office.ask(call("restart"))
        asked = await office.question(run_id)
        await office.parked(run_id)
        break_a_tool(office)
        await refused(caplog)
        elsewhere = Approvals(office.store, WorkspaceHolder(office.folder, {}))

        outcome = await elsewhere.decide(
            TENANT, asked.approval_id, Approve(), revision=asked.revision, by="U2", source="message"
        )
        run = await office.ended(run_id)

    assert isinstance(outcome, Won)
    assert run.state is RunState.COMPLETED


async def test_a_requested_reload_tries_a_repaired_package_though_the_yaml_is_the_same(
    office: ApprovalOffice, caplog: pytest.LogCaptureFixture
) -> None:
    holder = office.holder
    async with Harness(office.store, holder, seal=SEAL) as harness:
        before = holder.current
        break_a_tool(office)
        await refused(caplog)
        (office.folder / "late_tools.py").write_text(WHOLE)
        await harness.reads.request_reload()
        await wait_until(lambda: holder.current is not before, what="the agents are built")

        done = await harness.run(call("look"))

    assert "web looked at anew" in done.output
