from __future__ import annotations

import asyncio
import json
import os
import signal
from typing import Any

import pytest
from front_end.slack_bodies import CAST, command, mention
from front_end.stage import Stage

from bot.listeners.command_line import (
    CancelRun,
    Help,
    Incomplete,
    ListAgents,
    ListApprovals,
    ListGrants,
    ListRuns,
    ShowRun,
    UnknownWord,
    read_command,
)
from harness_core.models import RunFilter
from harness_core.states import RunState


async def answer(stage: Stage, text: str, *, user: str = CAST.admin, **fields: str) -> dict[str, Any]:
    """The one answer, in the acknowledgement."""
    reply = await stage.command(command(text, user=user, **fields))
    assert reply.status == 200
    body: dict[str, Any] = json.loads(reply.text)
    assert body["response_type"] == "ephemeral"
    return body


async def ask(stage: Stage, *users: str) -> list[str]:
    """A run of each of these people; their ids, newest first."""
    for user in users:
        await stage.event(mention("why?", user=user))
    return [run.run_id for run in await stage.runs()]


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("", Help()),
        ("help", Help()),
        ("RUNS", ListRuns(RunFilter())),
        ("runs failed", ListRuns(RunFilter(state=RunState.FAILED))),
        ("runs <@U012ABC|rosa> running", ListRuns(RunFilter(user="U012ABC", state=RunState.RUNNING))),
        ("runs <#C012ABC|general> ops", ListRuns(RunFilter(channel="C012ABC", agent="ops"))),
        ("runs <#C012ABC>", ListRuns(RunFilter(channel="C012ABC"))),
        ("show run_1", ShowRun("run_1")),
        ("cancel `run_1`", CancelRun("run_1")),
        ("show", Incomplete("show RUN")),
        ("agents", ListAgents()),
        ("approvals", ListApprovals(open_only=True)),
        ("approvals ALL", ListApprovals(open_only=False)),
        ("approvals later", UnknownWord("later", ("open", "all"))),
        ("grants", ListGrants()),
    ],
)
def test_what_is_typed_is_read_into_one_of_a_few_things(text: str, typed: object) -> None:
    assert read_command(text, {"ops", "guide"}) == typed


def test_an_unknown_word_knows_what_it_could_have_been() -> None:
    assert isinstance(read_command("rnus", ()), UnknownWord)
    found = read_command("runs faild", {"ops"})
    assert isinstance(found, UnknownWord)
    assert {"failed", "ops"} <= set(found.known)


async def test_runs_lists_newest_first_with_everything_in_the_text_too(stage: Stage) -> None:
    newest, oldest = await ask(stage, CAST.requester, CAST.approver)
    body = await answer(stage, "runs")
    first, second = body["text"].splitlines()
    assert newest in first
    assert oldest in second
    for part in ("queued", f"<@{CAST.approver}>", "ago", "/archives/"):
        assert part in first


async def test_without_runs_the_answer_is_no_runs(stage: Stage) -> None:
    assert (await answer(stage, "runs"))["text"] == "No runs."


async def test_who_is_no_admin_sees_only_their_own_runs(stage: Stage) -> None:
    theirs, own = await ask(stage, CAST.requester, CAST.approver)
    text = (await answer(stage, "runs", user=CAST.requester))["text"]
    assert own in text
    assert theirs not in text
    refused = await answer(stage, f"runs <@{CAST.approver}>", user=CAST.requester)
    assert refused["text"] == "You can't list other people's runs. An admin can."


async def test_the_operators_admins_are_admins_too(stage: Stage) -> None:
    newest, oldest = await ask(stage, CAST.requester, CAST.approver)
    text = (await answer(stage, "runs", user="U0OPERATOR"))["text"]
    assert newest in text
    assert oldest in text


async def test_filters_narrow_the_list(stage: Stage) -> None:
    newest, oldest = await ask(stage, CAST.requester, CAST.approver)
    await stage.core.control.cancel(oldest, CAST.admin)
    assert newest in (await answer(stage, "runs queued"))["text"]
    assert oldest not in (await answer(stage, "runs queued"))["text"]
    assert (await answer(stage, f"runs queued <@{CAST.requester}>"))["text"] == "No runs."
    assert oldest in (await answer(stage, f"runs <@{CAST.requester}|rosa> cancelled"))["text"]


async def test_ten_rows_are_a_page_and_a_button_leads_to_the_older_ones(stage: Stage) -> None:
    ids = await ask(stage, *[CAST.requester] * 12)
    body = await answer(stage, "runs")
    assert [line.split()[0] for line in body["text"].splitlines()] == ids[:10]
    assert "runs:page" in json.dumps(body["blocks"])


async def test_show_tells_one_run_and_hides_those_of_others(stage: Stage) -> None:
    theirs, own = await ask(stage, CAST.requester, CAST.approver)
    assert own in (await answer(stage, f"show {own}", user=CAST.requester))["text"]
    refused = await answer(stage, f"show {theirs}", user=CAST.requester)
    assert refused["text"] == "You can't see this run. Its requester or an admin can."
    assert theirs in (await answer(stage, f"show {theirs}"))["text"]


async def test_a_run_that_is_not_there_is_said_to_be_missing(stage: Stage) -> None:
    missing = "run_01HZZZZZZZZZZZZZZZZZZZZZZZ"
    for text in (f"show {missing}", f"cancel {missing}"):
        assert (await answer(stage, text))["text"].startswith(f"No run “{missing}”.")


async def test_cancel_ends_a_queued_run_and_only_for_those_who_may(stage: Stage) -> None:
    (run_id,) = await ask(stage, CAST.requester)
    refused = await answer(stage, f"cancel {run_id}", user=CAST.approver)
    assert refused["text"] == "You can't stop this run. Its requester or an admin can."
    assert "Stopped by" in (await answer(stage, f"cancel {run_id}", user=CAST.requester))["text"]
    assert (await stage.the_run()).state is RunState.CANCELLED
    assert "already ended" in (await answer(stage, f"cancel {run_id}"))["text"]


async def test_any_command_name_is_answered_and_help_speaks_of_that_name(stage: Stage) -> None:
    body = await answer(stage, "help", command="/robot")
    assert "/robot runs" in body["text"]


async def test_an_unknown_verb_is_answered_with_the_nearest(stage: Stage) -> None:
    assert "Did you mean `runs`?" in (await answer(stage, "rnus"))["text"]


async def test_an_answer_that_takes_long_comes_by_response_url_and_the_ack_in_time(
    stage: Stage, redis_pid: int
) -> None:
    os.kill(redis_pid, signal.SIGSTOP)
    try:
        outcome = await stage.door.command(CAST.general, "runs", user=CAST.admin)
        assert outcome.ok
        assert outcome.seconds < 3
        assert outcome.body == ""
        assert await stage.door.ephemerals(user=CAST.admin) == []
    finally:
        os.kill(redis_pid, signal.SIGCONT)
    (told,) = await stage.told(CAST.admin)
    assert told.text == "No runs."


async def test_a_command_of_another_team_gets_no_answer(stage: Stage) -> None:
    reply = await stage.command(command("runs", team_id="T0ELSEWHERE"))
    assert (reply.status, reply.text) == (200, "")


async def test_many_commands_at_once_are_each_answered(stage: Stage) -> None:
    bodies = await asyncio.gather(*(answer(stage, "agents", user=CAST.requester) for _ in range(20)))
    assert {body["text"] for body in bodies} == {"*guide* Explains.\n*ops* Looks after services."}
