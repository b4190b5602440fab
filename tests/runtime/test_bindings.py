"""Agents of a workspace as the engine finds them, and what surrounds a turn."""

from __future__ import annotations

from pathlib import Path

import pytest
from langchain_core.language_models.chat_models import BaseChatModel
from langsmith.utils import tracing_is_enabled
from runtime.room_leases import Leases
from runtime.room_turns import results, run
from runtime.room_workspace import agent, tool, workspace

from harness_core.errors import UnknownAgent, WorkspaceInvalid
from harness_core.runtime import AgentRuntime, Asking, HostBinding, Turn, render_runtime_failure
from harness_core.runtime.models import load_model
from harness_core.store import Seal, Store
from harness_core.workspace import ModelSpec, agent_digest


def openai(**params: object) -> BaseChatModel:
    given = {"name": "m", "provider": "openai", "model": "gpt-5-mini", "api_key": "sk-test-0123456789"}
    return load_model(ModelSpec.model_validate({**given, "params": params})).model


def test_openai_speaks_chat_completions_unless_the_workspace_says_otherwise() -> None:
    assert getattr(openai(), "use_responses_api", None) is False
    assert getattr(openai(use_responses_api=True), "use_responses_api", None) is True


def test_the_key_of_a_model_is_in_none_of_its_texts() -> None:
    model = openai()

    assert "sk-test" not in f"{model!r} {model!s} {model.model_dump()}"


def test_hosts_are_the_agents_a_conversation_can_be_routed_to(
    tmp_path: Path, store: Store, seal: Seal
) -> None:
    documents = (agent(extra="description: Looks after services.\n"), agent(name="sales"))
    space = workspace(tmp_path, *documents)
    runtime = AgentRuntime(space, store, seal)

    assert runtime.digest("ops") == agent_digest(space, "ops")
    assert sorted(runtime.hosts(), key=lambda host: host.agent) == [
        HostBinding(agent="ops", description="Looks after services."),
        HostBinding(agent="sales", description=""),
    ]


async def test_an_unknown_agent_is_named_with_the_known_ones(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    runtime = AgentRuntime(workspace(tmp_path, agent()), store, seal)

    with pytest.raises(UnknownAgent, match=r"no agent “opps”\. Known agents: ops"):
        await run(runtime, await leases.claim(), "hi", name="opps")


async def test_the_position_of_a_run_whose_agent_is_gone_says_so(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    before = workspace(tmp_path / "before", agent(), agent(name="old"))
    fence = await leases.claim()
    await run(AgentRuntime(before, store, seal), fence, "say 1 word", name="old")

    with pytest.raises(UnknownAgent, match="old"):
        await AgentRuntime(workspace(tmp_path / "after", agent()), store, seal).position(fence)


async def test_warming_up_builds_every_agent_or_says_what_is_wrong(
    tmp_path: Path, store: Store, seal: Seal
) -> None:
    fine = AgentRuntime(workspace(tmp_path / "fine", agent(), agent(name="two")), store, seal)
    await fine.warm()

    broken = workspace(tmp_path / "broken", tool("silent", "undocumented"), agent("silent"))
    with pytest.raises(WorkspaceInvalid, match=r"Tool silent: .* has no docstring"):
        await AgentRuntime(broken, store, seal).warm()


async def test_the_context_of_a_turn_reaches_tools_and_is_not_kept(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    space = workspace(tmp_path, tool("context_reader"), agent("context_reader"))
    runtime = AgentRuntime(space, store, seal)
    fence = await leases.claim()
    turn = Turn(fence=fence, agent="ops", text="call context_reader", user="U1", context={"region": "eu"})

    chunks = [chunk async for chunk in runtime.stream(turn)]
    await leases.finish(fence)
    later = await run(runtime, await leases.claim(), "call context_reader")

    assert [result.output for result in results(chunks)] == ["eu"]
    assert [result.output for result in results(later)] == ["no context"]


async def test_a_graph_that_asks_is_found_asking(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    space = workspace(tmp_path, tool("asks"), agent("asks"))
    fence = await leases.claim()
    await run(AgentRuntime(space, store, seal), fence, "call asks")

    position = await AgentRuntime(space, store, seal).position(fence)

    assert isinstance(position, Asking)


async def test_an_agent_that_goes_in_circles_is_stopped(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness_core.runtime.adapter.RECURSION_LIMIT", 6)
    space = workspace(tmp_path, tool("long_winded"), agent("long_winded"))
    runtime = AgentRuntime(space, store, seal)

    with pytest.raises(RecursionError) as failure:
        await run(runtime, await leases.claim(), "; ".join(["call long_winded"] * 9))

    code, sentence = render_runtime_failure(failure.value, run_id="run_1")
    assert code == "too_many_steps"
    assert sentence.startswith("The agent went on for too many steps without an answer.")


def test_conversations_are_traced_nowhere_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
        monkeypatch.setenv(name, "true")

    assert not tracing_is_enabled()
