"""The Runtime: settings of the whole workspace, section by section. Durations are seconds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic_core import PydanticCustomError, core_schema

from harness_core.patterns import pattern_problem
from harness_core.workspace.fields import (
    Count,
    Duration,
    Flag,
    InsidePath,
    Name,
    PackageName,
    Text,
    at_least,
)
from harness_core.workspace.schema.approvals import Approvals
from harness_core.workspace.schema.base import Spec


def _pattern(value: str) -> str:
    problem = pattern_problem(value)
    if problem is not None:
        raise PydanticCustomError(
            "bad_regex",
            "is not a regular expression that is safe to run: {problem}",
            {"problem": problem, "allowed": "RE2 syntax: no look-around, no back-references"},
        )
    return value


class RuleCondition(Spec):
    """One test of a message's text. All ignore case; see :func:`harness_core.routing.select_agent`."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    equals: Text | None = None
    contains: Text | None = None
    prefix: Text | None = None
    regex: Annotated[Text, AfterValidator(_pattern)] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> RuleCondition:
        if len(self.model_fields_set) != 1:
            raise PydanticCustomError(
                "rule_condition",
                "a rule has exactly one condition",
                {
                    "allowed": "one of equals, contains, prefix, regex",
                    "found": str(len(self.model_fields_set)),
                },
            )
        return self


class RoutingRule(Spec):
    when: RuleCondition
    agent: Name


class ModelRouting(Spec):
    """A model picks the agent, within ``timeout`` seconds."""

    use: Name
    prompt: Text = "Pick the agent that fits best."
    timeout: Duration = 5.0


class Routing(Spec):
    """``default_agent`` is set in every loaded workspace: with one host it need not be written."""

    default_agent: Name | None = None
    model: ModelRouting | None = None
    rules: tuple[RoutingRule, ...] = ()


class Recovery(Spec):
    """Whether runs go on whose worker was lost, and how often without coming further.

    Not ``enabled``: such a run fails at once and can be retried. Runs that wait for people go on in any case when they
    are decided, and so do those that a worker hands over when it is stopped.
    """

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
    """Where a graph's state is kept.

    ``redis`` survives everything; ``memory`` and ``sqlite`` are for one process, ``path`` being a file in the data
    folder. ``false`` keeps none, so nothing can wait for a decision. ``true`` is for a subagent, and says what holds
    for it anyway: it uses its parent's.
    """

    kind: Literal["redis", "memory", "sqlite", True, False] = "redis"
    path: InsidePath | None = None

    @model_validator(mode="before")
    @classmethod
    def _kind_alone(cls, value: Any) -> Any:
        """``false`` is short for ``{kind: false}``."""
        return {"kind": value} if isinstance(value, bool) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        whole = handler.resolve_ref_schema(handler(core))
        return {"anyOf": [{"type": "boolean"}, whole]}

    @model_validator(mode="after")
    def _a_path_is_for_sqlite(self) -> Checkpointer:
        if self.path is not None and self.kind != "sqlite":
            raise PydanticCustomError(
                "path_without_sqlite",
                "only sqlite keeps a file",
                {"at": ("path",), "allowed": "kind: sqlite beside a path"},
            )
        return self


class LongTermStore(Spec):
    """What agents remember beyond a thread.

    ``embeddings`` names the EmbeddingModel by whose vectors it is searched; it need not be written where there is only
    one. Without an EmbeddingModel it is searched by words.
    """

    kind: Literal["redis", "memory"] = "redis"
    embeddings: Name | None = None


class Maintenance(Spec):
    """How often to prune, how many checkpoints a thread keeps, and how long finished runs stay, in seconds."""

    every: Duration = 600.0
    keep_checkpoints: Count = 20
    finished_runs_for: Duration = 30 * 86400.0


class Memory(Spec):
    """``remember_threads``: what a thread learned is kept in the store when its run ended, for later threads."""

    remember_threads: Flag = False


class RuntimeSpec(Spec):
    """Settings of the whole workspace; there is one, and it has no name."""

    kind: Literal["Runtime"] = "Runtime"
    routing: Routing = Routing()
    recovery: Recovery = Recovery()
    concurrency: Concurrency = Concurrency()
    limits: Limits = Limits()
    checkpointer: Checkpointer = Checkpointer()
    store: LongTermStore = LongTermStore()
    memory: Memory = Memory()
    maintenance: Maintenance = Maintenance()
    approvals: Approvals = Approvals()
    admins: tuple[Text, ...] = ()
    tool_packages: tuple[PackageName, ...] = ()
