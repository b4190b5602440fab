"""Where the files of deep agents lie, and what an agent may do to them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from runtime.room_leases import TENANT, Leases
from runtime.room_turns import results, run
from runtime.room_workspace import agent, workspace

from harness_core.approvals import Effect
from harness_core.errors import WorkspaceInvalid
from harness_core.runtime import AgentRuntime, ToolResultChunk
from harness_core.store import Seal, Store


def call(name: str, **arguments: Any) -> str:
    return f"call {name} {json.dumps(arguments)}"


WRITE = call("write_file", file_path="/notes/a.md", content="kept words")
READ = call("read_file", file_path="/notes/a.md")


@dataclass
class Room:
    folder: Path
    store: Store
    seal: Seal
    leases: Leases

    def runtime(self, extra: str, *more: str) -> AgentRuntime:
        space = workspace(self.folder, agent(extra=f"mode: deepagent\n{extra}"), *more)
        return AgentRuntime(space, self.store, self.seal)

    async def turn(
        self, runtime: AgentRuntime, text: str, *, at: str = "C1", name: str = "ops"
    ) -> list[ToolResultChunk]:
        fence = await self.leases.claim(conversation=at)
        chunks = await run(runtime, fence, text, name=name)
        await self.leases.finish(fence)
        return results(chunks)


@pytest.fixture
def room(tmp_path: Path, store: Store, seal: Seal, leases: Leases) -> Room:
    return Room(tmp_path, store, seal, leases)


async def test_stored_files_are_there_in_another_conversation_for_the_same_agent_alone(room: Room) -> None:
    stored = "backend: {kind: store}\n"
    runtime = room.runtime(stored, agent(name="other", extra=f"mode: deepagent\n{stored}"))
    await room.turn(runtime, WRITE)

    (again,) = await room.turn(runtime, READ, at="C2")
    listed, found, searched = await room.turn(
        runtime,
        f"{call('ls', path='/notes')}; {call('glob', pattern='*.md')}; {call('grep', pattern='kept')}",
        at="C2",
    )
    (theirs,) = await room.turn(runtime, READ, at="C3", name="other")

    assert "kept words" in again.output
    assert all("/notes/a.md" in each.output for each in (listed, found, searched))
    assert "not found" in theirs.output
    assert await (await runtime.memory("T2")).asearch(("files",)) == []
    assert len(await (await runtime.memory(TENANT)).asearch(("files",))) == 1


async def test_files_in_a_folder_are_files_and_stay_inside_it(room: Room) -> None:
    (room.folder / "drafts").mkdir()
    (room.folder / "secret.md").write_text("not for agents")
    runtime = room.runtime("backend: {kind: folder, root: drafts}\n")

    await room.turn(runtime, WRITE)
    outside = await room.turn(
        runtime,
        f"{call('read_file', file_path='/../secret.md')}; {call('write_file', file_path='/../b.md', content='x')}",
    )

    assert (room.folder / "drafts" / "notes" / "a.md").read_text() == "kept words"
    assert "not for agents" not in "".join(each.output for each in outside)
    assert not (room.folder / "b.md").exists()


async def test_what_changes_files_outside_the_state_is_recorded_and_reading_is_not(room: Room) -> None:
    (room.folder / "drafts").mkdir()
    runtime = room.runtime("backend: {kind: folder, root: drafts}\n")
    effects = {name: tool.effect for name, tool in (await runtime._bindings.get("ops")).tools.items()}
    state = {name: tool.effect for name, tool in (await room.runtime("")._bindings.get("ops")).tools.items()}

    assert {name for name, effect in effects.items() if effect is Effect.IDEMPOTENT} == {
        *("write_file", "edit_file", "delete")
    }
    assert set(state.values()) == {Effect.NONE}


async def test_a_backend_of_ones_own_is_used_and_what_is_none_is_said(room: Room) -> None:
    runtime = room.runtime('backend: {kind: python, python: "runtime.room_backends:shared"}\n')
    await room.turn(runtime, WRITE)

    (again,) = await room.turn(runtime, READ, at="C2")

    assert "kept words" in again.output
    for name, why in (
        ("number", "gives a int, not a backend"),
        ("broken", "gives no backend: OSError: no disk"),
    ):
        wrong = room.runtime(f'backend: {{kind: python, python: "runtime.room_backends:{name}"}}\n')
        with pytest.raises(WorkspaceInvalid, match=f"Agent ops: runtime.room_backends:{name} {why}"):
            await wrong.warm()


async def test_reading_takes_no_longer_than_a_call_may_and_asking_a_subagent_does(room: Room) -> None:
    stuck = 'mode: deepagent\nbackend: {kind: python, python: "runtime.room_backends:stuck"}\n'
    space = workspace(room.folder, agent(extra=stuck), limits="{tool_call: 300ms}")
    runtime = AgentRuntime(space, room.store, room.seal)
    task = call("task", subagent_type="general-purpose", description=f"{READ}; {READ}")

    read, asked = await room.turn(runtime, f"{READ}; {task}")

    assert read.output == "“Reading /notes/a.md” took longer than 0.3 s and was given up."
    assert not asked.is_error


async def test_only_a_sandbox_brings_commands_and_each_happens_once(room: Room) -> None:
    runtime = room.runtime('backend: {kind: python, python: "runtime.room_backends:sandbox"}\n')
    tools = (await runtime._bindings.get("ops")).tools

    (ran,) = await room.turn(runtime, call("execute", command="echo hi"))

    assert "would run echo hi" in ran.output
    assert tools["execute"].effect is Effect.ONCE


async def test_what_permissions_deny_is_an_answer_also_for_the_general_purpose_subagent(room: Room) -> None:
    runtime = room.runtime('permissions: [{operations: [write], paths: ["/notes/**"], mode: deny}]\n')
    task = call("task", subagent_type="general-purpose", description=f"{WRITE}")

    (denied, nested) = await room.turn(runtime, f"{WRITE}; {task}")
    fence = await room.leases.claim()

    assert denied.is_error or "denied" in denied.output.lower()
    assert "could not answer" in nested.output or "denied" in nested.output.lower()
    assert await runtime.files(fence) == {}
