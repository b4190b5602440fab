"""What a question differs in from the call of the same tool that was approved last.

It is looked up when a card is written and kept nowhere: the arguments of one conversation are not to be stored with
another's.
"""

from __future__ import annotations

from bot.view.questions import Edit
from harness_core import Store, changes_between
from harness_core.errors import ApprovalNotFound


async def compared_with_last(store: Store, tenant: str, approval_id: str) -> Edit | None:
    """None where nothing like it was approved in its channel. What was secret then or is now is masked.

    :raises StoreUnavailable: nobody knows.
    """
    try:
        asked = await store.approvals.get(tenant, approval_id)
    except ApprovalNotFound:
        return None
    last = await store.approvals.last_approved(asked)
    if last is None or last.decided_by is None or last.decided_at is None or asked.state != "open":
        return None
    secret = frozenset({*last.asked.secret, *asked.asked.secret})
    changes = changes_between(last.asked.arguments, asked.asked.arguments, secret)
    told = tuple((change.argument, change.before, change.after) for change in changes)
    return Edit(by=last.decided_by, at=last.decided_at, changes=told)
