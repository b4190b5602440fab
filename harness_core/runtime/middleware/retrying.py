"""Which failures are worth another try."""

from __future__ import annotations

from langchain_core.exceptions import ModelError

from harness_core.errors import HarnessError, OperationTimeout
from harness_core.runtime.failures import ModelGaveUp

_BUSY = frozenset({408, 409, 425, 429})


def may_pass(error: Exception) -> bool:
    """Whether the same model call could succeed in a moment: nothing answered, or the server had no room or a fault."""
    match error:
        case ModelGaveUp(status=None):
            return not isinstance(error.__cause__, ModelError) or error.__cause__.is_retryable
        case ModelGaveUp(status=int() as status):
            return status in _BUSY or status >= 500
        case OperationTimeout(stage=stage):
            return stage == "model_call"
        case HarnessError():
            return False
        case _:
            return True
