from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from view.view_events import RUN, RUN_ID, STARTED, T0, viewed

from bot.view import gallery, notices, operations, runs
from bot.view.steps_modal import incident, steps_modal
from bot.view.values import RunsPage, decode
from harness_core.events import RunCancelled, RunFailed, StepCompleted, StepStarted
from harness_core.models import Page, Run, RunFilter
from harness_core.states import RunState

URL = "https://acme.slack.com/archives/C1/p1767348000000100"
LIVE = replace(RUN, state=RunState.RUNNING, agent="ops")
ENDED = replace(
    RUN, run_id=RUN_ID[:-1] + "Y", state=RunState.FAILED, reason="model_failed", ended_at=T0 + 9_000
)


def listed(*items: Run, cursor: str | None = None) -> Page[Run]:
    return Page(items=items, cursor=cursor)


def test_a_row_has_id_state_agent_requester_age_and_link_in_blocks_and_in_text() -> None:
    notice = runs.runs_list(
        listed(LIVE, ENDED), narrowed=RunFilter(), links={RUN_ID: URL}, now_ms=T0 + 200_000
    )
    assert notice.text.splitlines() == [
        f"{RUN_ID} · running · ops · <@U012ABCDEF> · 3 min ago · <{URL}|Open>",
        f"{ENDED.run_id} · failed · no agent yet · <@U012ABCDEF> · 3 min ago · no message yet",
    ]
    rows = [block["text"]["text"] for block in notice.blocks if block["type"] == "section"]
    assert rows[0] == f"`{RUN_ID}` · running\nops · <@U012ABCDEF> · 3 min ago · <{URL}|Open>"


def test_a_finding_of_a_reload_says_what_to_do_however_long_its_path_is() -> None:
    finding = f"agents/{'very-' * 30}long.yaml:12: unknown tool `deplyo`. Did you mean `deploy`?"
    told = operations.not_reloaded([finding] * 12)
    assert told.text.count(finding) == 10
    assert told.blocks[1]["text"]["text"] == finding
    assert told.blocks[-1]["text"]["text"] == "and 2 more"


def test_only_a_live_run_can_be_cancelled_from_the_list() -> None:
    notice = runs.runs_list(listed(LIVE, ENDED), narrowed=RunFilter(), links={}, now_ms=T0)
    buttons = [
        [(button["text"]["text"], button["action_id"], button["value"]) for button in block["elements"]]
        for block in notice.blocks
        if block["type"] == "actions"
    ]
    assert buttons == [
        [("Show", "run:show", RUN_ID), ("Cancel", "run:stop", RUN_ID)],
        [("Show", "run:show", ENDED.run_id)],
    ]


def test_no_runs_is_said() -> None:
    assert runs.runs_list(listed(), narrowed=RunFilter(), links={}, now_ms=T0).text == "No runs."


def test_a_page_has_ten_rows_and_leads_to_the_next() -> None:
    narrowed = RunFilter(state=RunState.FAILED, user="U2")
    notice = runs.runs_list(listed(*[ENDED] * 12, cursor="c1"), narrowed=narrowed, links={}, now_ms=T0)
    assert len(notice.text.splitlines()) == 10
    (older,) = notice.blocks[-1]["elements"]
    assert older["text"]["text"] == "Older"
    assert decode(older["action_id"], older["value"]) == RunsPage(cursor="c1", narrowed=narrowed)


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (-5, "0 s ago"),
        (59_999, "59 s ago"),
        (60_000, "1 min ago"),
        (7_200_000, "2 h ago"),
        (172_800_000, "2 d ago"),
    ],
)
def test_ages_are_told_in_their_largest_unit(ms: int, said: str) -> None:
    assert said in runs.runs_list(listed(LIVE), narrowed=RunFilter(), links={}, now_ms=T0 + ms).text


def test_a_run_is_shown_in_detail_with_what_can_be_done() -> None:
    notice = runs.run_detail(replace(ENDED, takeovers=1), url=URL, now_ms=T0 + 200_000)
    for line in ("State: failed", "Reason: model_failed", "Taken over: 1 time", f"Message: <{URL}|Open>"):
        assert line in notice.text.splitlines()
    assert [button["text"]["text"] for button in notice.blocks[-1]["elements"]] == ["Steps", "Retry"]
    live = runs.run_detail(LIVE, url=None, now_ms=T0)
    assert [button["text"]["text"] for button in live.blocks[-1]["elements"]] == ["Stop", "Steps"]


def test_help_lists_the_verbs_of_the_command_and_of_a_mention() -> None:
    text = runs.command_help("/agents").text
    for verb in (
        "/agents runs",
        "/agents show RUN",
        "/agents cancel RUN",
        "/agents help",
        "`stop`",
        "`use AGENT`",
    ):
        assert verb in text
    assert "/" not in runs.mention_help().text


def test_agents_are_listed_with_what_they_do() -> None:
    assert runs.agents_list([("ops", "Restarts <things>.")]).text == "*ops* Restarts &lt;things&gt;."
    assert runs.agents_list([]).text == "No agents."


def test_an_unknown_verb_is_answered_with_the_nearest_one() -> None:
    known = ["runs", "show", "help"]
    assert notices.unknown_verb("rnus", known).text == (
        "I do not know “rnus”. Did you mean `runs`? `help` lists what I understand."
    )
    assert notices.unknown_verb("<!channel>", known).text == (
        "I do not know “&lt;!channel&gt;”. `help` lists what I understand."
    )


def test_stop_says_what_it_came_to() -> None:
    running = viewed(*STARTED, StepStarted(step="a", label="Reading log"))
    assert notices.stop_outcome("requested", running, "U045GHIJKL").text == (
        "Stopping. “Reading log” has already started and may finish."
    )
    assert notices.stop_outcome("cancelled", viewed(), "U045GHIJKL").text == (
        "Stopped by <@U045GHIJKL>. Nothing was changed."
    )
    assert notices.stop_outcome("finished", running, "U2").text == (
        "This run has already ended. Nothing was stopped."
    )


def test_short_notices_say_what_was_found_and_what_to_do() -> None:
    assert notices.no_worker().text == "Saved. No worker is running; it starts when one is back."
    assert notices.not_in_channel("C012ABCDEF").text == (
        "I am not in <#C012ABCDEF>, so I cannot answer there. Invite me and send your message again."
    )
    assert "`help`" in notices.empty_mention().text
    assert "not saved" in notices.inbox_full("thread_full").text
    assert notices.inbox_full("tenant_full") != notices.inbox_full("thread_full")
    assert notices.not_allowed("retry this run", "The requester or an admin").text == (
        "You can't retry this run. The requester or an admin can."
    )
    assert f"No run “{RUN_ID}”" in notices.run_not_found(RUN_ID).text


def test_the_steps_modal_lists_every_step_with_its_outcome() -> None:
    view = viewed(
        *STARTED,
        StepStarted(step="a", label="Reading <log>"),
        StepCompleted(step="a"),
        StepStarted(step="b", label="x"),
    )
    modal = steps_modal(view)
    assert (modal["title"]["text"], modal["close"]["text"]) == ("Steps", "Close")
    said = [block["text"]["text"] for block in modal["blocks"] if block["type"] in {"section", "header"}]
    assert said == ["1. Reading <log> (done, 1.0 s)", "2. x (running)", "Copy for incident"]
    assert all(block["text"]["type"] == "plain_text" for block in modal["blocks"] if "text" in block)


def test_many_steps_are_paged_both_ways() -> None:
    view = viewed(*STARTED, *(StepStarted(step=str(n), label=f"step {n}") for n in range(1, 100)))
    labels = []
    for page in range(3):
        modal = steps_modal(view, page)
        assert decode(modal["callback_id"], modal["private_metadata"]) == decode(
            "steps:next", f"{RUN_ID}:{page}"
        )
        labels += [block["text"]["text"] for block in modal["blocks"] if block["type"] == "section"]
    assert labels == [f"{n}. step {n} (running)" for n in range(1, 100)]
    (paging,) = [block for block in steps_modal(view, 1)["blocks"] if block["type"] == "actions"]
    assert [(button["text"]["text"], button["value"]) for button in paging["elements"]] == [
        ("Earlier steps", f"{RUN_ID}:0"),
        ("Later steps", f"{RUN_ID}:2"),
    ]
    assert steps_modal(view, 99) == steps_modal(view, 2)


def test_a_run_without_steps_has_a_modal_that_says_so() -> None:
    assert steps_modal(viewed())["blocks"][0]["text"]["text"] == "No steps yet."


def test_the_text_for_an_incident_says_it_all() -> None:
    failed = viewed(
        *STARTED,
        StepStarted(step="a", label="Reading log"),
        RunFailed(reason="model_failed", message="Sorry."),
    )
    assert incident(failed).splitlines() == [
        f"Run: {RUN_ID}",
        "Agent: ops",
        "Requester: U012ABCDEF",
        "State: failed",
        "Created: 2026-01-02 10:00:00 UTC",
        "Started: 2026-01-02 10:00:03 UTC",
        "Ended: 2026-01-02 10:00:05 UTC",
        "Failure: model_failed Sorry.",
        "10:00:04 UTC 1. Reading log (interrupted, 1.0 s)",
    ]
    assert "Stopped by: U2" in incident(viewed(*STARTED, RunCancelled(by="U2")))


def test_the_gallery_writes_a_payload_for_each_state(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gallery.main([str(tmp_path / "gallery")]) == 0
    files = sorted((tmp_path / "gallery").iterdir())
    assert [str(path) for path in files] == sorted(capsys.readouterr().out.split())
    assert {"completed.json", "queued.json", "long-2.json", "steps-modal.json"} <= {
        path.name for path in files
    }
    assert json.loads((tmp_path / "gallery" / "queued.json").read_text())["text"] == "Queued, 2nd in line."
    assert gallery.main([]) == 2
