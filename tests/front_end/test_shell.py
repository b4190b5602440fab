from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from front_end.command_line import Ended, bot
from front_end.shell import Shell
from front_end.slack_bodies import CAST

from bot.command_line import build_parser
from bot.commands.trial import Screen
from harness_core import Control, Store, StreamItem
from harness_core.events import Event, OutputDelta, RunCompleted, ToolCalled, ToolResult
from harness_core.models import Accepted, Submission
from harness_core.states import RunState

MISSING = "run_01HZZZZZZZZZZZZZZZZZZZZZZZ"


@pytest.fixture
def control(store: Store) -> Control:
    return Control(store)


async def ask(control: Control, number: int, tenant: str = CAST.team, *, text: str | None = None) -> str:
    accepted = await control.submit(
        Submission(
            tenant=tenant,
            conversation=f"C1:{number}",
            user=CAST.requester,
            text=text or f"question {number}",
            dedupe=(f"post:{number}",),
            target={"channel": "C1", "ts": f"{number}.0", "thread_ts": f"{number}.0"},
        )
    )
    assert isinstance(accepted, Accepted)
    return accepted.run_id


async def test_runs_list_gives_an_object_per_line_on_standard_output_alone(
    control: Control, environ: dict[str, str]
) -> None:
    ids = [await ask(control, number) for number in range(3)]
    listed = await bot("runs", "list", "--json", environ=environ)
    assert (listed.status, listed.err) == (0, "")
    rows = [json.loads(line) for line in listed.out.splitlines()]
    assert [row["run_id"] for row in rows] == ids[::-1]
    assert set(rows[0]) == {"run_id", "state", "agent", "thread_id", "user", "created_at"}


async def test_a_list_is_narrowed_by_state_and_by_number(control: Control, shell: Shell) -> None:
    ids = [await ask(control, number) for number in range(3)]
    await control.cancel(ids[0], "U0ADMIN")
    cancelled = await shell("runs", "list", "--json", "--status", "cancelled")
    assert [json.loads(line)["run_id"] for line in cancelled.out.splitlines()] == ids[:1]
    two = await shell("runs", "list", "--limit", "2")
    assert [line.split()[:2] for line in two.out.splitlines()] == [[ids[2], "queued"], [ids[1], "queued"]]


async def test_without_runs_people_read_no_runs_and_scripts_read_nothing(shell: Shell) -> None:
    assert await shell("runs", "list") == Ended(status=0, out="No runs.\n", err="")
    assert await shell("runs", "list", "--json") == Ended(status=0, out="", err="")


async def test_a_run_is_shown_cancelled_once_and_retried(control: Control, shell: Shell) -> None:
    run_id = await ask(control, 1)
    facts = json.loads((await shell("runs", "show", run_id, "--json")).out)
    assert (facts["state"], facts["input"], facts["team"]) == ("queued", "question 1", CAST.team)
    assert "question 1" in (await shell("runs", "show", run_id)).out
    refused = await shell("runs", "retry", run_id)
    assert refused.status == 1
    assert "still queued" in refused.err
    assert (await shell("runs", "cancel", run_id)).status == 0
    run = await control.get_run(run_id)
    assert run.state is RunState.CANCELLED
    assert (run.cancelled_by or "").startswith("shell:")
    again = await shell("runs", "cancel", run_id)
    assert (again.status, again.out) == (1, "")
    retried = await shell("runs", "retry", run_id)
    assert (await control.get_run(retried.out.strip())).retry_of == run_id


async def test_what_was_asked_can_not_pass_for_another_fact_of_the_run(
    control: Control, shell: Shell
) -> None:
    run_id = await ask(control, 1, text="first\nstate       completed\x1b[2K")
    shown = (await shell("runs", "show", run_id)).out
    assert "input       first\n            state       completed\\u001b[2K\n" in shown
    assert "\x1b" not in (await shell("runs", "show", run_id, "--json")).out


@pytest.mark.parametrize("verb", ["show", "cancel", "retry"])
async def test_exit_status_3_is_for_a_run_that_is_not_there(shell: Shell, verb: str) -> None:
    missing = await shell("runs", verb, MISSING)
    assert (missing.status, missing.out) == (3, "")
    assert MISSING in missing.err


@pytest.mark.parametrize("arguments", [["dance"], [], ["runs"], ["runs", "list", "--status", "asleep"]])
def test_exit_status_2_is_for_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args(arguments)
    assert ended.value.code == 2


def test_a_tried_agent_writes_text_to_the_terminal_and_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen = Screen()
    for payload in (
        ToolCalled(call="1", tool="find", label="", arguments='{"name": "\x1b[2K"}'),
        ToolResult(call="1", tool="find", output="found\r\nit\u202e", is_error=False),
        OutputDelta(text="It is \x1b[31mred\n\U0001f469\u200d\U0001f52c \u2764\ufe0f", message="m"),
        RunCompleted(output=""),
    ):
        screen.show(StreamItem(kind="event", event=Event(run_id="run", seq=1, at=1, payload=payload)))
    printed = capsys.readouterr()
    assert printed.out == "It is \\u001b[31mred\n\U0001f469\u200d\U0001f52c \u2764\ufe0f\n"
    assert printed.err == '· find {"name": "\\u001b[2K"}\n  → found\\r\nit\\u202e\n'


TOOLS = '''\
from pathlib import Path


def touch(name: str) -> str:
    """Leaves a mark of this name.

    Use it whenever a mark is asked for.
    """
    (Path(__file__).parent / f"mark-{name}").touch()
    return "done"
'''

WORKSPACE = """\
kind: Runtime
tool_packages: [trial_tools]
---
kind: Model
name: demo
provider: demo
model: demo
---
kind: Tool
name: touch
python: trial_tools:touch
idempotent: true
approval: never
---
kind: Agent
name: marker
model: demo
tools: [touch]
"""


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    (tmp_path / "trial_tools.py").write_text(TOOLS, encoding="utf-8")
    (tmp_path / "team.yaml").write_text(WORKSPACE, encoding="utf-8")
    return tmp_path


async def test_try_streams_an_answer_and_runs_tools_unless_it_is_a_dry_run(trial: Path) -> None:
    environ = {"HARNESS_WORKSPACE": str(trial), "LOG_LEVEL": "warning"}
    await asyncio.gather(dry_run(trial, environ), real_run(trial, environ), unknown_agent(trial, environ))
    assert not (trial / ".harness").exists()


async def dry_run(trial: Path, environ: dict[str, str]) -> None:
    dry = await bot("try", "marker", "touch name: dry", "--dry-run", environ=environ, cwd=trial)
    assert dry.status == 0, dry.err
    assert "Dry run: touch was not run." in dry.err
    assert not (trial / "mark-dry").exists()


async def real_run(trial: Path, environ: dict[str, str]) -> None:
    real = await bot("try", "marker", "touch name: real", environ=environ, cwd=trial)
    assert real.status == 0, real.err
    assert (trial / "mark-real").exists()
    assert real.out.strip()


async def unknown_agent(trial: Path, environ: dict[str, str]) -> None:
    unknown = await bot("try", "makrer", "hello", environ=environ, cwd=trial)
    assert (unknown.status, unknown.out) == (3, "")
    assert "Known agents: marker" in unknown.err
