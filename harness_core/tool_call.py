"""What a Python tool may ask about the call it serves, and what it can say that an exception does not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """Annotate a parameter of a tool with this class, and the runtime fills it in.

    Neither the model nor a person sees the parameter. ``key`` is the same whenever this very call is made
    again after a crash: pass it on as the idempotency key of whatever the tool does. ``requester`` is who
    asked for the run.
    """

    key: str
    run_id: str
    requester: str


class OutcomeUnknown(Exception):
    """Raised by a tool whose request was sent and not answered: it may have happened.

    Any other exception says that the call has ended. After this one, people are asked what became of it, unless
    the tool is idempotent.
    """
