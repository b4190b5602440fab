from __future__ import annotations

import pytest
from front_end.slack_bodies import CAST, mention, message
from front_end.stage import Stage

from bot.listeners.mention_verbs import Verb, mention_verb
from harness_core.events import RunCompleted
from harness_core.models import Fence, Run
from harness_core.states import RunState


async def ended(stage: Stage, run: Run, output: str = "All is well.") -> None:
    """Ends a queued run as a worker would."""
    claims = await stage.core.store.runs.claim("w", want=10, per_tenant=20, per_user=20, lease=30)
    fence: Fence = next(claim.fence for claim in claims if claim.run.run_id == run.run_id)
    await stage.core.store.runs.finish(fence, RunState.COMPLETED, RunCompleted(output=output), output=output)


async def asked(stage: Stage, text: str = "why is it slow?") -> str:
    """A thread with one run; its root."""
    event = mention(text)
    await stage.event(event)
    return str(event["ts"])


async def said(stage: Stage, text: str, root: str, *, user: str = CAST.requester) -> str:
    """What the person who mentions the bot in the thread is told."""
    before = len(await stage.door.ephemerals(user=user))
    assert (await stage.event(mention(text, thread_ts=root, user=user))).status == 200
    told = await stage.told(user, before + 1)
    assert told[-1].thread_ts == root
    return told[-1].text


@pytest.mark.parametrize(
    "text", ["stop", "STOP", " Stop ", "status", "retry", "restart", "quiet", "agents", "help"]
)
def test_a_verb_is_the_whole_text_in_any_case(text: str) -> None:
    assert mention_verb(text) == Verb(text.strip().lower())


@pytest.mark.parametrize("text", ["stop it", "please stop", "use", "use two words", "stopp", "", "help me"])
def test_anything_else_is_input(text: str) -> None:
    assert mention_verb(text) is None


def test_use_names_an_agent() -> None:
    assert mention_verb("Use Guide") == Verb("use", "Guide")


async def test_a_verb_starts_no_run_and_input_that_begins_like_one_does(stage: Stage) -> None:
    await stage.event(mention("help"))
    assert await stage.runs() == []
    await stage.event(mention("help me with checkout"))
    assert len(await stage.runs()) == 1


async def test_a_verb_without_a_mention_is_input(stage: Stage) -> None:
    root = await asked(stage)
    await stage.event(message("stop", thread_ts=root))
    assert [run.state for run in await stage.runs()] == [RunState.QUEUED, RunState.QUEUED]


async def test_both_events_of_one_verb_are_answered_once(stage: Stage) -> None:
    root = await stage.door.post(CAST.general, f"<@{CAST.bot_user}> help")
    await stage.told(CAST.requester)
    await stage.door.post(CAST.general, f"<@{CAST.bot_user}> agents", thread_ts=root.ts)
    assert len(await stage.told(CAST.requester, 2)) == 2


async def test_anyone_in_the_channel_may_stop_the_run_of_a_thread(stage: Stage) -> None:
    root = await asked(stage)
    answer = await said(stage, "stop", root, user=CAST.approver)
    run = await stage.the_run()
    assert (run.state, run.cancelled_by) == (RunState.CANCELLED, CAST.approver)
    assert answer.startswith(f"Stopped by <@{CAST.approver}>.")


async def test_stop_ends_the_run_at_the_head_and_leaves_the_line(stage: Stage) -> None:
    root = await asked(stage)
    await stage.event(message("and then", thread_ts=root))
    await said(stage, "stop", root)
    assert [run.state for run in await stage.runs()] == [RunState.QUEUED, RunState.CANCELLED]


async def test_stop_where_nothing_runs_says_so(stage: Stage) -> None:
    assert await said(stage, "stop", "1700000000.000001") == "Nothing is running in this thread."


async def test_status_shows_the_run_of_the_thread(stage: Stage) -> None:
    root = await asked(stage)
    answer = await said(stage, "status", root)
    assert (await stage.the_run()).run_id in answer
    assert "queued" in answer


async def test_retry_asks_the_same_again_once(stage: Stage) -> None:
    root = await asked(stage, "why is it slow?")
    first = await stage.the_run()
    assert "still going" in await said(stage, "retry", root)
    await ended(stage, first)
    answer = await said(stage, "retry", root)
    second, _ = await stage.runs()
    assert second.run_id in answer
    assert (second.user, second.retry_of) == (CAST.requester, first.run_id)
    assert (await stage.core.control.run_input(second.run_id)).text == "why is it slow?"


async def test_only_the_requester_or_an_admin_may_retry(stage: Stage) -> None:
    root = await asked(stage)
    await ended(stage, await stage.the_run())
    answer = await said(stage, "retry", root, user=CAST.approver)
    assert answer == "You can't retry this run. Its requester or an admin can."
    assert len(await stage.runs()) == 1
    await said(stage, "retry", root, user=CAST.admin)
    assert len(await stage.runs()) == 2


async def test_a_quiet_thread_is_read_again_once_the_bot_is_mentioned(stage: Stage) -> None:
    root = await asked(stage)
    await said(stage, "quiet", root)
    await stage.event(message("among us", thread_ts=root))
    assert len(await stage.runs()) == 1
    await stage.event(mention("and you?", thread_ts=root))
    await stage.event(message("go on", thread_ts=root))
    assert len(await stage.runs()) == 3


async def test_use_chooses_the_agent_of_the_conversation_in_any_case(stage: Stage) -> None:
    root = await asked(stage)
    assert (await said(stage, "use GUIDE", root)).startswith("guide answers in this thread")
    assert await stage.core.store.threads.agent_of(CAST.team, f"{CAST.general}:{root}") == "guide"


async def test_an_unknown_agent_is_answered_with_those_there_are(stage: Stage) -> None:
    root = await asked(stage)
    assert await said(stage, "use opps", root) == "No agent “opps”. Known agents: guide, ops."


async def test_agents_and_help_list_what_there_is(stage: Stage) -> None:
    root = await asked(stage)
    assert "Looks after services." in await said(stage, "agents", root)
    helped = await said(stage, "help", root)
    assert all(verb in helped for verb in ("stop", "status", "retry", "quiet", "use AGENT"))


async def test_restart_stops_what_is_live_and_begins_another_thread(stage: Stage) -> None:
    root = await asked(stage)
    await stage.event(message("and then", thread_ts=root))
    old = await stage.the_thread(root)
    assert await said(stage, "restart", root, user=CAST.approver) == (
        "This thread starts anew. What was said before is forgotten."
    )
    stopped = await stage.runs()
    assert [(run.state, run.cancelled_by) for run in stopped] == [(RunState.CANCELLED, CAST.approver)] * 2
    await stage.event(message("anew", thread_ts=root))
    new = await stage.the_thread(root)
    assert (old.generation, new.generation) == (1, 2)
    assert (await stage.runs())[0].thread_id == new.thread_id != old.thread_id
    texts = [each.text for each in (await stage.core.control.messages(old.thread_id)).items]
    assert texts == ["and then", "why is it slow?"]


async def test_both_events_of_one_restart_do_it_once(stage: Stage) -> None:
    root = await asked(stage)
    event = mention("restart", thread_ts=root)
    await stage.event(event)
    await stage.told(CAST.requester)
    await stage.event(mention("and now?", thread_ts=root))
    # The other event of the post comes late, and to a process that has not seen the first.
    outcome = await stage.core.control.start_anew(
        CAST.team, f"{CAST.general}:{root}", by=CAST.requester, names=(f"post:{CAST.general}:{event['ts']}",)
    )
    assert outcome == "duplicate"
    assert [run.state for run in await stage.runs()] == [RunState.QUEUED, RunState.CANCELLED]


async def test_restart_where_nothing_ran_says_so(stage: Stage) -> None:
    assert await said(stage, "restart", "1700000000.000001") == "Nothing has run in this thread yet."


async def test_an_empty_mention_is_answered_once_to_who_wrote_it(stage: Stage) -> None:
    await stage.door.post(CAST.general, f"<@{CAST.bot_user}>")
    (told,) = await stage.told(CAST.requester)
    assert told.text.startswith("Write what you need after the mention")
    assert told.thread_ts is None
    assert await stage.runs() == []
