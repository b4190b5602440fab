"""Counters, timeline, trials and verdicts, by an app whose behaviour is known."""

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from playground.conftest import QUICK
from playground.scripted_app import ScriptedApp, button, ended, running
from slack_sdk.web.async_client import AsyncWebClient
from waiting import wait_until

from bot.playground import Cast, Door, Playground, start_playground
from bot.playground.config import Patience
from bot.playground.effects import Effect, EffectCounter
from bot.playground.evidence.accounts import Balance
from bot.playground.evidence.verdicts import Fault, Measured, judge
from bot.playground.guard import guard
from bot.playground.pulse import Pulse

Json = dict[str, Any]
IMPATIENT = Patience(quiet=0.3, within=2.5, away=0.0, armed=5.0)


@dataclass(slots=True)
class Stage:
    app: ScriptedApp
    playground: Playground
    door: Door
    session: aiohttp.ClientSession

    async def state(self) -> Json:
        url = f"{self.playground.page_url}page/state"
        async with self.session.get(url, params={"user": Cast().requester}) as answer:
            return dict(await answer.json())

    async def press(self, fault: str, **more: Any) -> int:
        body = {"fault": fault, "user": Cast().requester, "channel": Cast().ops, **more}
        async with self.session.post(f"{self.playground.page_url}page/fault", json=body) as answer:
            return answer.status

    async def turn(self, to: str) -> None:
        async with self.session.post(f"{self.playground.page_url}page/guide", json={"to": to}) as answer:
            assert answer.status == 200

    async def trial(self, fault: str) -> Json | None:
        return next((each for each in (await self.state())["trials"] if each["fault"] == fault), None)

    async def verdict(self, fault: str) -> Json:
        async def ended() -> Json | None:
            trial = await self.trial(fault)
            return trial if trial and trial["phase"] == "ended" else None

        found = await wait_until(ended, timeout=15, what=f"the verdict on {fault}")
        assert found is not None
        return found


@asynccontextmanager
async def staged(counter: str | None = None, **app: Any) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        effects = f"{counter}/effects" if counter else None
        scripted = await stack.enter_async_context(ScriptedApp(step=0.02, effects=effects, **app))
        config = replace(QUICK, bot_url=scripted.url, patience=IMPATIENT, effects_url=counter)
        playground = await stack.enter_async_context(await start_playground(config))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        scripted.api = AsyncWebClient(
            token=config.bot_token, base_url=playground.api_url, session=session, retry_handlers=[]
        )
        door = await stack.enter_async_context(Door(playground.door_url))
        yield Stage(scripted, playground, door, session)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as found:
        yield found


async def test_counters_tell_messages_from_their_copies_and_calls_from_refusals(stage: Stage) -> None:
    cast = Cast()
    await stage.door.post(cast.general, "not for the bot")
    await stage.door.post(cast.general, f"<@{cast.bot_user}> why?")

    async def counted() -> bool:
        state = await stage.state()
        return bool(state["counters"] == {**ZERO, "received": 2, "duplicates": 1})

    await wait_until(counted, what="two messages, one of them also as a mention")
    texts = [entry["text"] for entry in (await stage.state())["entries"]]
    assert "Rosa Requester wrote “why?”" in texts
    assert "Slack told the bot: app_mention" in texts


ZERO = {"received": 0, "duplicates": 0, "limited": 0, "restarts": 0, "effects": 0}


async def test_many_edits_of_one_message_are_one_line_of_the_timeline(stage: Stage) -> None:
    stage.app.steps = 40
    await stage.door.post(Cast().ops, f"<@{Cast().bot_user}> why?")

    async def edits() -> Json | None:
        entries = (await stage.state())["entries"]
        return next((e for e in entries if e["text"] == "Bot edits its message" and e["count"] == 40), None)

    await wait_until(edits, what="one line for 40 edits")


async def test_doubled_deliveries_are_survived_by_an_app_that_drops_them(stage: Stage) -> None:
    assert await stage.press("twice") == 200
    assert await stage.press("twice") == 409, "once at a time"
    trial = await stage.verdict("twice")
    assert trial["verdict"] == {"survived": True, "text": "Survived: 1 answer, 3 duplicates dropped, 0 lost"}
    assert await stage.door.faults() == []
    entries = (await stage.state())["entries"]
    band = [entry["text"] for entry in entries if entry["band"]]
    assert band[0] == "Deliver everything twice"
    assert band[-1] == "Survived: 1 answer, 3 duplicates dropped, 0 lost"
    assert [entry["kind"] for entry in entries if entry["kind"] in ("fault", "verdict")] == [
        "fault",
        "verdict",
    ]


async def test_an_app_that_answers_every_copy_has_not_survived() -> None:
    async with staged(careless=True) as stage:
        await stage.press("twice")
        trial = await stage.verdict("twice")
    assert trial["verdict"]["survived"] is False
    assert trial["verdict"]["text"].startswith("Not survived: 4 answers to 1 message, 3 duplicates")


async def test_an_app_that_never_answers_has_lost_the_message() -> None:
    async with staged(mute=True) as stage:
        await stage.press("twice")
        trial = await stage.verdict("twice")
    assert trial["verdict"] == {
        "survived": False,
        "text": "Not survived: 0 answers, 3 duplicates dropped, 1 lost",
    }


async def test_a_reply_that_never_arrives_is_fatal_to_an_app_that_does_not_look(stage: Stage) -> None:
    """The scripted app gives up when a call breaks: its message stays unfinished."""
    await stage.press("lose-reply")
    trial = await stage.verdict("lose-reply")
    assert trial["verdict"]["text"] == "Not survived: 0 answers, 1 reply never arrived, 1 lost"
    calls = await stage.door.calls("chat.postMessage")
    assert [call.reply_lost for call in calls] == [True]


async def test_a_trial_measures_what_is_going_on_and_asks_only_where_nothing_is(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.playground.evidence.strikes.SLOW_FOR", 1.0)
    cast = Cast()
    stage.app.steps = 10
    asked = await stage.door.post(cast.general, f"<@{cast.bot_user}> why?")
    await stage.door.wait_for_message(cast.general, lambda m: m.user == cast.bot_user, thread_ts=asked.ts)
    await stage.press("slow-down")
    trial = await stage.verdict("slow-down")
    assert trial["asked"] is None
    assert trial["verdict"]["survived"]
    assert trial["verdict"]["text"].startswith("Survived: 1 answer, ")
    assert (await stage.state())["counters"]["limited"] > 0
    assert [message.ts for message in await stage.door.messages() if message.bot_id is None] == [asked.ts]


async def test_a_reset_of_the_world_forgets_verdicts_and_calls_off_what_is_going_on(stage: Stage) -> None:
    await stage.press("twice")
    assert (await stage.verdict("twice"))["verdict"]["survived"]
    await stage.door.reset()
    assert await stage.trial("twice") is None
    stage.app.gate.clear()
    await stage.press("twice")
    await stage.door.reset()
    assert (await stage.verdict("twice"))["note"] == "Called off."
    assert await stage.door.faults() == []


async def test_without_a_supervisor_nothing_is_killed(stage: Stage) -> None:
    assert await stage.press("kill-bot") == 409
    assert await stage.trial("kill-bot") is None


async def test_a_question_that_was_given_up_long_ago_is_not_held_against_a_later_fault(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.playground.evidence.accounts.STILL_TO_COME", 0.0)
    stage.app.mute = True
    await stage.door.post(Cast().ops, f"<@{Cast().bot_user}> nobody will ever answer this")

    async def delivered() -> bool:
        return (await stage.door.link()).under_way == 0

    await wait_until(delivered, what="it was heard")
    stage.app.mute = False
    await stage.press("twice")
    assert (await stage.verdict("twice"))["verdict"]["survived"]


async def test_a_failed_run_is_lost_unless_a_person_stopped_it(stage: Stage) -> None:
    cast = Cast()

    async def story(channel: str, root: str) -> None:
        ts = await stage.app.say(channel, root, running(1, 3))
        await wait_until(lambda: stage.app.clicks, timeout=3, what="Stop")
        await stage.app.change(channel, ts, ended("Stopped.", button("run:retry", "Retry")))

    stage.app.script = story
    await stage.press("twice")
    shown = await stage.door.wait_for_message(cast.ops, lambda m: m.user == cast.bot_user)
    await stage.door.click(shown, "run:stop")
    assert (await stage.verdict("twice"))["verdict"][
        "text"
    ] == "Survived: 1 answer, 3 duplicates dropped, 0 lost"

    async def failing(channel: str, root: str) -> None:
        await stage.app.say(channel, root, ended("It failed.", button("run:retry", "Retry")))

    stage.app.script = failing
    await stage.press("twice")

    async def second() -> bool:
        trial = await stage.trial("twice")
        return bool(trial and trial["number"] == 2 and trial["phase"] == "ended")

    await wait_until(second, what="the second verdict")
    trial = await stage.trial("twice")
    assert trial
    assert trial["verdict"]["text"] == "Not survived: 1 answer, 3 duplicates dropped, 1 lost"


# Verdicts, by the numbers

FINE = Balance(expected=1, answers=1, failures=0, waiting=0)
ASKS = Balance(expected=1, answers=0, failures=0, waiting=1)


def measured(fault: Fault, owed: Balance = FINE, **more: Any) -> Measured:
    return Measured(
        **{
            "fault": fault,
            "balance": owed,
            "restarts": 1,
            "hits": 1,
            "runs_of_one_call": 0,
            "in_time": True,
            **more,
        }
    )


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (measured(Fault.KILL_BOT), "Survived: 1 answer, 1 restart, 0 lost"),
        (measured(Fault.KILL_BOT, runs_of_one_call=1), "Survived: 1 answer, 1 restart, 0 lost"),
        (measured(Fault.KILL_BOT, restarts=0), "Not survived: 1 answer, 0 restarts, 0 lost"),
        (measured(Fault.KILL_BOT, runs_of_one_call=2), "Not survived: 1 answer, 1 restart, 0 lost, the tool ran 2 times"),
        (measured(Fault.KILL_BOT, replace(FINE, answers=0)), "Not survived: 0 answers, 1 restart, 1 lost"),
        (measured(Fault.KILL_BOT, in_time=False), "Not survived: 1 answer, 1 restart, 0 lost"),
        (measured(Fault.KILL_TOOL, ASKS, runs_of_one_call=1), "Survived: 0 answers, 1 restart, 0 lost, the tool ran 1 time, a person is asked"),
        (measured(Fault.KILL_TOOL, FINE, runs_of_one_call=1), "Not survived: 1 answer, 1 restart, 0 lost, the tool ran 1 time"),
        (measured(Fault.KILL_TOOL, ASKS, runs_of_one_call=2), "Not survived: 0 answers, 1 restart, 0 lost, the tool ran 2 times, a person is asked"),
        (measured(Fault.SLOW_DOWN, hits=9), "Survived: 1 answer, 9 calls refused, 0 lost"),
        (measured(Fault.TWICE, replace(FINE, answers=2), hits=3), "Not survived: 2 answers to 1 message, 3 duplicates dropped, 0 lost"),
        (measured(Fault.LOSE_REPLY, replace(FINE, failures=1)), "Not survived: 1 answer, 1 reply never arrived, 1 lost"),
    ],
)  # fmt: skip
def test_a_verdict_follows_from_the_figures(given: Measured, text: str) -> None:
    assert judge(given).text == text
    assert judge(given).survived is text.startswith("Survived")


# The effect counter


@pytest.fixture
async def counter() -> AsyncIterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    port, pulse = listening.getsockname()[1], Pulse()
    app = web.Application(middlewares=[guard(port)])
    app.add_routes(EffectCounter(pulse).routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    yield f"http://127.0.0.1:{port}"
    pulse.close()
    await runner.cleanup()


async def test_the_counter_counts_what_arrives_and_tells_it_in_order(
    counter: str, session: aiohttp.ClientSession
) -> None:
    for number, key in enumerate(("a", "b"), start=1):
        said = {"key": key, "what": "restart_service", "service": "checkout", "env": "prod"}
        async with session.post(f"{counter}/effects", json=said) as answer:
            assert (await answer.json()) == {"number": number}
    async with session.get(f"{counter}/effects?after=1") as answer:
        (effect,) = [Effect(**each) for each in await answer.json()]
    assert (effect.number, effect.key, effect.what, effect.held) == (
        2,
        "b",
        "restart_service checkout prod",
        False,
    )


@pytest.mark.parametrize(("body", "status"), [("[]", 400), ("{", 400), ("{}", 200)])
async def test_an_effect_is_a_json_object(
    counter: str, session: aiohttp.ClientSession, body: str, status: int
) -> None:
    async with session.post(f"{counter}/effects", data=body) as answer:
        assert answer.status == status


async def test_a_page_of_another_origin_cannot_fake_an_effect(
    counter: str, session: aiohttp.ClientSession
) -> None:
    async with session.post(
        f"{counter}/effects", json={}, headers={"Origin": "http://127.0.0.1:1"}
    ) as answer:
        assert answer.status == 403
    async with session.get(f"{counter}/effects") as answer:
        assert await answer.json() == []


async def test_the_page_counts_what_the_tool_really_did(counter: str) -> None:
    async with staged(counter=counter) as stage:
        cast = Cast()
        asked = await stage.door.post(cast.ops, f"<@{cast.bot_user}> restart checkout in prod")
        shown = await stage.door.wait_for_message(
            cast.ops, lambda m: len(m.blocks) > 4, thread_ts=asked.ts, what="the card"
        )
        await stage.door.click(shown, "approval:approve", user=cast.approver)

        async def counted() -> bool:
            return bool((await stage.state())["counters"]["effects"] == 1)

        await wait_until(counted, what="one effect")
        texts = [entry["text"] for entry in (await stage.state())["entries"]]
    assert "The tool really ran: restart_service checkout prod" in texts
