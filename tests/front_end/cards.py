"""Cards in front of people: messages of the bot with every button, at the places that the store knows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from front_end.questions import ask, show
from front_end.slack_bodies import CAST, action
from front_end.stage import Stage
from waiting import wait_until

from bot.delivery.answers import Done
from bot.delivery.web_api import SingleToken, WebApi
from bot.playground.records import Message, View
from bot.view.blocks import actions, button
from bot.view.values import (
    APPROVAL_AGAIN,
    APPROVAL_APPROVE,
    APPROVAL_DETAILS,
    APPROVAL_DONE,
    APPROVAL_EDIT,
    APPROVAL_GRANT,
    APPROVAL_REJECT,
    APPROVAL_REVIEW,
    APPROVAL_SKIP,
    ApprovalRef,
)
from harness_core.approvals import Approval

BUTTONS = (
    APPROVAL_APPROVE, APPROVAL_EDIT, APPROVAL_REJECT, APPROVAL_REVIEW, APPROVAL_DETAILS, APPROVAL_DONE,
    APPROVAL_AGAIN, APPROVAL_SKIP, APPROVAL_GRANT,
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


async def audit(stage: Stage) -> list[dict[str, Any]]:
    entries = await stage.core.store.audit.read(CAST.team)
    return [json.loads(entry.data) for entry in entries]


async def noted(stage: Stage, what: str) -> list[dict[str, Any]]:
    async def found() -> list[dict[str, Any]]:
        return [entry for entry in await audit(stage) if entry["what"] == what]

    return await wait_until(found)


def pressed(action_id: str, value: str, card: Message, *, user: str = CAST.approver, **more: Any) -> Any:
    """A click that no client would send."""
    place = {
        "channel": {"id": card.channel},
        "container": {"type": "message", "message_ts": card.ts, "channel_id": card.channel},
    }
    return action(action_id, value, user=user, **(place | more))


async def opened(stage: Stage, card: Message, action_id: str, user: str = CAST.approver) -> View:
    """The modal in front of a person who pressed a button."""
    assert (await stage.door.click(card, action_id, user=user)).ok
    views = await stage.door.views(user=user)
    assert views, [each.text for each in await stage.door.ephemerals(user=user)]
    return views[-1]


async def screen(stage: Stage, user: str = CAST.approver) -> str:
    """The text of the modal on somebody's screen."""
    return json.dumps((await stage.door.views(user=user))[-1].body, ensure_ascii=False)


def _ref(approval: Approval) -> ApprovalRef:
    return ApprovalRef(approval_id=approval.approval_id, revision=approval.revision)
