"""The workspace objects, field by field, as the YAML spells them. Durations are seconds.

Some fields describe what is not available yet; :mod:`harness_core.workspace.availability` refuses those values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    SecretStr,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from harness_core.workspace.fields import (
    Count,
    Duration,
    Flag,
    Name,
    PackageName,
    Reference,
    Template,
    Text,
    at_least,
    reveal_secrets,
    wrap_secrets,
)
from harness_core.workspace.templates import fill_template


class Spec(BaseModel):
    """Frozen; unknown keys are errors. Its repr shows the ``name`` alone, since any other value may be secret."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        return [("name", self.name)] if hasattr(self, "name") else []


class RuleCondition(Spec):
    """One test of a message's text. All ignore case; see :func:`harness_core.routing.select_agent`."""

    equals: Text | None = None
    contains: Text | None = None
    prefix: Text | None = None
    regex: Text | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> RuleCondition:
        if len(self.model_fields_set) != 1:
            raise PydanticCustomError(
                "rule_condition",
                "a rule has exactly one condition",
                {"allowed": "one of equals, contains, prefix", "found": str(len(self.model_fields_set))},
            )
        return self


class RoutingRule(Spec):
    when: RuleCondition
    agent: Name


class ModelRouting(Spec):
    """A model picks the agent."""

    use: Name
    prompt: Text = "Pick the agent that fits best."
    timeout: Duration = 5.0


class Routing(Spec):
    """``default_agent`` is set in every loaded workspace: with one agent it need not be written."""

    default_agent: Name | None = None
    model: ModelRouting | None = None
    rules: tuple[RoutingRule, ...] = ()


class Recovery(Spec):
    enabled: Flag = True
    resume_resuming_runs_on_startup: Flag = True
    max_recovery_attempts: Count = 3
    lease: Annotated[Duration, at_least(2.0)] = 10.0


class Concurrency(Spec):
    """Caps per tenant and per user, and what a message does that comes while its thread is busy."""

    max_concurrent_runs: Count = 20
    per_user: Count = 5
    while_running: Literal["queue", "steer", "interrupt", "reject"] = "queue"


class Limits(Spec):
    """Seconds that a run, one model call, one tool call and the silence between two chunks may take."""

    run: Duration = 900.0
    model_call: Duration = 120.0
    tool_call: Duration = 60.0
    stream_idle: Duration = 60.0


class Checkpointer(Spec):
    kind: Literal["redis", "memory", "sqlite", True, False] = "redis"


class LongTermStore(Spec):
    kind: Literal["redis", "memory"] = "redis"


class Maintenance(Spec):
    """How often to prune, how many checkpoints a thread keeps, and how long finished runs stay, in seconds."""

    every: Duration = 600.0
    keep_checkpoints: Count = 20
    finished_runs_for: Duration = 30 * 86400.0


class Approvers(Spec):
    """Who may decide. People are ids of the front end."""

    users: tuple[Text, ...] = ()
    usergroups: tuple[Text, ...] = ()
    channel_members: Flag = False
    requester: Flag = False


class Approvals(Spec):
    expire_after: Duration = 4 * 3600.0
    remind_after: tuple[Duration, ...] = (900.0, 3600.0)
    approvers: Approvers = Approvers()
    quorum: Count = 1

    @model_validator(mode="after")
    def _reminders_come_before_expiry(self) -> Approvals:
        late = (
            "remind_after" in self.model_fields_set
            and max(self.remind_after, default=0.0) >= self.expire_after
        )
        if late:
            raise PydanticCustomError(
                "reminder_too_late",
                "a reminder comes after the approval has expired",
                {"allowed": "every remind_after below expire_after"},
            )
        return self


class RuntimeSpec(Spec):
    """Settings of the whole workspace; there is one, and it has no name."""

    kind: Literal["Runtime"] = "Runtime"
    routing: Routing = Routing()
    recovery: Recovery = Recovery()
    concurrency: Concurrency = Concurrency()
    limits: Limits = Limits()
    checkpointer: Checkpointer = Checkpointer()
    store: LongTermStore = LongTermStore()
    maintenance: Maintenance = Maintenance()
    approvals: Approvals = Approvals()
    admins: tuple[Text, ...] = ()
    tool_packages: tuple[PackageName, ...] = ()


class ModelSpec(Spec):
    """A chat model by provider and model name. :meth:`clear_params` gives the parameters as they are passed on."""

    kind: Literal["Model"] = "Model"
    name: Name
    provider: Text
    model: Text
    base_url: Text | None = None
    api_key: SecretStr | None = None
    params: Annotated[dict[str, Any], AfterValidator(wrap_secrets)] = Field(default_factory=dict)

    def clear_params(self) -> dict[str, Any]:
        """``params`` with secrets readable, for the model's constructor only."""
        revealed: dict[str, Any] = reveal_secrets(self.params)
        return revealed


class EmbeddingModelSpec(ModelSpec):
    """A model that turns text into vectors, so that the store is searched by meaning."""

    kind: Literal["EmbeddingModel"] = "EmbeddingModel"  # type: ignore[assignment]  # until the schema is split


def _enum_value(value: object) -> object:
    if not isinstance(value, str | int | bool):
        raise PydanticCustomError(
            "wrong_type", "must be one value", {"allowed": "text, a number, true or false"}
        )
    return value


class ArgumentCondition(Spec):
    argument: Text
    equals: Annotated[Any, AfterValidator(_enum_value)]


class ApprovalExcept(Spec):
    """Ask, except when an argument has this value."""

    except_when: ArgumentCondition


def _shape_of_approval(value: object) -> str:
    return "word" if isinstance(value, str) else "rule"


ApprovalRule: TypeAlias = Annotated[
    Annotated[Literal["always", "never"], Tag("word")] | Annotated[ApprovalExcept, Tag("rule")],
    Discriminator(_shape_of_approval),
]


class ArgumentSpec(Spec):
    secret: Flag = False


class ToolSpec(Spec):
    """A Python function or LangChain tool, and how careful to be with it. Absent ``approval`` is ``never``."""

    kind: Literal["Tool"] = "Tool"
    name: Name
    python: Reference
    title: Template | None = None
    label: Template | None = None
    approval: ApprovalRule = "never"
    idempotent: Flag = False
    destructive: Flag = False
    preview: Reference | None = None
    arguments: dict[str, ArgumentSpec] = Field(default_factory=dict)

    @property
    def secret_arguments(self) -> frozenset[str]:
        return frozenset(name for name, argument in self.arguments.items() if argument.secret)

    def title_for(self, arguments: Mapping[str, object]) -> str:
        """What a call does, as a headline; secret arguments are masked."""
        return fill_template(self.title or self.name, arguments, self.secret_arguments)

    def label_for(self, arguments: Mapping[str, object]) -> str:
        """What a call is doing, as a progress line; secret arguments are masked."""
        return fill_template(self.label or self.title or self.name, arguments, self.secret_arguments)


class MiddlewareUse(Spec):
    """A middleware by ``type`` with parameters of its own."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    type: Text


def _middleware(value: object) -> object:
    return {"type": value} if isinstance(value, str) else value


class AgentSpec(Spec):
    kind: Literal["Agent"] = "Agent"
    name: Name
    description: str = ""
    mode: Literal["langchain", "deepagent"] = "langchain"
    model: Name
    instructions: str = ""
    tools: tuple[Name, ...] = ()
    middleware: tuple[Annotated[MiddlewareUse, BeforeValidator(_middleware)], ...] = ()
    subagents: tuple[Name, ...] = ()


class ChannelApprovals(Spec):
    approvers: Approvers = Approvers()


class ChannelSpec(Spec):
    """What differs in one channel. ``channel`` is the front end's id of it."""

    kind: Literal["Channel"] = "Channel"
    channel: Text
    agent: Name | None = None
    follow: Literal["thread", "mention"] = "thread"
    approvals: ChannelApprovals | None = None


SPECS: Final[Mapping[str, type[Spec]]] = {
    "Runtime": RuntimeSpec,
    "Model": ModelSpec,
    "Tool": ToolSpec,
    "Agent": AgentSpec,
    "Channel": ChannelSpec,
}
