"""What the tests of this folder ask for, and what it is compared with."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass

from fleet import TOOL, Answer, BotProcess, Fleet
from waiting import wait_until

from bot.playground.records import Message
from harness_core import RunState
from harness_core.events import Event, RunResumed, RunStarted
from harness_core.models import Run, RunFilter
from harness_core.states import LIVE

BESIDE = "stream for 3s"
"""What somebody else asks in another channel at the same time."""

Measured = Callable[[str], None]
"""Takes a figure for the summary of the test run."""

_names = itertools.count(1)


def story() -> tuple[str, str]:
    """Two turns of text around a tool call, and the name that this tool call looks up."""
    name = f"service-{next(_names)}"
    return f'stream for 1.4s and call {TOOL} {{"name": "{name}"}} then stream for 1.6s', name


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The answers that nobody disturbed."""

    story: str
    beside: str


async def tell_undisturbed(fleet: Fleet) -> Told:
    """Both stories told to their ends, with nothing killed."""
    asked = await fleet.mention(story()[0], channel=fleet.playground.config.cast.ops)
    beside = await fleet.mention(BESIDE)
    return Told(
        story=(await fleet.completed(asked)).output,
        beside=(await fleet.completed(beside)).output,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A run to be hurt, and one beside it in another conversation."""

    hurt: Message
    beside: Message

    async def end_well(self, fleet: Fleet, told: Told) -> Answer:
        """Both complete with the undisturbed text, each shown by one message; the answer of the hurt one."""
        hurt = await fleet.completed(self.hurt)
        beside = await fleet.completed(self.beside)
        assert hurt.output == told.story
        assert beside.output == told.beside
        return hurt


async def running_beside(fleet: Fleet) -> Message:
    """A run of somebody else that is at work when this returns."""
    asked = await fleet.mention(BESIDE, user=fleet.playground.config.cast.approver)
    run = await fleet.run_of(asked)
    store = await fleet.store()

    async def at_work() -> bool:
        return (await store.runs.get(run.run_id)).state is RunState.RUNNING

    await wait_until(at_work, what="the run beside is at work")
    return asked


async def restart_and_see(
    fleet: Fleet, worker: BotProcess, pair: Pair, told: Told, measured: Measured
) -> None:
    """Starts the killed worker again; both runs end well by themselves within 30 s."""
    restarted = time.monotonic()
    worker.start()
    answer = await pair.end_well(fleet, told)
    took = answer.at - restarted
    measured(f"final text {took:.1f} s after the restart")
    assert took < 30
    await fleet.ready(worker)
    await wait_until(lambda: nothing_lags(fleet), timeout=20, what="everything is shown")
    await pair.end_well(fleet, told)


async def nothing_lags(fleet: Fleet) -> bool:
    """Whether the output owner has nothing left to say."""
    team = fleet.playground.config.cast.team
    return not await (await fleet.store()).deliveries.dirty(team)


async def at_rest(fleet: Fleet) -> bool:
    """Whether every run has ended and is shown."""
    store, team = await fleet.store(), fleet.playground.config.cast.team
    pages = [await store.lists.page(team, RunFilter(state=state), limit=1) for state in LIVE]
    return not any(page.items for page in pages) and await nothing_lags(fleet)


async def workers_of(fleet: Fleet, run_id: str) -> list[str]:
    """The names of the workers that began the run."""
    events = await (await fleet.store()).events.read(run_id)
    return [each.payload.worker for each in events if isinstance(each.payload, RunStarted)]


async def resumptions_of(fleet: Fleet, run_id: str) -> list[RunResumed]:
    """Each time the run was taken up again."""
    events = await (await fleet.store()).events.read(run_id)
    return [each.payload for each in events if isinstance(each.payload, RunResumed)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything of a run that a worker could write to."""

    run: Run
    events: list[Event]
    checkpoints: list[str]
    shown: list[tuple[str, str]]


async def look(fleet: Fleet, asked: Message) -> Seen:
    """All of it, at this moment."""
    store = await fleet.store()
    (run,) = await fleet.runs_of(asked)
    thread = await fleet.door.messages(asked.channel, thread_ts=asked.ts)
    return Seen(
        run=run,
        events=await store.events.read(run.run_id),
        checkpoints=await store.checkpoints.ids(run.thread_id, ""),
        shown=[(message.text, _content(message)) for message in thread],
    )


def _content(message: Message) -> str:
    """What it shows. Block ids are left out: Slack makes new ones with every edit, a repeated one too."""
    blocks = [
        {name: value for name, value in block.items() if name != "block_id"} for block in message.blocks
    ]
    return str(blocks)
