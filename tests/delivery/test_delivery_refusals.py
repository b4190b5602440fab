"""What Slack refuses: nothing said is lost where a place for it exists, and nothing is tried for ever."""

from __future__ import annotations

from itertools import pairwise

import pytest
from delivery.owners import QUICK, Owners
from delivery.stage import Act, Stage
from waiting import wait_until

from bot.playground.faults import ErrorAnswer
from bot.playground.records import ApiCall
from harness_core.models import Delivery

POST, UPDATE = "chat.postMessage", "chat.update"


async def record(act: Act, part: str = "0") -> Delivery | None:
    return (await act.store.deliveries.of_run(act.run_id)).get(part)


async def said_in(stage: Stage, channel: str) -> list[ApiCall]:
    """The posts that were tried in ``channel``."""
    return [call for call in await stage.calls(POST) if call.args["channel"] == channel]


async def undeliverable(act: Act) -> None:
    async def probe() -> bool:
        found = await record(act)
        return found is not None and found.state == "undeliverable"

    await wait_until(probe, what="the delivery was given up")
    await act.clean()


async def test_a_deleted_message_is_posted_anew_with_the_final_text(stage: Stage, owners: Owners) -> None:
    await owners.start(stage)
    act = await stage.play()
    await act.say("Draft")
    draft = await act.says("Draft")
    before = await record(act)
    await stage.door.delete(act.channel, draft.ts, user=stage.cast.bot_user)
    await act.complete("The final text.")
    final = await act.says("The final text.")
    await act.clean()
    assert [message.ts for message in await act.answers()] == [final.ts]
    after = await record(act)
    assert before is not None
    assert after is not None
    assert after.nonce != before.nonce, "another message has another nonce"


async def test_a_run_goes_on_in_a_new_message_when_its_message_is_deleted(
    stage: Stage, owners: Owners
) -> None:
    await owners.start(stage)
    act = await stage.play()
    await act.say("One")
    first = await act.says("One")
    await stage.door.delete(act.channel, first.ts, user=stage.cast.bot_user)
    await act.say(" two")
    second = await act.says("One two")
    await act.say(" three")
    third = await act.says("One two three")
    assert first.ts != second.ts == third.ts


async def test_whoever_deletes_every_message_gets_only_the_final_one_more(
    stage: Stage, owners: Owners
) -> None:
    await owners.start(stage)
    act = await stage.play()
    for number in range(3):
        await act.say(f"text{number} ")
        message = await act.says(f"text{number}")
        await stage.door.delete(act.channel, message.ts, user=stage.cast.bot_user)
    await act.say("unseen")
    await act.clean()
    assert await act.answers() == []
    posts = len(await stage.calls(POST))
    await act.say(" unheard")
    await act.clean()
    assert len(await stage.calls(POST)) == posts
    await act.complete("But this.")
    await act.says("But this.")


@pytest.mark.parametrize("error", ["cant_update_message", "streaming_state_conflict"])
async def test_a_message_that_may_not_be_edited_is_followed_by_a_new_one(
    error: str, stage: Stage, owners: Owners
) -> None:
    await owners.start(stage)
    act = await stage.play()
    await act.say("Draft")
    draft = await act.says("Draft")
    await stage.door.fault(ErrorAnswer(error=error, method=UPDATE))
    await act.complete("The final text.")
    assert (await act.says("The final text.")).ts != draft.ts
    await act.clean()


@pytest.mark.parametrize(
    "error",
    ["channel_not_found", "restricted_action", "token_revoked"],
)
async def test_a_place_that_is_closed_to_us_is_tried_once(error: str, stage: Stage, owners: Owners) -> None:
    await stage.door.fault(ErrorAnswer(error=error, method=POST, calls=None))
    await owners.start(stage)
    act = await stage.play()
    await act.say("Nobody ")
    await undeliverable(act)
    await act.complete("Nobody will read this.")
    await act.clean()
    assert len(await said_in(stage, act.channel)) == 1


async def test_an_archived_channel_ends_the_delivery(stage: Stage, owners: Owners) -> None:
    await owners.start(stage)
    act = await stage.play()
    await act.say("Here")
    await act.says("Here")
    await stage.door.archive(act.channel)
    await act.complete("Here and gone. " * 1500)
    await undeliverable(act)
    assert len(await stage.calls(UPDATE)) == 1
    assert len(await said_in(stage, act.channel)) == 1


async def test_a_broken_token_is_tried_rarely_and_the_final_text_comes_once_it_works(
    stage: Stage, owners: Owners
) -> None:
    await stage.door.fault(ErrorAnswer(error="invalid_auth", calls=None))
    await owners.start(stage)
    acts = [await stage.play() for _ in range(3)]

    async def tried(times: int) -> bool:
        return len(await stage.calls(POST)) >= times

    await acts[0].complete("Worth the wait.")
    await wait_until(lambda: tried(1))
    for act in acts[1:]:
        await act.complete("Worth the wait.")
    await wait_until(lambda: tried(len(acts) + 1))
    # What was in flight with the first refusal cannot be called back; after that, one run asks for all.
    times = [call.at for call in (await stage.calls(POST))[: len(acts) + 1]]
    longest = max(later - earlier for earlier, later in pairwise(times))
    assert longest > QUICK.token_pause * 0.9, "the pause holds for every run"
    await stage.door.clear_faults()
    for act in acts:
        await act.says("Worth the wait.")
        await act.clean()
        assert len(await act.answers()) == 1


@pytest.mark.parametrize("error", ["msg_blocks_too_long", "something_new"])
async def test_refused_content_is_said_again_as_plain_text_all_of_it(
    error: str, stage: Stage, owners: Owners
) -> None:
    answer = "\n\n".join(f"Paragraph {number}: " + "word " * 60 for number in range(32))
    await stage.door.fault(ErrorAnswer(error=error, method=POST))
    await owners.start(stage)
    act = await stage.play()
    await act.complete(answer)
    await act.says("Paragraph 31:")
    await act.clean()
    said = [message.text for message in await act.answers()]
    assert len(said) == 3
    assert "".join("".join(said).split()) == "".join(answer.split())
    assert max(map(len, said)) <= 4000


async def test_content_that_is_refused_in_every_form_is_given_up(stage: Stage, owners: Owners) -> None:
    await stage.door.fault(ErrorAnswer(error="something_new", method=POST, calls=None))
    await owners.start(stage)
    act = await stage.play()
    await act.complete("Unspeakable.")
    await undeliverable(act)
    assert len(await stage.calls(POST)) == 2


async def test_a_run_without_a_place_in_slack_is_not_shown(stage: Stage, owners: Owners) -> None:
    await owners.start(stage)
    nowhere = await stage.ask_nowhere()
    act = await stage.play()
    await act.complete("Elsewhere.")
    await act.says("Elsewhere.")
    await nowhere.clean()
    assert len(await stage.calls(POST)) == 1


async def test_a_run_that_cannot_be_read_keeps_nobody_else_from_being_shown(
    stage: Stage, owners: Owners
) -> None:
    act = await stage.play()
    await act.say("Sealed")
    await stage.store.client.rpush(f"harness:{{p0}}:run:{act.run_id}:events", b"1|S|output.delta|garbage")
    gone = await stage.ask(channel=stage.cast.general)
    await stage.store.client.unlink(f"harness:{{p0}}:run:{gone.run_id}")
    await owners.start(stage)
    other = await stage.play()
    await other.complete("Readable.")
    await other.says("Readable.")
    assert await act.answers() == []
