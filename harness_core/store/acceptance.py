"""What goes to ``accept``, the verb that takes messages in, and what it says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from harness_core.errors import StoreError
from harness_core.models import (
    Acceptance,
    Accepted,
    Duplicate,
    Refused,
    Steered,
    Submission,
    new_thread_id,
)
from harness_core.store.scripts import Argument, texts
from harness_core.store.seal import Seal

PER_CONVERSATION = 20
PER_TENANT = 1000
SEEN_FOR = 72 * 3600 * 1000


def accept_arguments(submission: Submission, run_id: str, seal: Seal) -> list[Argument]:
    """The verb's arguments after the operation id, in its order. ``run_id`` is the run's, if it becomes one."""
    asked = {
        "text": submission.text,
        "context": submission.context,
        "state": submission.state,
        "files": submission.files,
    }
    sealed = seal_input(seal, submission.tenant, run_id, asked)
    people = dict.fromkeys((submission.user, *submission.also_asked))
    return [
        submission.tenant, submission.conversation, submission.user, run_id, new_thread_id(), sealed,
        submission.agent or "", submission.channel or "", json.dumps(dict(submission.target)),
        submission.traceparent or "", submission.retry_of or "", json.dumps(list(people)),
        int(submission.addressed), int(submission.follow == "thread"), int(submission.shared),
        int(submission.anew), submission.while_running,
        PER_CONVERSATION, PER_TENANT, SEEN_FOR, *submission.dedupe,
    ]  # fmt: skip


def seal_input(seal: Seal, tenant: str, message_id: str, asked: dict[str, Any]) -> bytes:
    """A message as it is stored. A message that becomes a run later has the run's id from the beginning."""
    return seal.seal(json.dumps(asked).encode(), tenant, message_id, "input")


def acceptance(reply: Sequence[Any]) -> Acceptance:
    """What the verb answered."""
    match texts(reply):
        case ["accepted", run, thread, position]:
            return Accepted(run_id=run, thread_id=thread, position=int(position))
        case ["steered", run, thread]:
            return Steered(run_id=run, thread_id=thread)
        case ["duplicate", run]:
            return Duplicate(run_id=run)
        case ["not_followed" | "busy" | "thread_full" | "tenant_full" as reason]:
            return Refused(reason=reason)
        case other:
            raise StoreError(f"accept answered {other}")
