from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from front_end.cards import now
from front_end.questions import ask, show
from front_end.slack_bodies import CAST, action, new_ts
from front_end.stage import Stage
from waiting import wait_until

from bot.view.values import APPROVAL_APPROVE, REJECT_MODAL
from harness_core.approvals import Approval, ApproverRule
from harness_core.states import RunState

ROUNDS = 50
PEOPLE = [f"U0VOTER{number:02d}" for number in range(20)]
RULE = ApproverRule(users=tuple(PEOPLE))


class Answers:
    """Where the answers to clicks arrive, by person."""

    def __init__(self) -> None:
        self.url = ""
        self.texts: dict[str, list[str]] = {}

    async def take(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.texts.setdefault(request.match_info["user"], []).append(body["text"])
        return web.Response()


@pytest.fixture
async def answers() -> AsyncIterator[Answers]:
    taken = Answers()
    app = web.Application()
    app.router.add_post("/{user}", taken.take)
    async with TestServer(app, host="127.0.0.1") as server:
        taken.url = str(server.make_url("/"))
        yield taken


async def press(stage: Stage, asked: Approval, ts: str, user: str, url: str) -> str:
    """Approve on the card; what Slack is told in the answer."""
    place = {
        "channel": {"id": asked.channel},
        "container": {"type": "message", "message_ts": ts, "channel_id": asked.channel},
        "response_url": f"{url}{user}",
    }
    value = f"{asked.approval_id}:{asked.revision}"
    reply = await stage.act(action(APPROVAL_APPROVE, value, user=user, **place))
    assert (reply.status, reply.text) == (200, "")
    return ""


async def submit(stage: Stage, asked: Approval, user: str) -> str:
    """Reject in the modal; what the modal then says."""
    view: dict[str, Any] = {
        "id": f"V{user}",
        "type": "modal",
        "callback_id": REJECT_MODAL,
        "private_metadata": f"{asked.approval_id}:{asked.revision}",
        "state": {"values": {"reason": {"value": {"type": "plain_text_input", "value": f"by {user}"}}}},
    }
    body = {"type": "view_submission", "team": {"id": CAST.team}, "user": {"id": user}, "view": view}
    reply = await stage.act(body)
    assert reply.status == 200
    return json.dumps(json.loads(reply.text)["view"]) if reply.text else ""


@pytest.mark.soak
async def test_of_twenty_people_in_the_same_instant_one_decides_and_each_other_is_told_who(
    stage: Stage, answers: Answers
) -> None:
    chance, winners = random.Random(20), Counter[str]()
    for number in range(ROUNDS):
        answers.texts.clear()
        (asked,) = await ask(stage.core.store, rule=RULE)
        ts = await show(stage.core.store, [asked], ts=new_ts())
        people = chance.sample(PEOPLE, len(PEOPLE))
        # A click on a card is looked up in one place more than a modal, so now and then clicks come first.
        approving = set(people[::2] if number % 2 else people[:-3])
        said = await asyncio.gather(
            *(
                press(stage, asked, ts, user, answers.url)
                if user in approving
                else submit(stage, asked, user)
                for user in people
            )
        )
        found = await now(stage, asked)
        winner, verb = found.decided_by, {"approve": "approved", "reject": "rejected"}[found.decision or ""]
        assert winner in PEOPLE
        assert (winner in approving) == (found.decision == "approve")
        assert found.reason == ("" if winner in approving else f"by {winner}")
        winners[verb] += 1
        losers = approving - {winner}
        await wait_until(lambda losers=losers: set(answers.texts) == losers)  # type: ignore[misc]  # the default binds this round's
        told = [*(text for texts in answers.texts.values() for text in texts), *filter(None, said)]
        assert len(told) == len(PEOPLE) - 1
        assert all(f"Already {verb} by <@{winner}> at " in text for text in told)
        assert (await stage.core.control.get_run(asked.run_id)).state is RunState.RESUMING
    entries = [json.loads(entry.data) for entry in await stage.core.store.audit.read(CAST.team)]
    assert sum(entry["what"] == "decided" for entry in entries) == ROUNDS
    assert winners["approved"] > 0
    assert winners["rejected"] > 0
    print(f"{ROUNDS} rounds of {len(PEOPLE)}: {dict(winners)}")


async def test_of_many_who_edit_the_same_values_one_does_and_the_others_are_told_to_look_again(
    stage: Stage,
) -> None:
    (asked,) = await ask(stage.core.store, rule=RULE)
    await show(stage.core.store, [asked], ts=new_ts())

    async def edit(number: int) -> str:
        view: dict[str, Any] = {
            "id": f"V{number}",
            "type": "modal",
            "callback_id": "approval:edit",
            "private_metadata": f"{asked.approval_id}:{asked.revision}",
            "state": {
                "values": {"arg:count": {"value": {"type": "plain_text_input", "value": str(number + 2)}}}
            },
        }
        body = {
            "type": "view_submission",
            "team": {"id": CAST.team},
            "user": {"id": PEOPLE[number]},
            "view": view,
        }
        return (await stage.act(body)).text

    said = await asyncio.gather(*(edit(number) for number in range(len(PEOPLE))))
    found = await now(stage, asked)
    assert found.revision == 1
    assert sum(text == "" for text in said) == 1
    assert sum("The values changed while you were reading" in text for text in said) == len(PEOPLE) - 1
    assert found.asked.arguments["count"] == said.index("") + 2
