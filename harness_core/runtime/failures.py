"""Failures as sentences: what failed, what to do about it, and the run's id. One place, one voice.

The full error belongs to the log. Nothing here repeats an exception's own text, which may hold secrets;
only a tool's message is quoted, after redaction.
"""

from __future__ import annotations

from langgraph.errors import GraphRecursionError

from harness_core.errors import (
    ModelFailed,
    OperationTimeout,
    PolicyBlocked,
    SealBroken,
    StoreError,
    UnknownAgent,
    WorkspaceInvalid,
)
from harness_core.redaction import redact
from harness_core.runtime.mcp import ServerUnreachable

_ADMIN = "Press Retry, or ask an admin."
_REASON_LENGTH = 300


class ModelGaveUp(ModelFailed):
    """No answer after ``tries`` requests. ``status`` is the HTTP status of the last one, where there was one."""

    def __init__(self, model: str, *, tries: int, status: int | None) -> None:
        self.model, self.tries, self.status = model, tries, status
        answered = f", last status {status}" if status else ""
        super().__init__(f"model {model}: no answer after {tries} tries{answered}")


def render_runtime_failure(error: BaseException, *, run_id: str) -> tuple[str, str]:
    """A short code for scripts and a sentence for people."""
    code, sentence = _explain(error)
    return code, f"{sentence} Run {run_id}."


def render_tool_failure(label: str, reason: str, *, run_id: str) -> str:
    """The sentence for a tool that did not do what it was asked."""
    first = next((line.strip() for line in reason.splitlines() if line.strip()), "it gave no reason")
    cleaned = redact(first).rstrip(".")
    shown = cleaned if len(cleaned) <= _REASON_LENGTH else f"{cleaned[: _REASON_LENGTH - 1]}…"
    return f"“{label}” failed: {shown}. {_ADMIN} Run {run_id}."


def _explain(error: BaseException) -> tuple[str, str]:
    match error:
        case ModelFailed():
            return _explain_model(error)
        case OperationTimeout(stage=stage, limit=limit):
            what = _TIMEOUTS.get(stage, "It")
            return f"timeout_{stage}", f"{what} took longer than {_spoken(limit)}. {_ADMIN}"
        case GraphRecursionError():
            return (
                "too_many_steps",
                f"The agent went on for too many steps without an answer. {_ADMIN}",
            )
        case PolicyBlocked(reasons=reasons):
            return "policy", " ".join(reason.rstrip(".") + "." for reason in reasons)
        case UnknownAgent(name=name):
            return "unknown_agent", f"There is no agent “{name}” any more. Start again with another one."
        case WorkspaceInvalid():
            return (
                "configuration",
                "The configuration cannot be used as it is. Ask an admin to run the check.",
            )
        case SealBroken():
            return "history_unreadable", "The history of this conversation cannot be read. Ask an admin."
        case ServerUnreachable(name=name):
            return "tool_server", f"The tool server “{name}” cannot be reached. {_ADMIN}"
        case StoreError():
            return "store", f"The conversation could not be read or saved. {_ADMIN}"
        case _:
            return "internal", f"Something went wrong inside the bot. {_ADMIN}"


def _explain_model(error: ModelFailed) -> tuple[str, str]:
    match error:
        case ModelGaveUp(status=401 | 403):
            return (
                "model_key_refused",
                "The model refused our key. Ask an admin to check the model's api_key.",
            )
        case ModelGaveUp(status=404):
            return "model_unknown", "The provider does not know this model. Ask an admin to check its name."
        case ModelGaveUp(status=400 | 413 | 422):
            return "model_refused", f"The model could not take this conversation as it is. {_ADMIN}"
        case ModelGaveUp(status=429, tries=tries):
            return "model_busy", f"The model had no capacity for us in {_tries(tries)}. {_ADMIN}"
        case ModelGaveUp(tries=tries):
            return "model_failed", f"The model did not answer after {_tries(tries)}. {_ADMIN}"
        case _:
            return "model_failed", f"The model did not answer. {_ADMIN}"


_TIMEOUTS = {
    "run": "The run",
    "model_call": "The model",
    "stream_idle": "The next word",
    "tool_call": "A tool",
}


def _tries(count: int) -> str:
    return "1 try" if count == 1 else f"{count} tries"


def _spoken(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:g} min" if minutes and not rest else f"{seconds:g} s"
