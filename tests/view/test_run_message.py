from __future__ import annotations

from typing import Any

import pytest
from view.view_approvals import WAITING, asked, decided
from view.view_events import RUN_ID, STARTED, viewed

from bot.view.message import Part, render
from harness_core.events import (
    CancelRequested,
    OutputDelta,
    Payload,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunQueued,
    RunResumed,
    RunRouted,
    StepCompleted,
    StepStarted,
    ToolRefused,
)

_STEPS = (
    *STARTED,
    StepStarted(step="a", label="Reading log"),
    StepCompleted(step="a"),
    StepStarted(step="b", label="Comparing deploys"),
    StepCompleted(step="b", ok=False),
    StepStarted(step="c", label="Asking the pool"),
)
_SAID = OutputDelta(text="It is the pool.", message="m")


def only(*payloads: Payload) -> Part:
    (part,) = render(viewed(*payloads))
    return part


def kinds(part: Part) -> list[str]:
    return [block["type"] for block in part.blocks]


def texts(block: dict[str, Any]) -> list[str]:
    """What a person reads in a block."""
    match block:
        case {"type": "markdown", "text": str(text)}:
            return [text]
        case {"text": {"text": str(text)}}:
            return [text]
        case {"elements": list(elements)}:
            return [text for element in elements for text in texts(element)]
        case {"text": str(text)}:
            return [text]
        case _:
            return []


def read(part: Part) -> list[list[str]]:
    return [texts(block) for block in part.blocks]


def controls(part: Part) -> list[tuple[str, str, str]]:
    assert part.blocks[-1]["type"] == "actions"
    return [
        (button["text"]["text"], button["action_id"], button["value"])
        for button in part.blocks[-1]["elements"]
    ]


STOP = ("Stop", "run:stop", RUN_ID)
STEPS = ("Steps", "run:steps", RUN_ID)
RETRY = ("Retry", "run:retry", RUN_ID)


def test_a_run_that_starts_says_who_is_reading() -> None:
    part = only(*STARTED)
    assert (part.name, part.text, part.final) == ("0", "ops is reading your message", False)
    assert read(part) == [["ops is reading your message"], ["Stop", "Steps"]]
    assert controls(part) == [STOP, STEPS]


def test_before_the_agent_is_chosen_it_is_the_bot_that_reads() -> None:
    assert only(RunQueued()).text == "The bot is reading your message"


@pytest.mark.parametrize(
    ("position", "said"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (21, "21st"),
        (112, "112th"),
    ],
)
def test_a_queued_run_says_its_place_and_offers_only_cancel(position: int, said: str) -> None:
    part = only(RunQueued(position=position))
    assert part.text == f"Queued, {said} in line."
    assert kinds(part) == ["context", "actions"]
    assert controls(part) == [("Cancel", "run:stop", RUN_ID)]


def test_a_running_step_is_named_numbered_and_dated() -> None:
    part = only(*STARTED, StepStarted(step="a", label="Reading log"))
    assert part.text == "ops · Reading log · step 1"
    assert read(part)[:2] == [
        ["ops · Reading log · step 1 · since <!date^1767348004^{time}|10:00 UTC>"],
        ["Now: Reading log"],
    ]


def test_running_blocks_come_in_order_and_older_steps_are_counted() -> None:
    part = only(*_STEPS, _SAID)
    assert kinds(part) == ["context", "context", "markdown", "actions"]
    assert read(part)[1:3] == [
        ["1 step before", "Failed: Comparing deploys", "Now: Asking the pool"],
        ["It is the pool."],
    ]
    assert part.text == "It is the pool."


def test_between_steps_the_agent_thinks_and_with_text_it_writes() -> None:
    thinking = only(*_STEPS, StepCompleted(step="c"))
    assert thinking.text == "ops · thinking"
    assert read(thinking)[0] == ["ops · thinking · since <!date^1767348009^{time}|10:00 UTC>"]
    writing = only(*STARTED, StepStarted(step="m", label="model", kind="model"), _SAID)
    assert read(writing)[0] == ["ops · writing · since <!date^1767348004^{time}|10:00 UTC>"]


def test_half_written_markdown_is_closed_in_the_block_and_left_alone_in_the_text() -> None:
    part = only(*STARTED, OutputDelta(text="so **bo", message="m"))
    assert read(part)[1] == ["so **bo**"]
    assert part.text == "so **bo"


def test_a_completed_run_shows_answer_footer_and_steps() -> None:
    part = only(*_STEPS, RunCompleted(output="It is the pool."))
    assert kinds(part) == ["markdown", "context", "actions"]
    assert read(part)[:2] == [["It is the pool."], ["ops · 3 steps · 6 s · run 0R4Q2X"]]
    assert controls(part) == [STEPS]
    assert part.final


def test_one_step_is_one_step() -> None:
    part = only(*STARTED, StepStarted(step="a", label="x"), StepCompleted(step="a"), RunCompleted(output="y"))
    assert read(part)[1] == ["ops · 1 step · 3 s · run 0R4Q2X"]


def test_a_run_without_an_answer_still_says_how_it_ended() -> None:
    part = only(*STARTED, RunCompleted(output=""))
    assert part.text == "The agent ended without an answer. Ask again, or in other words."
    assert kinds(part) == ["section", "context", "actions"]


def test_a_failure_keeps_the_answer_so_far_and_says_what_to_do() -> None:
    sentence = f"The model did not answer after 3 tries. Press Retry, or ask an admin. Run {RUN_ID}."
    part = only(*STARTED, _SAID, RunFailed(reason="model_failed", message=sentence))
    assert kinds(part) == ["markdown", "section", "context", "context", "actions"]
    assert read(part)[1:3] == [[sentence], ["Nothing was changed."]]
    assert controls(part) == [STEPS, RETRY]
    assert part.text == "It is the pool."


def test_a_failure_without_a_sentence_gets_one_with_the_run_id() -> None:
    part = only(*STARTED, RunFailed(reason="gone <wrong>"))
    assert part.text == f"The run failed (gone &lt;wrong&gt;). Press Retry, or ask an admin. Run {RUN_ID}."


def test_stopping_names_the_step_that_may_still_finish_and_takes_stop_away() -> None:
    part = only(*_STEPS, CancelRequested(by="U2"))
    assert part.text == "Stopping. “Asking the pool” has already started and may finish."
    assert controls(part) == [STEPS]
    assert only(*STARTED, CancelRequested(by="U2")).text == "Stopping."


def test_a_stopped_run_says_who_stopped_it_and_what_was_done() -> None:
    part = only(*_STEPS, RunCancelled(by="U045GHIJKL"))
    assert part.text == (
        "Stopped by <@U045GHIJKL>. Done before that: Reading log. "
        "“Asking the pool” had started and may have finished."
    )
    assert kinds(part) == ["section", "context", "actions"]
    assert controls(part) == [STEPS, RETRY]


def test_a_run_stopped_before_any_step_changed_nothing() -> None:
    part = only(RunQueued(), RunRouted(agent="ops", step="d"), RunCancelled(by="shell:ann"))
    assert part.text == "Stopped by shell:ann. Nothing was changed."
    assert read(part)[1] == ["ops · 0 steps · run 0R4Q2X"]


def test_many_finished_steps_are_counted_when_a_run_is_stopped() -> None:
    told: list[Payload] = []
    for number in range(1, 8):
        told += [StepStarted(step=str(number), label=f"s{number}"), StepCompleted(step=str(number))]
    part = only(*STARTED, *told, RunCancelled(by="U045GHIJKL"))
    assert part.text == "Stopped by <@U045GHIJKL>. Done before that: s1, s2, s3, s4, s5 and 2 more."


def test_a_long_interruption_is_told_while_running_and_after() -> None:
    resumed = RunResumed(resume_kind="takeover", gap=14_000, finished_steps=2)
    told = (
        "Interrupted at <!date^1767347995^{time}|09:59 UTC>, continuing after step 2. "
        "Finished steps will not run again."
    )
    assert read(only(*_STEPS, resumed))[1] == [told]
    assert [told] in read(only(*_STEPS, resumed, RunCompleted(output="x")))
    fresh = only(*STARTED, RunResumed(resume_kind="takeover", gap=14_000))
    assert "starting again. No step had finished." in read(fresh)[1][0]


def test_a_waiting_run_says_so_and_what_it_waits_for() -> None:
    assert only(*STARTED, WAITING).text == "Waiting for approval."
    part = only(*STARTED, asked(title="Restart <shop>\u200b"), WAITING)
    assert part.text == "Waiting for approval: Restart &lt;shop&gt;\\u200b. See below."
    assert read(part)[0] == [part.text]
    assert sum(line.startswith("Waiting") for block in read(part) for line in block) == 1, "said once"
    assert controls(part) == [STOP, STEPS]
    several = only(*STARTED, asked(), asked(1), decided("reject"), asked(2), WAITING)
    assert several.text == "Waiting for 2 approvals. See below."
    doubt = only(*STARTED, asked(kind="uncertain"), WAITING)
    assert doubt.text == "Waiting for a decision: “Restart checkout in prod” may have happened. See below."


def test_after_a_decision_the_same_message_goes_on() -> None:
    story = (*STARTED, _SAID, asked(), WAITING, decided(), RunResumed(resume_kind="approval", text="It is."))
    part = only(
        *story, StepStarted(step="call_0", label="Restarting"), OutputDelta(text="Done.", message="n")
    )
    assert part.text == "It is.\n\nDone."
    assert read(part)[1] == ["Now: Restarting"]


def test_steps_show_what_became_of_each_call() -> None:
    story = [asked(number, title=f"t{number}") for number in range(3)]
    shown = only(*STARTED, *story, decided("reject", 1), decided("approve", 2), WAITING)
    assert read(shown)[1] == ["Rejected: t1", "Approved: t2"], "the status names the third"
    assert read(only(*STARTED, *story, RunCancelled(by="U2")))[1] == ["ops · 0 steps · 4 s · run 0R4Q2X"]


def test_a_call_that_nobody_could_approve_is_told_while_running_and_after() -> None:
    sentence = "Nobody here can approve this, so it did not run. Ask an admin to name approvers for “Drop”."
    refused = ToolRefused(call="c", tool="drop", title="Drop", message=sentence)
    told = [f"{sentence} Run {RUN_ID}."]
    assert told in read(only(*STARTED, refused))
    assert told in read(only(*STARTED, refused, RunCompleted(output="x")))
    named = ToolRefused(call="c", tool="drop", title="Drop", message=f"No <way>. Run {RUN_ID}.")
    assert [f"No &lt;way&gt;. Run {RUN_ID}."] in read(only(*STARTED, named))
    silent = ToolRefused(call="c", tool="drop", title="Drop", message="")
    assert told in read(only(*STARTED, silent))


def test_stopping_names_only_what_cannot_be_called_back() -> None:
    for effect in ("none", "idempotent"):
        story = (StepStarted(step="a", label="Reading", effect=effect), CancelRequested(by="U2"))
        assert only(*STARTED, *story).text == "Stopping."
    story = (StepStarted(step="a", label="Restarting", effect="once"), CancelRequested(by="U2"))
    assert only(*STARTED, *story).text == "Stopping. “Restarting” has already started and may finish."


def test_a_stopped_run_says_that_nothing_was_changed_only_when_the_journal_proves_it() -> None:
    read_only = (*STARTED, StepStarted(step="a", label="Reading", effect="none"), StepCompleted(step="a"))
    proven = only(*read_only, RunCancelled(by="U2AA", ran=0, unsure=0))
    assert proven.text == "Stopped by <@U2AA>. Done before that: Reading. Nothing was changed."
    unsure = only(*read_only, RunCancelled(by="U2AA", ran=0, unsure=2))
    assert unsure.text == "Stopped by <@U2AA>. Done before that: Reading. 2 tool calls may have finished."
    ran = only(*read_only, RunCancelled(by="U2AA", ran=1, unsure=0))
    assert ran.text == "Stopped by <@U2AA>. Done before that: Reading."
    started = (*STARTED, StepStarted(step="a", label="Restarting"))
    sure = only(*started, RunCancelled(by="U2AA", ran=0, unsure=0))
    assert sure.text == "Stopped by <@U2AA>. Nothing was changed."
    lost = only(*started, RunCancelled(by="U2AA", ran=0, unsure=1))
    assert lost.text == "Stopped by <@U2AA>. “Restarting” had started and may have finished."


def test_a_long_answer_is_shown_whole_with_the_controls_on_the_last_part() -> None:
    answer = "\n\n".join(f"Paragraph {number}. " + "word " * 180 for number in range(50))
    parts = render(viewed(*STARTED, RunCompleted(output=answer)))
    assert len(parts) > 3
    assert [part.name for part in parts] == [str(index) for index in range(len(parts))]
    shown = "\n\n".join(
        texts(block)[0].strip() for part in parts for block in part.blocks if block["type"] == "markdown"
    )
    assert shown.split() == answer.split()
    assert kinds(parts[0]) == ["markdown"]
    assert read(parts[1])[1] == [f"Part 2 of {len(parts)}"]
    assert kinds(parts[-1]) == ["markdown", "context", "context", "actions"]
    assert all(part.final for part in parts)
    assert parts[0].text == answer[:3_900]


def test_a_long_answer_that_still_grows_has_its_status_on_the_last_part() -> None:
    parts = render(viewed(*STARTED, OutputDelta(text="word\n" * 3_000, message="m")))
    assert [kinds(part) for part in parts] == [["markdown"], ["context", "markdown", "context", "actions"]]
    assert read(parts[1])[2] == ["Part 2 of 2"]


def test_what_the_model_wrote_can_call_nobody() -> None:
    answer = "Hey <!channel> and <@U012ABCDEF>, `<!here>` <https://evil.example|your bank>"
    part = only(*STARTED, RunCompleted(output=answer))
    assert read(part)[0] == [
        "Hey &lt;!channel&gt; and &lt;@U012ABCDEF&gt;, `<\u200b!here>` &lt;https://evil.example|your bank&gt;"
    ]
    assert "<" not in part.text
    label = only(*STARTED, StepStarted(step="a", label="Reading <!channel>"))
    assert read(label)[1] == ["Now: Reading &lt;!channel&gt;"]
    assert "<" not in label.text


def test_white_space_is_no_answer() -> None:
    assert kinds(only(*STARTED, OutputDelta(text=" \n", message="m"))) == ["context", "actions"]


def test_the_same_view_renders_the_same_message() -> None:
    assert render(viewed(*_STEPS, _SAID)) == render(viewed(*_STEPS, _SAID))


def test_stopping_names_a_call_by_the_title_that_people_approved() -> None:
    begun = StepStarted(step="call_0", label="Restarting", effect="once", kind="tool")
    part = only(*STARTED, asked(), decided(), begun, CancelRequested(by="U2"))
    assert part.text == "Stopping. “Restart checkout in prod” has already started and may finish."
