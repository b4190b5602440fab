"""When a tool call needs a decision, and who may make it: the parts that several kinds share."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Discriminator, Tag, model_validator
from pydantic_core import PydanticCustomError

from harness_core.workspace.fields import Count, Duration, Flag, Text
from harness_core.workspace.schema.base import Spec


class Approvers(Spec):
    """Who may decide. People are ids of the front end; ``requester`` false excludes who asked even when named."""

    users: tuple[Text, ...] = ()
    usergroups: tuple[Text, ...] = ()
    channel_members: Flag = False
    requester: Flag = False

    @property
    def is_nobody(self) -> bool:
        return not (self.users or self.usergroups or self.channel_members or self.requester)

    @property
    def most(self) -> int | None:
        """How many different people can decide at the very most; None when that is not written here."""
        if self.usergroups or self.channel_members:
            return None
        return len(set(self.users)) + self.requester


class Approvals(Spec):
    """The Runtime's: what holds where nothing more specific does. Times are seconds since the question."""

    expire_after: Duration = 4 * 3600.0
    remind_after: tuple[Duration, ...] = (900.0, 3600.0)
    approvers: Approvers = Approvers()
    quorum: Count = 1

    @model_validator(mode="after")
    def _reminders_come_before_expiry(self) -> Approvals:
        refuse_late_reminders(
            self.remind_after, self.expire_after, written="remind_after" in self.model_fields_set
        )
        return self


class ChannelApprovals(Spec):
    """What differs in a channel; what is absent is the Runtime's."""

    approvers: Approvers | None = None
    quorum: Count | None = None
    expire_after: Duration | None = None
    remind_after: tuple[Duration, ...] | None = None

    @model_validator(mode="after")
    def _reminders_come_before_expiry(self) -> ChannelApprovals:
        refuse_late_reminders(self.remind_after, self.expire_after)
        return self


def refuse_late_reminders(
    remind_after: tuple[float, ...] | None, expire_after: float | None, *, written: bool = True
) -> None:
    """A default that comes too late is simply not used; one that was written is a mistake."""
    if written and remind_after and expire_after is not None and max(remind_after) >= expire_after:
        raise PydanticCustomError(
            "reminder_too_late",
            "a reminder comes after the approval has expired",
            {"allowed": "every remind_after below expire_after"},
        )


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
    """Ask, except when an argument has this value.

    The argument must be an enum or a boolean: see :func:`harness_core.workspace.check_against_schema`.
    """

    except_when: ArgumentCondition


def _shape_of_rule(value: object) -> str:
    return "word" if isinstance(value, str) else "rule"


ApprovalRule: TypeAlias = Annotated[
    Annotated[Literal["always", "never"], Tag("word")] | Annotated[ApprovalExcept, Tag("rule")],
    Discriminator(_shape_of_rule),
]
