"""A deep agent with all that can be had: a subagent, tools of servers over both transports, files, and memory."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from openai_stand_in import StandIn, openai_stand_in
from runtime.room_servers import PROGRAM, effects, http_tickets, running_servers
from sealing import SEAL

from harness_core import Harness, RunState, Store, WorkspaceHolder
from harness_core.events import StepCompleted, ToolResult

WORKSPACE = """
kind: Runtime
routing: {{default_agent: lead}}
recovery: {{lease: 5s}}
---
kind: Model
name: fast
provider: demo
model: demo
params: {{delay: 0}}
---
kind: EmbeddingModel
name: small
provider: openai
model: words
base_url: {models}
api_key: {key}
---
kind: Tool
name: remember
python: harness_core.tools:remember
approval: never
idempotent: true
---
kind: Tool
name: recall
python: harness_core.tools:recall
approval: never
idempotent: true
---
kind: Tool
name: tickets
mcp: {{transport: http, url: "{url}", allow: [create]}}
approval: never
idempotent: true
---
kind: Tool
name: local
mcp: {{transport: stdio, command: "{python}", args: ["{program}", stdio], env: {{EFFECTS: "{effects}"}}, allow: [search]}}
approval: never
idempotent: true
---
kind: Agent
name: lead
description: Looks into things.
mode: deepagent
model: fast
tools: [tickets, remember, recall]
subagents: [researcher]
---
kind: Agent
name: researcher
description: Searches.
model: fast
tools: [local]
"""


def call(name: str, **arguments: Any) -> str:
    return f"call {name} {json.dumps(arguments)}"


def write_workspace(folder: Path, models: StandIn, url: str) -> WorkspaceHolder:
    folder.mkdir()
    filled = WORKSPACE.format(
        models=models.base_url,
        key=models.api_key,
        url=url,
        python=sys.executable,
        program=PROGRAM,
        effects=folder.parent / "effects",
    )
    (folder / "all.yaml").write_text(filled)
    return WorkspaceHolder(folder, {})


async def test_a_deep_agent_asks_a_subagent_uses_servers_files_and_what_it_remembers(
    redis_url: str, tmp_path: Path
) -> None:
    (tmp_path / "remote").mkdir()
    store = await Store.open(redis_url, seal=SEAL)
    async with openai_stand_in() as models, http_tickets(tmp_path / "remote") as tickets:
        holder = await asyncio.to_thread(write_workspace, tmp_path / "workspace", models, tickets.url)
        async with Harness(store, holder, seal=SEAL) as harness:
            work = "; ".join(
                [
                    call("task", subagent_type="researcher", description=call("search", query="login")),
                    call("write_file", file_path="/report.md", content="login fails since 11:58"),
                    call("read_file", file_path="/brief.md"),
                    call("create", title="login fails"),
                    call("remember", note="We never deploy on Fridays."),
                ]
            )
            first = await harness.run(work, files={"/brief.md": "look into the login"})
            again = await harness.run(call("read_file", file_path="/report.md"), thread_id=first.thread_id)
            other = await harness.run(call("recall", query="when may I launch a release?"))

            said = await _results(harness, first.run_id)
            steps = [
                each.payload
                for each in await harness.reads.list_events(first.run_id)
                if isinstance(each.payload, StepCompleted)
            ]
            files = await harness.files(first.thread_id)
            at_work = len(await asyncio.to_thread(running_servers))
        at_rest = len(await asyncio.to_thread(running_servers))
    await store.close()

    assert (first.state, again.state, other.state) == (RunState.COMPLETED,) * 3
    assert list(said) == ["task", "write_file", "read_file", "create", "remember"]
    assert "3 tickets about login" in said["task"]
    assert "look into the login" in said["read_file"]
    assert json.loads(said["create"]) == {"id": 7, "title": "login fails"}
    assert all(step.ok for step in steps)
    assert files == {"/brief.md": "look into the login", "/report.md": "login fails since 11:58"}
    assert "login fails since 11:58" in again.output
    assert other.thread_id != first.thread_id
    assert "We never deploy on Fridays." in other.output
    assert effects(tmp_path) == ["search login"]
    assert (at_work, at_rest) == (2, 1)  # the one over HTTP is not ours to end
    assert effects(tmp_path / "remote") == ["create login fails"]
    assert models.embedded == ["We never deploy on Fridays.", "when may I launch a release?"]


async def _results(harness: Harness, run_id: str) -> dict[str, str]:
    events = await harness.reads.list_events(run_id)
    return {each.payload.tool: each.payload.output for each in events if isinstance(each.payload, ToolResult)}
