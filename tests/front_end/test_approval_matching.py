from __future__ import annotations

from typing import Any, Literal

import pytest
from front_end.cards import audit, noted, now, post, pressed, shown
from front_end.questions import ask, question, show
from front_end.slack_bodies import CAST, new_ts
from front_end.stage import Stage
from waiting import wait_until

from bot.listeners.approval_clicks import is_shown
from bot.view.values import APPROVAL_APPROVE
from harness_core.approvals import QuestionKind
from harness_core.models import Delivery


@pytest.mark.parametrize(
    "value",
    [
        "",
        "../../etc/passwd",
        "' OR 1=1 --",
        "appr_" + "0" * 31,
        "{id}",
        "{id}:0:0",
        "{id}:-1",
        "{id}:00",
        "{id}:0\n",
        "{ID}:0",
        "x" * 2000,
    ],
)
async def test_a14_a_value_that_was_not_made_here_is_refused_and_noted(stage: Stage, value: str) -> None:
    asked, card = await shown(stage)
    told = value.replace("{id}", asked.approval_id).replace("{ID}", asked.approval_id.upper())
    assert (await stage.act(pressed(APPROVAL_APPROVE, told, card))).status == 200
    entry = (await noted(stage, "forged"))[0]
    assert entry["by"] == CAST.approver
    assert (await now(stage, asked)).state == "open"


async def test_a14_the_button_of_another_run_is_refused_on_this_card(stage: Stage) -> None:
    asked, card = await shown(stage)
    other, _ = await shown(stage)
    ref = f"{other.approval_id}:{other.revision}"
    assert (await stage.act(pressed(APPROVAL_APPROVE, ref, card))).status == 200
    assert (await noted(stage, "forged"))[0]["approval"] == other.approval_id
    assert [(await now(stage, each)).state for each in (asked, other)] == ["open", "open"]


async def test_a14_a_card_counts_only_in_its_channel_and_on_its_message(stage: Stage) -> None:
    asked, card = await shown(stage)
    ref = f"{asked.approval_id}:{asked.revision}"
    elsewhere: dict[str, Any] = {
        "channel": {"id": CAST.ops},
        "container": {"type": "message", "message_ts": card.ts, "channel_id": CAST.ops},
    }
    other_message: dict[str, Any] = {
        "container": {"type": "message", "message_ts": new_ts(), "channel_id": card.channel}
    }
    no_message: dict[str, Any] = {"container": {"type": "message", "channel_id": card.channel}}
    for place in (elsewhere, other_message, no_message):
        assert (await stage.act(pressed(APPROVAL_APPROVE, ref, card, **place))).status == 200
    await wait_until(lambda: _three(stage))
    assert (await now(stage, asked)).state == "open"
    await stage.act(pressed(APPROVAL_APPROVE, ref, card))
    assert (await now(stage, asked)).state == "decided"


async def _three(stage: Stage) -> bool:
    return len([entry for entry in await audit(stage) if entry["what"] == "forged"]) == 3


async def test_a14_another_team_is_told_nothing_and_changes_nothing(stage: Stage) -> None:
    asked, card = await shown(stage)
    ref = f"{asked.approval_id}:{asked.revision}"
    body = pressed(APPROVAL_APPROVE, ref, card, team={"id": "T0ELSEWHERE"})
    assert (await stage.act(body)).status == 200
    assert (await now(stage, asked)).state == "open"


async def test_who_pressed_a_forged_button_is_told(stage: Stage) -> None:
    asked = await ask(stage.core.store)
    await show(stage.core.store, asked, ts=new_ts())
    copy = await post(stage, asked)
    assert (await stage.door.click(copy, APPROVAL_APPROVE, user=CAST.approver)).ok
    (told,) = await stage.told(CAST.approver)
    assert "not one that this bot made" in told.text
    assert (await now(stage, asked[0])).state == "open"


async def test_a_card_whose_ts_is_not_stored_yet_is_known_by_its_channel(stage: Stage) -> None:
    asked = await ask(stage.core.store)
    card = await post(stage, asked)
    await show(stage.core.store, asked, ts="")
    await stage.door.click(card, APPROVAL_APPROVE, user=CAST.approver)
    assert (await now(stage, asked[0])).decision == "approve"


def delivered(part: str, external_id: str | None, state: Literal["pending", "shown"] = "shown") -> Delivery:
    return Delivery(run_id="run_1", part=part, state=state, nonce="n", external_id=external_id)


@pytest.mark.parametrize(
    ("kind", "delivery", "counts"),
    [
        ("call", delivered("ask:1", "1.1"), True),
        ("call", delivered("ask:1.1", "1.1"), True),
        ("call", delivered("ask:1", "1.2"), False),
        ("call", delivered("ask:1", None), False),
        ("call", delivered("ask:1", None, "pending"), True),
        ("call", delivered("ask:1", "1.1", "pending"), True),
        ("call", delivered("ask:1", "1.2", "pending"), False),
        ("call", delivered("ask:2", "1.1"), False),
        ("call", delivered("ask:11", "1.1"), False),
        ("call", delivered("0", "1.1"), False),
        ("call", delivered(f"doubt:{question().approval_id}", "1.1"), False),
        ("uncertain", delivered(f"doubt:{question().approval_id}", "1.1"), True),
        ("uncertain", delivered("ask:1", "1.1"), False),
        ("uncertain", delivered("doubt:appr_1", "1.1"), False),
    ],
)
def test_only_the_message_that_shows_a_question_is_its_card(
    kind: QuestionKind, delivery: Delivery, *, counts: bool
) -> None:
    asked = question(kind=kind)
    assert is_shown(asked, {delivery.part: delivery}, CAST.general, "1.1") is counts
    assert not is_shown(asked, {delivery.part: delivery}, CAST.ops, "1.1")
    assert not is_shown(asked, {delivery.part: delivery}, CAST.general, "")
