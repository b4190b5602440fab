"""From a declaration to an instance: names, places, tools, and what is said when it cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain.agents.middleware import (
    CodexSandboxExecutionPolicy,
    DockerExecutionPolicy,
    HostExecutionPolicy,
)
from langchain.agents.middleware.types import AgentMiddleware, ToolCallRequest
from langchain_core.messages import ToolMessage
from langgraph.errors import GraphBubbleUp, GraphInterrupt
from runtime.room_workspace import agent, workspace

from harness_core.approvals import Effect
from harness_core.errors import StaleFence, WorkspaceInvalid
from harness_core.runtime.middleware import DeclaredMiddleware, Kit, declared_middleware, through
from harness_core.runtime.models import load_model
from harness_core.runtime.parts import unusable
from harness_core.runtime.tools import load_tool
from harness_core.workspace import ToolSpec, Workspace
from harness_core.workspace.schema import MIDDLEWARE_TYPES

EVERY = {
    "context_editing": "",
    "custom": "python: 'runtime.room_middleware:Upper', params: {suffix: s}",
    "file_search": "root_path: .",
    "llm_tool_emulator": "tests_only: true",
    "llm_tool_selector": "model: fast",
    "model_call_limit": "run_limit: 5",
    "model_fallback": "models: [fast]",
    "model_retry": "",
    "patch_tool_calls": "",
    "pii": "pii_type: email",
    "provider_tool_search": "",
    "shell": "execution_policy: {type: docker, memory_bytes: 1000000}",
    "summarization": "trigger: {tokens: 4000, messages: 9}, keep: {tokens: 500}, summary_prompt: '{messages}'",
    "todo_list": "system_prompt: Plan.",
    "tool_call_limit": "tool_name: status, thread_limit: 5",
    "tool_error": "",
    "tool_retry": "",
}


def kit(space: Workspace, **changes: Any) -> Kit:
    def models(name: str) -> Any:
        return load_model(space.models[name]).model

    status = load_tool(
        ToolSpec(name="status", python="runtime.room_tools:status", approval="never", idempotent=True)
    )
    given: dict[str, Any] = {
        "model": models("fast"),
        "models": models,
        "tools": {"status": status},
        "folder": space.folder,
    }
    return Kit(**{**given, **changes})


def space(folder: Path, *declared: str) -> Workspace:
    lines = "".join(f"  - {each}\n" for each in declared)
    tool = "kind: Tool\nname: status\npython: runtime.room_tools:status\napproval: never\nidempotent: true\n"
    return workspace(folder, tool, agent("status", extra=f"middleware:\n{lines}"))


def build(folder: Path, *declared: str, **changes: Any) -> DeclaredMiddleware:
    made = space(folder, *declared)
    return declared_middleware(made, made.agents["ops"], kit(made, **changes))


def declaration(name: str) -> str:
    return f"{{type: {name}, {EVERY[name]}}}".replace(", }", "}")


def test_every_type_has_an_example_here() -> None:
    assert EVERY.keys() == MIDDLEWARE_TYPES.keys()


@pytest.mark.parametrize("name", sorted(EVERY))
def test_a_declaration_becomes_an_instance_of_the_name_that_it_says(tmp_path: Path, name: str) -> None:
    made = build(tmp_path, declaration(name))
    spec = space(tmp_path, declaration(name)).middleware_of(space(tmp_path, declaration(name)).agents["ops"])[
        0
    ]
    if name == "patch_tool_calls":
        assert (made.before, made.around_tools) == ((), ())
        return
    (layer,) = made.before if spec.side == "around_model" else made.around_tools
    assert isinstance(layer, AgentMiddleware)
    assert layer.name == ("Upper" if name == "custom" else spec.instance_name)
    assert tuple(tool.name for tool in made.brought) == (("brought",) if name == "custom" else spec.brings)


def test_the_order_stays_as_it_was_written_on_either_side_of_the_gate(tmp_path: Path) -> None:
    names = ("tool_error", "todo_list", "model_retry", "tool_retry", "pii")
    made = build(tmp_path, *map(declaration, names))
    assert [layer.name for layer in made.before] == [
        "TodoListMiddleware",
        "ModelRetryMiddleware",
        "PIIMiddleware[email]",
    ]
    assert [layer.name for layer in made.around_tools] == ["ToolErrorMiddleware", "ToolRetryMiddleware"]


def test_tools_that_come_along_are_known_for_what_they_do(tmp_path: Path) -> None:
    made = build(tmp_path, *map(declaration, ("todo_list", "shell", "file_search", "custom")))
    effects = {tool.name: (tool.effect, tool.spec.approval) for tool in made.brought}
    assert effects == {
        "write_todos": (Effect.NONE, "never"),
        "shell": (Effect.ONCE, "always"),
        "glob_search": (Effect.NONE, "never"),
        "grep_search": (Effect.NONE, "never"),
        "brought": (Effect.ONCE, "never"),
    }


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (
            "{type: custom, python: 'runtime.room_middleware:Secretive', params: {token: sk-hunter22}}",
            "cannot be built: ValueError",
        ),
        ("{type: custom, python: 'runtime.room_middleware:SyncOnly'}", "without awrap_tool_call"),
        ("{type: custom, python: 'runtime.room_middleware:NoMiddleware'}", "not a class of LangChain's"),
        ("{type: custom, python: 'runtime.room_middleware:Upper'}", "cannot be built: TypeError"),
        ("{type: summarization, trigger: {fraction: 0.5}}", "profile"),
    ],
)
def test_a_declaration_that_cannot_be_built_says_why_and_no_secret(
    tmp_path: Path, declared: str, said: str
) -> None:
    with pytest.raises(WorkspaceInvalid) as refused:
        build(tmp_path, declared)
    (finding,) = refused.value.findings
    assert said in str(finding)
    assert str(finding).startswith("workspace: Agent ops: ")
    assert "hunter22" not in str(finding)


def test_all_declarations_that_cannot_be_built_are_told_at_once(tmp_path: Path) -> None:
    def no_model(name: str) -> Any:
        raise unusable("model-unusable", f"Model {name}", RuntimeError("needs a key"))

    declared = (
        "{type: model_fallback, models: [fast]}",
        "{type: custom, python: 'runtime.room_middleware:NoMiddleware'}",
        "{type: todo_list}",
        "{type: custom, python: 'runtime.room_middleware:Namesake'}",
    )
    with pytest.raises(WorkspaceInvalid) as refused:
        build(tmp_path, *declared, models=no_model)
    told = [str(finding) for finding in refused.value.findings]
    assert len(told) == 3
    assert "Model fast: needs a key" in told[0]
    assert "two of its middleware are called TodoListMiddleware" in told[2]


def test_retrying_a_tool_that_only_its_server_knew_of_is_refused_when_it_is_known(tmp_path: Path) -> None:
    once = load_tool(ToolSpec(name="status", python="runtime.room_tools:status"))
    with pytest.raises(WorkspaceInvalid, match="must not happen twice: status"):
        build(tmp_path, "{type: tool_retry, tools: [status]}", tools={"status": once})


@pytest.mark.parametrize(
    ("declared", "policy"),
    [
        ("{type: host, memory_bytes: 9}", HostExecutionPolicy(memory_bytes=9)),
        ("{type: docker, command_timeout: 5s}", DockerExecutionPolicy(command_timeout=5.0)),
        ("{type: codex, platform: linux}", CodexSandboxExecutionPolicy(platform="linux")),
    ],
)
def test_a_shell_has_the_walls_that_were_declared(tmp_path: Path, declared: str, policy: object) -> None:
    made = build(tmp_path, f"{{type: shell, allow_host: true, execution_policy: {declared}}}")
    (shell,) = made.before
    assert getattr(shell, "_execution_policy", None) == policy


# Interrupts and lost leases pass through


def request() -> ToolCallRequest:
    call: Any = {"name": "status", "args": {"service": "web"}, "id": "c1", "type": "tool_call"}
    runtime: Any = None
    return ToolCallRequest(tool_call=call, tool=None, state={}, runtime=runtime)


def wrapping(made: DeclaredMiddleware) -> list[AgentMiddleware[Any, Any]]:
    """Those that could come between a call and its tool."""
    return [
        layer
        for layer in (*made.before, *made.around_tools)
        if type(layer).awrap_tool_call is not AgentMiddleware.awrap_tool_call
    ]


#: It answers in place of the tool, so nothing is raised behind it.
ANSWERS_ITSELF = {"llm_tool_emulator"}


@pytest.mark.parametrize("name", sorted(EVERY.keys() - ANSWERS_ITSELF))
async def test_a_question_to_people_passes_through_every_declared_middleware(
    tmp_path: Path, name: str
) -> None:
    async def asks(_request: ToolCallRequest) -> ToolMessage:
        raise GraphInterrupt

    for layer in wrapping(build(tmp_path, declaration(name))):
        with pytest.raises(GraphBubbleUp):
            await through([layer], asks)(request())


@pytest.mark.parametrize("name", ["tool_error", "tool_retry"])
async def test_a_lost_lease_is_neither_retried_nor_told_to_the_model(tmp_path: Path, name: str) -> None:
    tried = 0

    async def lost(_request: ToolCallRequest) -> ToolMessage:
        nonlocal tried
        tried += 1
        raise StaleFence("somebody else has it")

    (layer,) = wrapping(build(tmp_path, declaration(name)))
    with pytest.raises(StaleFence):
        await through([layer], lost)(request())
    assert tried == 1


async def test_the_first_of_several_layers_is_the_outermost() -> None:
    passed: list[str] = []

    class Notes(AgentMiddleware[Any, Any]):
        def __init__(self, mark: str) -> None:
            super().__init__()
            self.mark = mark

        async def awrap_tool_call(self, request: ToolCallRequest, handler: Any) -> Any:
            passed.append(self.mark)
            return await handler(request)

    async def answers(_request: ToolCallRequest) -> ToolMessage:
        passed.append("tool")
        return ToolMessage("", tool_call_id="c1")

    await through([Notes("a"), Notes("b")], answers)(request())
    assert passed == ["a", "b", "tool"]
