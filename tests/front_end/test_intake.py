from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from front_end.slack_bodies import CAST, event_body, mention, message, new_ts
from front_end.stage import WORKER, Stage
from structlog.testing import capture_logs
from waiting import wait_until

from bot.playground.faults import ErrorAnswer
from harness_core.states import RunState


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_the_two_events_of_one_post_start_one_run(stage: Stage) -> None:
    posted = await stage.door.post(CAST.general, f"<@{CAST.bot_user}> is checkout up?")

    async def both() -> bool:
        kinds = {each.event_type for each in await stage.door.deliveries() if each.status == 200}
        return kinds >= {"app_mention", "message"}

    await wait_until(both)
    run = await stage.the_run()
    assert run.user == CAST.requester
    assert run.conversation == f"{CAST.general}:{posted.ts}"
    assert dict(run.target) == {
        "team": CAST.team,
        "channel": CAST.general,
        "channel_type": run.target["channel_type"],
        "thread_ts": posted.ts,
        "ts": posted.ts,
        "user": CAST.requester,
    }
    assert (await stage.core.control.run_input(run.run_id)).text == "is checkout up?"


@pytest.mark.parametrize("make", [mention, message], ids=["app_mention", "message"])
async def test_either_event_of_a_post_is_enough(stage: Stage, make: type) -> None:
    event = make("up?") if make is mention else make(f"<@{CAST.bot_user}> up?")
    assert (await stage.event(event)).status == 200
    assert (await stage.the_run()).state is RunState.QUEUED


async def test_ten_deliveries_of_one_event_at_once_start_one_run(stage: Stage) -> None:
    event, event_id = mention("once, please"), "Ev0SAME"
    replies = await asyncio.gather(*(stage.event(event, event_id=event_id) for _ in range(10)))
    assert [reply.status for reply in replies] == [200] * 10
    assert len(await stage.runs()) == 1
    assert "harness_events_duplicate_total 9.0" in (await stage.get("/metrics")).text


async def test_while_redis_hangs_no_event_is_answered_with_200_and_none_is_lost(
    stage: Stage, redis_pid: int
) -> None:
    events = [mention(f"question {number}") for number in range(5)]
    began = asyncio.get_running_loop().time()
    with frozen(redis_pid):
        replies = await asyncio.gather(*(stage.event(event, event_id=f"Ev{event['ts']}") for event in events))
    assert asyncio.get_running_loop().time() - began < 3, "Slack waits three seconds for an answer"
    assert {reply.status for reply in replies} == {503}
    again = await asyncio.gather(*(stage.event(event, event_id=f"Ev{event['ts']}") for event in events))
    assert {reply.status for reply in again} == {200}
    assert len(await stage.runs()) == 5


async def test_after_start_up_a_failing_auth_test_stops_no_event(stage: Stage) -> None:
    await stage.door.fault(ErrorAnswer(error="invalid_auth", method="auth.test", calls=None))
    assert (await stage.event(mention("still there?"))).status == 200
    assert len(await stage.runs()) == 1


async def test_no_event_makes_a_call_to_slack_before_it_is_answered(stage: Stage) -> None:
    before = len(await stage.door.calls())
    await asyncio.gather(*(stage.event(mention(f"question {number}")) for number in range(5)))
    calls = (await stage.door.calls())[before:]
    assert [call.method for call in calls if call.method == "auth.test"] == []


async def test_a_team_that_is_not_installed_is_dropped_and_logged(stage: Stage) -> None:
    with capture_logs() as logs:
        reply = await stage.event(mention("hello"), team="T0ELSEWHERE")
    assert reply.status == 200
    assert await stage.runs() == []
    (line,) = [each for each in logs if each["event"].startswith("dropped")]
    assert line["team_id"] == "T0ELSEWHERE"


async def test_another_app_id_is_no_reason_to_drop_an_event(stage: Stage) -> None:
    """The id of the app is known only from an OAuth installation, so there is nothing to compare it with."""
    assert event_body(mention("x"))["api_app_id"] == CAST.app
    for app_id in ("A0ANOTHER", ""):
        await stage.event(mention("hello"), event_id=f"Ev{app_id or 'none'}")
    assert len(await stage.runs()) == 2


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(message(f"<@{CAST.bot_user}> hi", bot_id=CAST.other_bot), id="another bot"),
        pytest.param(
            message(f"<@{CAST.bot_user}> hi", user=CAST.bot_user, bot_id=CAST.bot), id="the bot itself"
        ),
        pytest.param(mention("hi", user=CAST.bot_user), id="its own mention"),
        pytest.param(message(f"<@{CAST.bot_user}> hi", subtype="bot_message"), id="bot_message"),
        pytest.param(message(f"<@{CAST.bot_user}> has joined", subtype="channel_join"), id="a join"),
        pytest.param(message("hi", user="USLACKBOT", channel="D1", channel_type="im"), id="Slackbot"),
        pytest.param(
            {
                "type": "message",
                "subtype": "message_changed",
                "channel": CAST.general,
                "ts": new_ts(),
                "message": {"user": CAST.bot_user, "bot_id": CAST.bot, "text": "new", "ts": new_ts()},
                "previous_message": {"text": "old"},
            },
            id="an edit of its own",
        ),
    ],
)
async def test_what_no_person_wrote_starts_nothing(stage: Stage, event: dict[str, object]) -> None:
    assert (await stage.event(event)).status == 200
    assert await stage.runs() == []


async def test_talk_in_a_channel_without_a_mention_starts_nothing(stage: Stage) -> None:
    for text in ("good morning", f"<@{CAST.approver}> can you look?"):
        assert (await stage.event(message(text))).status == 200
    assert await stage.runs() == []


async def test_a_direct_message_starts_a_conversation_and_its_thread_continues_it(stage: Stage) -> None:
    place = {"channel": "D0DIRECT", "channel_type": "im"}
    root, other = message("first", **place), message("something else", **place)
    await stage.event(root)
    await stage.event(message("and then?", thread_ts=root["ts"], **place))
    await stage.event(other)
    conversations = [run.conversation for run in await stage.runs()]
    assert sorted(conversations) == sorted(
        [f"D0DIRECT:{root['ts']}", f"D0DIRECT:{root['ts']}", f"D0DIRECT:{other['ts']}"]
    )


async def test_a_reply_in_a_followed_thread_needs_no_mention(stage: Stage) -> None:
    root = mention("look at this")
    await stage.event(root)
    await stage.event(message("and this", thread_ts=root["ts"]))
    assert len(await stage.runs()) == 2


async def test_a_reply_of_a_file_alone_starts_nothing(stage: Stage) -> None:
    root = mention("look at this")
    await stage.event(root)
    await stage.event(message("", thread_ts=root["ts"], subtype="file_share", files=[{"id": "F1"}]))
    assert len(await stage.runs()) == 1


async def test_a_reply_in_somebody_elses_thread_starts_nothing(stage: Stage) -> None:
    await stage.event(message("and this", thread_ts=new_ts()))
    assert await stage.runs() == []


async def test_where_the_channel_says_mention_a_reply_needs_one(stage: Stage) -> None:
    root = mention("look at this", channel=CAST.private)
    await stage.event(root)
    await stage.event(message("and this", channel=CAST.private, thread_ts=root["ts"]))
    assert len(await stage.runs()) == 1
    await stage.event(mention("and this", channel=CAST.private, thread_ts=root["ts"]))
    assert len(await stage.runs()) == 2


async def test_once_a_second_person_wrote_in_a_thread_a_mention_is_needed(stage: Stage) -> None:
    root = mention("look at this")
    await stage.event(root)
    await stage.event(message("I know that one", thread_ts=root["ts"], user=CAST.approver))
    await stage.event(message("really?", thread_ts=root["ts"]))
    assert len(await stage.runs()) == 1


async def test_a_reply_that_opens_with_somebody_elses_mention_is_not_for_the_bot(stage: Stage) -> None:
    root = mention("look at this")
    await stage.event(root)
    await stage.event(message(f"<@{CAST.approver}> what do you think?", thread_ts=root["ts"]))
    assert len(await stage.runs()) == 1


async def test_whatever_people_write_in_the_thread_of_a_run_is_known_to_stand_below_it(stage: Stage) -> None:
    root = mention("look at this")
    await stage.event(root)
    chat = message(f"<@{CAST.approver}> what do you think?", thread_ts=root["ts"])
    await stage.event(chat)
    elsewhere = mention("unrelated")
    await stage.event(message("no run here", thread_ts=elsewhere["ts"]))
    posts = stage.core.store.messages
    assert await posts.last_post(CAST.team, f"{CAST.general}:{root['ts']}") == int(
        chat["ts"].replace(".", "")
    )
    assert await posts.last_post(CAST.team, f"{CAST.general}:{elsewhere['ts']}") == 0


async def test_deleting_a_message_takes_its_run_out_of_the_line(stage: Stage) -> None:
    first, second = mention("first"), None
    await stage.event(first)
    second = message("second", thread_ts=first["ts"])
    await stage.event(second)
    gone = {"user": CAST.requester, "ts": second["ts"], "thread_ts": first["ts"], "text": "second"}
    await stage.event(
        {
            "type": "message",
            "subtype": "message_deleted",
            "channel": CAST.general,
            "ts": new_ts(),
            "deleted_ts": second["ts"],
            "previous_message": gone,
        }
    )
    assert [run.state for run in await stage.runs()] == [RunState.CANCELLED, RunState.QUEUED]


async def test_deleting_a_message_that_has_replies_takes_its_run_out_of_the_line_too(stage: Stage) -> None:
    asked = mention("first")
    await stage.event(asked)
    stays = {
        "type": "message",
        "user": "USLACKBOT",
        "ts": asked["ts"],
        "thread_ts": asked["ts"],
        "hidden": True,
    }
    gone = stays | {"subtype": "tombstone", "text": "This message was deleted.", "reply_count": 1}
    changed = {
        "type": "message",
        "subtype": "message_changed",
        "channel": CAST.general,
        "ts": new_ts(),
        "message": gone,
        "previous_message": asked | {"thread_ts": asked["ts"], "reply_count": 1},
    }
    await stage.event(changed)
    assert (await stage.the_run()).state is RunState.CANCELLED
    counted = {"message": gone | {"reply_count": 2}, "previous_message": gone}
    assert (await stage.event(changed | counted)).status == 200, (
        "what is left of it is no message of a person"
    )


async def test_a_full_thread_is_told_to_who_wrote_and_nothing_is_stored(stage: Stage) -> None:
    root = mention("one")
    await stage.event(root)
    for number in range(20):
        await stage.event(message(f"more {number}", thread_ts=root["ts"]))
    assert len(await stage.runs()) == 20
    (told,) = await stage.told(CAST.requester)
    assert "Too many messages wait in this thread" in told.text
    assert told.thread_ts == root["ts"]


async def test_without_a_worker_the_person_hears_that_the_message_is_saved(stage: Stage) -> None:
    await stage.core.store.presence.leave(WORKER)
    await stage.event(mention("anybody?"))
    (told,) = await stage.told(CAST.requester)
    assert told.text == "Saved. No worker is running; it starts when one is back."


async def test_a_message_behind_another_run_gets_one_receipt(stage: Stage) -> None:
    root = await stage.door.post(CAST.general, f"<@{CAST.bot_user}> first")
    await wait_until(stage.runs)
    second = await stage.door.post(CAST.general, "second", thread_ts=root.ts)

    async def receipt() -> bool:
        seen = await stage.door.message(CAST.general, second.ts)
        return seen is not None and seen.reactions == {"eyes": (CAST.bot_user,)}

    await wait_until(receipt)
    first = await stage.door.message(CAST.general, root.ts)
    assert first is not None
    assert first.reactions == {}
