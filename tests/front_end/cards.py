"""Cards in front of people: messages of the bot with every button, at the places that the store knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from front_end.questions import ask, show
from front_end.stage import Stage

from bot.delivery.answers import Done
from bot.delivery.web_api import SingleToken, WebApi
from bot.playground.records import Message
from bot.view.blocks import actions, button
from bot.view.values import (
    APPROVAL_AGAIN,
    APPROVAL_APPROVE,
    APPROVAL_DETAILS,
    APPROVAL_DONE,
    APPROVAL_EDIT,
    APPROVAL_REJECT,
    APPROVAL_REVIEW,
    APPROVAL_SKIP,
    ApprovalRef,
)
from harness_core.approvals import Approval

BUTTONS = (
    APPROVAL_APPROVE, APPROVAL_EDIT, APPROVAL_REJECT, APPROVAL_REVIEW, APPROVAL_DETAILS, APPROVAL_DONE,
    APPROVAL_AGAIN, APPROVAL_SKIP,
)  # fmt: skip


async def post(stage: Stage, asked: Sequence[Approval], channel: str | None = None) -> Message:
    """A message with the buttons of these questions. Nothing says yet that it is their card."""
    blocks = [
        actions([button(action_id, action_id, _ref(approval)) for action_id in BUTTONS])
        | {"block_id": approval.approval_id}
        for approval in asked
    ]
    api = WebApi(stage.session, SingleToken(stage.slack.config.bot_token), base_url=stage.slack.api_url)
    where = channel or asked[0].channel or ""
    answer = await api.post_message(asked[0].tenant, where, "a card", blocks=blocks)
    assert isinstance(answer, Done)
    message = await stage.door.message(where, str(answer.data["ts"]))
    assert message is not None
    return message


async def shown(stage: Stage, **changes: Any) -> tuple[Approval, Message]:
    """A question with its card."""
    asked = await ask(stage.core.store, **changes)
    message = await post(stage, asked)
    await show(stage.core.store, asked, ts=message.ts)
    return asked[0], message


async def now(stage: Stage, approval: Approval) -> Approval:
    """The question as it stands by now."""
    return await stage.core.store.approvals.get(approval.tenant, approval.approval_id)


def _ref(approval: Approval) -> ApprovalRef:
    return ApprovalRef(approval_id=approval.approval_id, revision=approval.revision)
