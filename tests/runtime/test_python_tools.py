"""References to tools: what a model gets to see of them, and what is refused with which words."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from langchain_core.utils.function_calling import convert_to_openai_tool
from runtime import room_tools
from runtime.room_workspace import agent, tool, workspace

from harness_core.runtime import check_runtime
from harness_core.runtime.tools import ToolUnusable, as_text, load_tool
from harness_core.workspace import ToolSpec


def spec(attribute: str, **changes: Any) -> ToolSpec:
    given = {"name": "checked", "python": f"runtime.room_tools:{attribute}", "idempotent": True}
    return ToolSpec.model_validate({**given, **changes})


def test_the_schema_comes_from_annotations_and_the_description_from_the_docstring() -> None:
    bound = load_tool(spec("deploys"))

    assert (bound.tool.name, bound.tool.description) == ("checked", "The latest deployments of a service.")
    schema = convert_to_openai_tool(bound.tool)["function"]["parameters"]
    assert schema["required"] == ["service"]
    assert schema["properties"]["env"] == {
        "default": "prod",
        "enum": ["prod", "staging"],
        "type": "string",
    }


def test_the_call_of_a_tool_is_hidden_from_the_model() -> None:
    assert list(load_tool(spec("identified")).tool.args) == ["service"]


def test_a_langchain_tool_goes_by_the_name_of_the_workspace() -> None:
    bound = load_tool(spec("as_langchain_tool"))

    assert (bound.tool.name, bound.tool.description) == ("checked", "A LangChain tool.")
    assert room_tools.as_langchain_tool.name == "as_langchain_tool"


async def test_a_function_that_blocks_does_not_hold_up_the_others() -> None:
    bound = load_tool(spec("stuck"))
    hanging = asyncio.create_task(bound.tool.ainvoke({"service": "a"}))
    quick = load_tool(spec("status"))

    assert "degraded" in await asyncio.wait_for(quick.tool.ainvoke({"service": "b"}), 5)
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging


@pytest.mark.parametrize("attribute", ["blocking_langchain_tool", "blocking_class_of_tool"])
async def test_a_langchain_tool_that_blocks_cannot_keep_the_process_from_ending(attribute: str) -> None:
    assert await load_tool(spec(attribute)).tool.ainvoke({"service": "web"}) == "web in a daemon: True"


async def test_a_plain_function_around_an_async_one_is_awaited() -> None:
    assert "web connection pool" in await load_tool(spec("wrapped_logs")).tool.ainvoke({"service": "web"})


@pytest.mark.parametrize(
    ("attribute", "words"),
    [
        ("losing_langchain_tool", "argument called config, which LangChain would fill in"),
        ("undocumented", "has no docstring"),
        ("unannotated", "parameter service has no annotation"),
        ("open_ended", "cannot be filled by name"),
        ("not_a_tool", "is a int: a tool is a function"),
        ("missing", "has no missing"),
    ],
)
def test_what_is_no_tool_is_refused_with_the_reason(attribute: str, words: str) -> None:
    with pytest.raises(ToolUnusable, match=words):
        load_tool(spec(attribute))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ({"é": [1, None]}, '{"é":[1,null]}'),
        (None, "null"),
        (1.5, "1.5"),
        ((1, 2), "[1,2]"),
    ],
)
def test_a_result_is_text_or_json(value: object, text: str) -> None:
    assert as_text(value) == text


def test_the_check_names_every_tool_and_model_that_cannot_be_used(tmp_path: Path) -> None:
    space = workspace(
        tmp_path,
        tool("silent", "undocumented"),
        tool("status"),
        "kind: Model\nname: keyless\nprovider: openai\nmodel: m\n",
        "kind: Model\nname: foreign\nprovider: mistralai\nmodel: m\napi_key: k-123456\n",
        "kind: Model\nname: wrong\nprovider: demo\nmodel: demo\nparams: {dely: 1}\n",
        agent("status"),
    )

    found = {finding.path: finding for finding in check_runtime(space)}

    assert sorted(found) == ["Model foreign", "Model keyless", "Model wrong", "Tool silent"]
    assert "needs a key" in found["Model keyless"].message
    assert "is not installed" in found["Model foreign"].message
    assert "langchain-mistralai" in found["Model foreign"].message
    assert "dely" in found["Model wrong"].message
    assert "docstring" in found["Tool silent"].message
    assert all("k-123456" not in str(finding) for finding in found.values())


def test_the_check_finds_nothing_wrong_with_a_good_workspace(tmp_path: Path) -> None:
    assert check_runtime(workspace(tmp_path, tool("status"), agent("status"))) == []
