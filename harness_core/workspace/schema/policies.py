"""Policies: who may use which agents, and which of their tool calls need whose decision."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from harness_core.workspace.fields import Count, Duration, Flag, Name, Text, ToolPattern
from harness_core.workspace.schema.approvals import ApprovalRule, Approvers, refuse_late_reminders
from harness_core.workspace.schema.base import Spec

Use: TypeAlias = Literal["allow", "deny"]

SCOPES: Final = ("agents", "users", "usergroups", "channels")
"""The lists that say which runs a policy is about."""


class Grants(Spec):
    """Whether an approver may let a tool run again without asking, for how long (seconds) and how often.

    ``arguments: exact`` covers calls with the very same arguments. ``choices`` binds those that are an enum or a
    boolean, and secret ones; the others may differ.
    """

    allowed: Flag = False
    lasts: Annotated[Duration, Field(alias="for")] = 3600.0
    times: Count = 5
    arguments: Literal["exact", "choices"] = "exact"


def _names_somebody(value: Approvers) -> Approvers:
    if value.is_nobody:
        raise PydanticCustomError(
            "nobody_approves",
            "nobody could ever approve",
            {"allowed": "users, usergroups, channel_members: true or requester: true"},
        )
    return value


class PolicyToolRule(Spec):
    """What holds for calls of the tools that a pattern matches. What is absent is left to the next rule.

    ``use: deny`` refuses the call.
    """

    use: Use | None = None
    approval: ApprovalRule | None = None
    approvers: Annotated[Approvers, AfterValidator(_names_somebody)] | None = None
    quorum: Count | None = None
    expire_after: Duration | None = None
    remind_after: tuple[Duration, ...] | None = None
    grants: Grants | None = None

    @model_validator(mode="after")
    def _says_something(self) -> PolicyToolRule:
        if not self.model_fields_set:
            raise PydanticCustomError(
                "empty_rule", "the rule says nothing", {"allowed": ", ".join(type(self).model_fields)}
            )
        return self

    @model_validator(mode="after")
    def _reminders_come_before_expiry(self) -> PolicyToolRule:
        refuse_late_reminders(self.remind_after, self.expire_after)
        return self


class PolicySpec(Spec):
    """A rule for the runs that it is about: those of these agents, asked by these people, in these channels.

    An absent list does not narrow; ``users`` and ``usergroups`` are one list of people. ``use: deny`` refuses such
    runs. ``use: allow`` reserves the agents: where such a policy covers an agent, only the runs of one of them may
    use it. ``tools`` is about tool calls, by pattern.
    """

    kind: Literal["Policy"] = "Policy"
    name: Name
    agents: tuple[Name, ...] | None = None
    users: tuple[Text, ...] | None = None
    usergroups: tuple[Text, ...] | None = None
    channels: tuple[Text, ...] | None = None
    use: Use | None = None
    tools: dict[ToolPattern, PolicyToolRule] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_something(self) -> PolicySpec:
        if self.use is None and not self.tools:
            raise PydanticCustomError(
                "empty_policy", "the policy says nothing", {"allowed": "use: allow, use: deny, or tools"}
            )
        return self

    @model_validator(mode="after")
    def _is_about_somebody(self) -> PolicySpec:
        for key in SCOPES:
            if getattr(self, key) == ():
                raise PydanticCustomError(
                    "empty_scope",
                    "an empty “{key}” matches nothing",
                    {"key": key, "at": (key,), "allowed": f"some {key}, or no such key for all of them"},
                )
        return self
