"""``data delete``: removes for good what is stored of a thread, a person or a team."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass

from bot.commands.exits import Exit
from bot.commands.terminal import complain, operator, say
from bot.settings import Settings
from bot.startup import open_core
from harness_core import Deleted, Deletion, DeletionPlan
from harness_core.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """``thread`` alone, or ``user``, ``team`` or both: that person in that team. ``sure``: nobody is asked."""

    thread: str | None
    user: str | None
    team: str | None
    sure: bool


def order(options: argparse.Namespace) -> Delete:
    """What the parsed arguments ask for."""
    return Delete(thread=options.thread, user=options.user, team=options.team, sure=options.yes)


async def command(
    settings: Settings, wanted: Delete, *, confirm: Callable[[], bool | None] | None = None
) -> Exit:
    """Says what would go, asks, removes it, and says what went. ``confirm`` answers None where nobody can.

    :raises StartupFailed: Redis or the key is not there.
    """
    if (wanted.thread is None) == (wanted.user is None and wanted.team is None):
        complain("Say whose data: --thread THREAD, or --user USER, --team TEAM, or those two together.")
        return Exit.USAGE
    async with open_core(settings) as core:
        deletion = Deletion(core.store)
        try:
            plan = await _planned(deletion, wanted)
        except NotFound as error:
            complain(f"Nothing to delete: {error}.")
            return Exit.NOT_FOUND
        _show(plan)
        match True if wanted.sure else await asyncio.to_thread(confirm or _ask):
            case None:
                complain("Nothing was deleted: there is nobody to ask here. Add --yes to delete it.")
                return Exit.USAGE
            case False:
                complain("Nothing was deleted.")
                return Exit.FAILED
        done = await deletion.carry_out(plan, by=operator())
        return _tell(done)


async def _planned(deletion: Deletion, wanted: Delete) -> DeletionPlan:
    if wanted.thread is not None:
        return await deletion.of_thread(wanted.thread)
    if wanted.user is not None:
        return await deletion.of_person(wanted.user, wanted.team)
    return await deletion.of_team(wanted.team or "")


def _show(plan: DeletionPlan) -> None:
    """On standard error: it is no data, but what the question is about."""
    whose = f" in {', '.join(plan.tenants)}" if plan.kind == "user" else ""
    complain(f"To delete for good: {plan.kind} {plan.subject}{whose}.")
    others = f", of which others asked {plan.of_others}" if plan.of_others else ""
    live = f", of which {plan.live} will be stopped" if plan.live else ""
    complain(
        f"{len(plan.threads)} threads with {plan.runs} runs{others}{live}; {plan.remembered} remembered notes."
    )
    complain("Messages in Slack stay. So does the audit chain, with ids and hashes alone.")


def _ask() -> bool | None:
    if not sys.stdin.isatty():
        return None
    sys.stderr.write("Delete it? Type yes: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().casefold() == "yes"


def _tell(done: Deleted) -> Exit:
    for name, count in (
        ("threads", done.threads),
        ("runs", done.runs),
        ("checkpoints", done.checkpoints),
        ("values", done.values),
        ("notes", done.remembered),
        ("mentions", done.mentions),
        ("keys", done.keys),
    ):
        say(f"{name:<11} {count}")
    if done.left:
        complain(
            f"Not everything is deleted: people keep writing in {', '.join(done.left)}. "
            "Run the same command again, or stop the bot first."
        )
        return Exit.FAILED
    return Exit.OK
