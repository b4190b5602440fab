"""Middleware around the model, from its declaration."""

from __future__ import annotations

from typing import Any

from langchain.agents.middleware import (
    AgentMiddleware,
    ClearToolUsesEdit,
    ContextEditingMiddleware,
    LLMToolSelectorMiddleware,
    ModelFallbackMiddleware,
    ModelRetryMiddleware,
    ProviderToolSearchMiddleware,
    SummarizationMiddleware,
    TodoListMiddleware,
)

from harness_core.runtime.middleware.kit import Kit
from harness_core.runtime.middleware.limits import ModelCallLimit, ToolCallLimit
from harness_core.runtime.middleware.pii import Pii, detector
from harness_core.runtime.middleware.retrying import may_pass
from harness_core.workspace.schema.model_middleware import (
    ContextEditingSpec,
    Extent,
    LlmToolSelectorSpec,
    ModelCallLimitSpec,
    ModelFallbackSpec,
    ModelRetrySpec,
    PiiSpec,
    ProviderToolSearchSpec,
    SummarizationSpec,
    TodoListSpec,
    ToolCallLimitSpec,
)

Layer = AgentMiddleware[Any, Any]


def summarization(spec: SummarizationSpec, kit: Kit) -> Layer:
    ((unit, size),) = _sizes(spec.keep).items()
    keep: Any = (unit, size)
    trigger: Any = (
        [_sizes(each) for each in spec.trigger] if isinstance(spec.trigger, tuple) else _sizes(spec.trigger)
    )
    return SummarizationMiddleware(
        model=kit.chat_model(spec.model),
        trigger=trigger,
        keep=keep,
        trim_tokens_to_summarize=spec.trim_tokens_to_summarize,
        **_given(summary_prompt=spec.summary_prompt),
    )


def model_call_limit(spec: ModelCallLimitSpec, _kit: Kit) -> Layer:
    return ModelCallLimit(
        thread_limit=spec.thread_limit, run_limit=spec.run_limit, exit_behavior=spec.exit_behavior
    )


def tool_call_limit(spec: ToolCallLimitSpec, _kit: Kit) -> Layer:
    return ToolCallLimit(
        tool_name=spec.tool_name,
        thread_limit=spec.thread_limit,
        run_limit=spec.run_limit,
        exit_behavior=spec.exit_behavior,
    )


def model_fallback(spec: ModelFallbackSpec, kit: Kit) -> Layer:
    first, *others = (kit.models(name) for name in spec.models)
    return ModelFallbackMiddleware(first, *others)


def model_retry(spec: ModelRetrySpec, _kit: Kit) -> Layer:
    return ModelRetryMiddleware(
        max_retries=spec.max_retries,
        retry_on=may_pass,
        on_failure=spec.on_failure,
        backoff_factor=spec.backoff_factor,
        initial_delay=spec.initial_delay,
        max_delay=spec.max_delay,
        jitter=spec.jitter,
    )


def pii(spec: PiiSpec, _kit: Kit) -> Layer:
    return Pii(
        spec.pii_type,
        strategy=spec.strategy,
        detector=detector(spec.pii_type, spec.detector),
        apply_to_input=spec.apply_to_input,
        apply_to_tool_results=spec.apply_to_tool_results,
    )


def todo_list(spec: TodoListSpec, _kit: Kit) -> Layer:
    return TodoListMiddleware(
        **_given(system_prompt=spec.system_prompt, tool_description=spec.tool_description)
    )


def context_editing(spec: ContextEditingSpec, _kit: Kit) -> Layer:
    edits = [ClearToolUsesEdit(**edit.model_dump(exclude={"type"})) for edit in spec.edits]
    return ContextEditingMiddleware(edits=edits, token_count_method=spec.token_count_method)


def tool_selector(spec: LlmToolSelectorSpec, kit: Kit) -> Layer:
    failing: Any = spec.on_parsing_failure
    if not isinstance(failing, str):
        failing = list(failing)
    return LLMToolSelectorMiddleware(
        model=None if spec.model is None else kit.models(spec.model),
        max_tools=spec.max_tools,
        always_include=list(spec.always_include),
        max_retries=spec.max_retries,
        on_parsing_failure=failing,
        **_given(system_prompt=spec.system_prompt),
    )


def provider_tool_search(spec: ProviderToolSearchSpec, _kit: Kit) -> Layer:
    searchable: list[Any] = list(spec.searchable_tools)
    return ProviderToolSearchMiddleware(searchable_tools=searchable or None)


def _sizes(extent: Extent) -> dict[str, Any]:
    return extent.model_dump(exclude_none=True)


def _given(**texts: str | None) -> dict[str, Any]:
    """Only what was written: LangChain's own words are the defaults."""
    return {key: text for key, text in texts.items() if text is not None}
