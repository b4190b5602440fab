"""A model that chooses the agent: what it is asked, which answers count, and who answers when it does not."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from harness_core.errors import UnknownAgent
from harness_core.models import Candidate, RoutingQuestion
from harness_core.routing import Request, Selection, choose_agent, select_agent
from harness_core.workspace import Workspace, load_workspace

FOLDER = """\
kind: Model
name: fast
provider: demo
model: demo
---
{kind: Agent, name: ops, model: fast, description: Runs services., subagents: [helper]}
---
{kind: Agent, name: billing, model: fast, description: Sends invoices.}
---
{kind: Agent, name: helper, model: fast, description: Helps ops.}
---
{kind: Channel, channel: C1, agent: billing}
---
kind: Runtime
routing:
  default_agent: ops
  rules: [{when: {prefix: deploy}, agent: ops}]
"""
ROUTED = FOLDER + '  model: {use: fast, prompt: "Who fits?", timeout: 100ms}\n'


def workspace(folder: Path, text: str = ROUTED) -> Workspace:
    (folder / "all.yaml").write_text(text, encoding="utf-8")
    return load_workspace(folder, {})


class Model:
    """Answers what it is told to, and keeps the questions."""

    def __init__(self, answer: str | Exception) -> None:
        self.answer = answer
        self.asked: list[RoutingQuestion] = []

    async def __call__(self, question: RoutingQuestion) -> str:
        self.asked.append(question)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def test_a_model_chooses_among_the_hosts_and_is_told_what_they_say_about_themselves(
    tmp_path: Path,
) -> None:
    model = Model("billing")
    chosen = await choose_agent(workspace(tmp_path), Request(text="my bill is wrong"), model)
    assert chosen == Selection(agent="billing", step="model")
    assert model.asked == [
        RoutingQuestion(
            model="fast",
            prompt="Who fits?",
            candidates=(
                Candidate(agent="ops", description="Runs services."),
                Candidate(agent="billing", description="Sends invoices."),
            ),
            text="my bill is wrong",
        )
    ]


@pytest.mark.parametrize("answer", ["billing", " `billing`.\n", '"Billing"', "BILLING"])
async def test_an_answer_counts_however_it_is_dressed(tmp_path: Path, answer: str) -> None:
    chosen = await choose_agent(workspace(tmp_path), Request(text="hello"), Model(answer))
    assert (chosen.agent, chosen.step) == ("billing", "model")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("helper", "the answer is not one of the agents"),
        ("I think billing fits", "the answer is not one of the agents"),
        ("", "the answer is not one of the agents"),
        (ConnectionError("sk-secret"), "the model failed (ConnectionError)"),
        (TimeoutError(), "the model failed (TimeoutError)"),
    ],
)
async def test_any_other_answer_leaves_it_to_the_later_steps_which_say_why(
    tmp_path: Path, answer: str | Exception, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        chosen = await choose_agent(workspace(tmp_path), Request(text="hello"), Model(answer))
    assert chosen == Selection(agent="ops", step="default", problem=problem)
    assert problem in caplog.text
    assert "sk-secret" not in caplog.text


async def test_a_model_that_takes_too_long_is_not_waited_for(tmp_path: Path) -> None:
    cancelled = asyncio.Event()

    async def never(_question: RoutingQuestion) -> str:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return "billing"

    async with asyncio.timeout(5):
        chosen = await choose_agent(workspace(tmp_path), Request(text="hello"), never)
    assert chosen == Selection(agent="ops", step="default", problem="no answer within 0.1 s")
    assert cancelled.is_set()


async def test_a_cancelled_selection_does_not_choose(tmp_path: Path) -> None:
    started = asyncio.Event()

    async def never(_question: RoutingQuestion) -> str:
        started.set()
        await asyncio.Event().wait()
        return "billing"

    task = asyncio.create_task(choose_agent(workspace(tmp_path), Request(text="hello"), never))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    "request_",
    [
        Request(explicit="ops", text="hello"),
        Request(thread_agent="billing", text="hello"),
        Request(channel="C1", text="hello"),
        Request(text="deploy web"),
        Request(text="  "),
    ],
)
async def test_a_model_is_not_asked_where_something_else_decides(tmp_path: Path, request_: Request) -> None:
    space, model = workspace(tmp_path), Model("billing")
    assert await choose_agent(space, request_, model) == select_agent(space, request_)
    assert model.asked == []


async def test_a_model_is_not_asked_where_the_workspace_has_none_for_it(tmp_path: Path) -> None:
    model = Model("billing")
    chosen = await choose_agent(workspace(tmp_path, FOLDER), Request(text="hello"), model)
    assert (chosen.step, model.asked) == ("default", [])


async def test_a_model_is_not_asked_about_a_single_host(tmp_path: Path) -> None:
    model = Model("ops")
    single = ROUTED.replace("subagents: [helper]", "subagents: [helper, billing]")
    chosen = await choose_agent(workspace(tmp_path, single), Request(text="hello"), model)
    assert (chosen.agent, chosen.step, model.asked) == ("ops", "default", [])


async def test_a_model_reads_no_more_of_a_message_than_it_needs(tmp_path: Path) -> None:
    model = Model("billing")
    await choose_agent(workspace(tmp_path), Request(text="x" * 100_000), model)
    assert len(model.asked[0].text) == 4_000


async def test_an_agent_that_is_gone_is_an_error_here_too(tmp_path: Path) -> None:
    with pytest.raises(UnknownAgent):
        await choose_agent(workspace(tmp_path), Request(thread_agent="gone"), Model("billing"))
