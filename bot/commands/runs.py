"""``runs list|show|cancel|retry``: what an operator does to runs from a shell. Data goes to standard output."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from bot.commands.every_page import PAGE, every_page
from bot.commands.exits import Exit
from bot.commands.terminal import complain, iso, operator, say, say_indented, say_object
from bot.settings import Settings
from bot.startup import Core, open_core
from harness_core.errors import RunNotFound
from harness_core.models import Accepted, Duplicate, Page, Refused, Run, RunFilter, Steered
from harness_core.states import LIVE, RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRuns:
    """``state`` and ``limit`` None: any, and all of them."""

    state: RunState | None
    limit: int | None
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowRun:
    run_id: str
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRun:
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRun:
    run_id: str


Order = ListRuns | ShowRun | CancelRun | RetryRun


def order(options: argparse.Namespace) -> Order:
    """What the parsed arguments ask for."""
    match options.verb:
        case "list":
            state = RunState(options.status) if options.status else None
            return ListRuns(state=state, limit=options.limit, as_json=options.json)
        case "show":
            return ShowRun(run_id=options.run_id, as_json=options.json)
        case "cancel":
            return CancelRun(run_id=options.run_id)
        case _:
            return RetryRun(run_id=options.run_id)


async def command(settings: Settings, wanted: Order) -> Exit:
    """Does it and says so.

    :raises StartupFailed: Redis or the key is not there.
    """
    async with open_core(settings) as core:
        try:
            match wanted:
                case ListRuns():
                    return await _list(core, wanted)
                case ShowRun():
                    return await _show(core, wanted)
                case CancelRun(run_id=run_id):
                    return await _cancel(core, run_id)
                case RetryRun(run_id=run_id):
                    return await _retry(core, run_id)
        except RunNotFound as error:
            complain(
                f"No run {error.run_id}. It may be past its retention; `runs list` shows those that are left."
            )
            return Exit.NOT_FOUND


async def _list(core: Core, wanted: ListRuns) -> Exit:
    shown = 0
    async for run in _newest_first(core, RunFilter(state=wanted.state)):
        if wanted.limit is not None and shown >= wanted.limit:
            break
        if wanted.as_json:
            say_object(_row(run))
        else:
            say(_line(run))
        shown += 1
    if not shown and not wanted.as_json:
        say("No runs.")
    return Exit.OK


async def _newest_first(core: Core, wanted: RunFilter) -> AsyncIterator[Run]:
    async def read(tenant: str, cursor: str | None) -> Page[Run]:
        return await core.control.list_runs(tenant, wanted, cursor=cursor, limit=PAGE)

    async for item in every_page(core, read):
        yield item


async def _show(core: Core, wanted: ShowRun) -> Exit:
    run = await core.control.get_run(wanted.run_id)
    asked = await core.control.run_input(run.run_id)
    facts = {
        **_row(run),
        "team": run.tenant,
        "channel": run.channel,
        "started_at": iso(run.started_at),
        "ended_at": iso(run.ended_at),
        "reason": run.reason,
        "takeovers": run.takeovers,
        "events": run.events,
        "input": asked.text,
        "output": await core.control.output(run.run_id),
    }
    if wanted.as_json:
        say_object(facts)
    else:
        for name, value in facts.items():
            if value is not None:
                say_indented(str(value), first=f"{name:<11} ", by=" " * 12)
    return Exit.OK


async def _cancel(core: Core, run_id: str) -> Exit:
    match await core.control.cancel(run_id, operator()):
        case "cancelled":
            say(f"{run_id} is cancelled.")
        case "requested":
            say(f"{run_id} is asked to stop.")
        case "finished":
            complain(f"{run_id} has already ended. Nothing was stopped.")
            return Exit.FAILED
    return Exit.OK


async def _retry(core: Core, run_id: str) -> Exit:
    run = await core.control.get_run(run_id)
    if run.state in LIVE:
        complain(f"{run_id} is still {run.state}. Cancel it first.")
        return Exit.FAILED
    match await core.control.retry(run_id, run.user):
        case Accepted(run_id=new) | Steered(run_id=new) | Duplicate(run_id=new):
            say(new)
            return Exit.OK
        case Refused(reason=reason):
            complain(f"Not accepted: {reason.replace('_', ' ')}. Try again when fewer messages wait.")
            return Exit.FAILED


def _row(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "state": run.state.value,
        "agent": run.agent,
        "thread_id": run.thread_id,
        "user": run.user,
        "created_at": iso(run.created_at),
    }


def _line(run: Run) -> str:
    return f"{run.run_id}  {run.state:<20}  {run.agent or '-':<16}  {run.user:<14}  {iso(run.created_at)}"
