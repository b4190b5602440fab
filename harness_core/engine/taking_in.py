"""What became of a message, as a program hears of it: the run that answers, or an error."""

from __future__ import annotations

from harness_core.errors import InboxFull, PolicyBlocked
from harness_core.models import Acceptance, Accepted, Duplicate, Refused, Steered


def taken_in(accepted: Acceptance) -> str:
    """The run that answers.

    :raises InboxFull: too much waits already.
    :raises PolicyBlocked: there is none.
    """
    match accepted:
        case Accepted(run_id=run_id) | Steered(run_id=run_id):
            return run_id
        case Refused(reason="thread_full"):
            raise InboxFull("too many messages wait in this thread: nothing was stored")
        case Refused(reason="tenant_full"):
            raise InboxFull("too many messages of this tenant wait: nothing was stored")
        case Refused(reason=reason):
            raise PolicyBlocked([f"not accepted: {reason}"])
        case Duplicate(run_id=run_id):
            raise PolicyBlocked([f"already accepted as {run_id}"])
