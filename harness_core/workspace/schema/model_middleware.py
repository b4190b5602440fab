"""Middleware around the model: its calls, what it reads, and the tools it is shown."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from harness_core.patterns import pattern_problem
from harness_core.workspace.fields import Count, Delay, Factor, Flag, Name, Text, Whole
from harness_core.workspace.schema.base import Spec
from harness_core.workspace.schema.middleware_base import MiddlewareSpec

KNOWN_PII: Final = ("credit_card", "email", "ip", "mac_address", "url")
"""What LangChain can find without a pattern."""


class Extent(Spec):
    """How much of a conversation: any of the three in a trigger, exactly one in ``keep``."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    tokens: Count | None = None
    messages: Count | None = None
    fraction: Annotated[float, Field(strict=True, gt=0, le=1)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Extent:
        if not self.model_fields_set:
            raise PydanticCustomError(
                "empty_extent", "says no size", {"allowed": "tokens, messages or fraction"}
            )
        return self


def _only_one(value: Extent) -> Extent:
    if len(value.model_fields_set) != 1:
        raise PydanticCustomError(
            "several_extents",
            "says more than one size",
            {"allowed": "one of tokens, messages, fraction", "found": str(len(value.model_fields_set))},
        )
    return value


def _one_or_many(value: object) -> str:
    return "many" if isinstance(value, list | tuple) else "one"


class SummarizationSpec(MiddlewareSpec):
    """Replaces the older part of a long conversation by a summary.

    All sizes of one trigger must be reached; of several triggers one is enough. In a deep agent it takes the place of
    the one that is there anyway. ``model`` is the agent's own unless it is named.
    """

    class_name: ClassVar = "SummarizationMiddleware"

    type: Literal["summarization"]
    model: Name | None = None
    trigger: Annotated[
        Annotated[Extent, Tag("one")] | Annotated[tuple[Extent, ...], Field(min_length=1), Tag("many")],
        Discriminator(_one_or_many),
    ]
    keep: Annotated[Extent, AfterValidator(_only_one)] = Extent(messages=20)
    trim_tokens_to_summarize: Count = 4000
    summary_prompt: Text | None = None


class _Limits(MiddlewareSpec):
    thread_limit: Count | None = None
    run_limit: Count | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> _Limits:
        if self.thread_limit is None and self.run_limit is None:
            raise PydanticCustomError(
                "no_limit",
                "limits nothing",
                {"allowed": "thread_limit, run_limit or both", "found": "neither"},
            )
        if (
            self.thread_limit is not None
            and self.run_limit is not None
            and self.run_limit > self.thread_limit
        ):
            raise PydanticCustomError(
                "limits_crossed",
                "a run may do more than its whole thread",
                {
                    "allowed": "run_limit of at most thread_limit",
                    "found": f"{self.run_limit} > {self.thread_limit}",
                },
            )
        return self


class ModelCallLimitSpec(_Limits):
    """Ends a run that calls the model too often."""

    class_name: ClassVar = "ModelCallLimitMiddleware"

    type: Literal["model_call_limit"]
    exit_behavior: Literal["end", "error"] = "end"


class ToolCallLimitSpec(_Limits):
    """Refuses tool calls, of one tool or of all, beyond a number."""

    class_name: ClassVar = "ToolCallLimitMiddleware"

    type: Literal["tool_call_limit"]
    tool_name: Text | None = None
    exit_behavior: Literal["continue", "error", "end"] = "continue"

    @property
    def instance_name(self) -> str:
        return f"{self.class_name}[{self.tool_name}]" if self.tool_name else self.class_name


class ModelFallbackSpec(MiddlewareSpec):
    """Other models, in order, for when one does not answer."""

    class_name: ClassVar = "ModelFallbackMiddleware"

    type: Literal["model_fallback"]
    models: Annotated[tuple[Name, ...], Field(min_length=1)]


class ModelRetrySpec(MiddlewareSpec):
    """Repeats a model call that failed in a way that may pass: no answer, no capacity, a fault of the server.

    ``on_failure: error`` ends the run with the model's failure, ``continue`` tells it in the model's place.
    """

    class_name: ClassVar = "ModelRetryMiddleware"

    type: Literal["model_retry"]
    max_retries: Whole = 2
    on_failure: Literal["error", "continue"] = "error"
    backoff_factor: Factor = 2.0
    initial_delay: Delay = 1.0
    max_delay: Delay = 60.0
    jitter: Flag = True


class PiiDetection(Spec):
    """What to look for and what to do about it. ``detector`` is a regular expression in RE2 syntax."""

    pii_type: Text
    strategy: Literal["block", "redact", "mask", "hash"] = "redact"
    detector: Text | None = None

    @model_validator(mode="after")
    def _can_be_found(self) -> PiiDetection:
        if self.detector is None and self.pii_type not in KNOWN_PII:
            raise PydanticCustomError(
                "pii_without_detector",
                "“{pii_type}” is found by a detector only",
                {
                    "pii_type": self.pii_type,
                    "at": ("pii_type",),
                    "allowed": f"a detector beside it, or one of {', '.join(KNOWN_PII)}",
                    "found": self.pii_type,
                },
            )
        problem = pattern_problem(self.detector) if self.detector is not None else None
        if problem is not None:
            raise PydanticCustomError(
                "bad_regex",
                "is not a regular expression that is safe to run: {problem}",
                {
                    "problem": problem,
                    "at": ("detector",),
                    "allowed": "RE2 syntax: no look-around, no back-references",
                },
            )
        return self


class PiiSpec(PiiDetection, MiddlewareSpec):
    """Keeps personal data from the model: in what people write, and in what tools say.

    The answer is not looked at: people read it while it is written.
    """

    class_name: ClassVar = "PIIMiddleware"

    type: Literal["pii"]
    apply_to_input: Flag = True
    apply_to_tool_results: Flag = False

    @property
    def instance_name(self) -> str:
        return f"{self.class_name}[{self.pii_type}]"


class TodoListSpec(MiddlewareSpec):
    """A plan that the model keeps, with a tool to write it."""

    class_name: ClassVar = "TodoListMiddleware"

    type: Literal["todo_list"]
    system_prompt: Text | None = None
    tool_description: Text | None = None

    @property
    def brings(self) -> tuple[str, ...]:
        return ("write_todos",)


class ClearToolUses(Spec):
    """From ``trigger`` tokens on, older results of tools become ``placeholder``, all but the last ``keep``."""

    type: Literal["clear_tool_uses"]
    trigger: Count = 100_000
    clear_at_least: Whole = 0
    keep: Whole = 3
    clear_tool_inputs: Flag = False
    exclude_tools: tuple[Text, ...] = ()
    placeholder: Text = "[cleared]"


ContextEdit: TypeAlias = ClearToolUses


class ContextEditingSpec(MiddlewareSpec):
    """Shortens what the model reads again; what is stored stays whole."""

    class_name: ClassVar = "ContextEditingMiddleware"

    type: Literal["context_editing"]
    edits: Annotated[tuple[ContextEdit, ...], Field(min_length=1)] = (ClearToolUses(type="clear_tool_uses"),)
    token_count_method: Literal["approximate", "model"] = "approximate"  # noqa: S105  # tokens of a text


def _word_or_names(value: object) -> str:
    return "word" if isinstance(value, str) else "names"


class LlmToolSelectorSpec(MiddlewareSpec):
    """A model picks the tools that the agent's model gets to see. ``model`` is the agent's own unless it is named."""

    class_name: ClassVar = "LLMToolSelectorMiddleware"

    type: Literal["llm_tool_selector"]
    model: Name | None = None
    system_prompt: Text | None = None
    max_tools: Count | None = None
    always_include: tuple[Text, ...] = ()
    max_retries: Whole = 1
    on_parsing_failure: Annotated[
        Annotated[Literal["error", "none", "all"], Tag("word")] | Annotated[tuple[Text, ...], Tag("names")],
        Discriminator(_word_or_names),
    ] = "error"


class ProviderToolSearchSpec(MiddlewareSpec):
    """Some tools are found by the provider's own search instead of being sent with every request.

    Providers without such a search refuse: Anthropic and OpenAI have one.
    """

    class_name: ClassVar = "ProviderToolSearchMiddleware"

    type: Literal["provider_tool_search"]
    searchable_tools: tuple[Text, ...] = ()


class PatchToolCallsSpec(MiddlewareSpec):
    """Gives tool calls that never got a result one. Every graph has it; to declare it changes nothing."""

    class_name: ClassVar = "PatchToolCallsMiddleware"

    type: Literal["patch_tool_calls"]
