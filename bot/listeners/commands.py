"""Slash commands: one answer, for one pair of eyes, within three seconds."""

from __future__ import annotations

import asyncio
import re
from typing import Final

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot.access import Deed
from bot.ingress.intake import PAYLOAD
from bot.ingress.payloads import Command
from bot.listeners.approval_list import list_approvals
from bot.listeners.command_line import (
    CancelRun,
    Help,
    Incomplete,
    ListAgents,
    ListApprovals,
    ListGrants,
    ListRuns,
    OfRun,
    Operate,
    ResumeRun,
    RetryRun,
    ShowRun,
    UnknownWord,
    read_command,
)
from bot.listeners.deeds import (
    find_run,
    list_agents,
    list_runs,
    resume_run,
    retry_run,
    show_run,
    stop_run,
)
from bot.listeners.grant_list import list_grants
from bot.listeners.operations import operate
from bot.listeners.services import ANSWER_WITHIN, Services, ephemeral
from bot.view import notices, runs
from bot.view.blocks import Notice
from harness_core.errors import HarnessError, RunNotFound

log = structlog.get_logger(__name__)

_ANY: Final = re.compile(r".*")


class Commands:
    """Answers what people type after the slash command, whatever the command is called."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def answer(self, command: Command) -> Notice:
        """The answer; a store that does not answer is one, too."""
        try:
            return await self._answer(command)
        except RunNotFound as error:
            return notices.run_not_found(error.run_id)
        except HarnessError as error:
            log.warning("a command could not be answered", error=repr(error))
            return notices.not_saved()
        except Exception:
            log.exception("a command was not foreseen")
            return notices.unforeseen()

    async def _answer(self, command: Command) -> Notice:
        services, user = self._services, command.user
        match read_command(command.text, services.workspace.agents):
            case ListRuns(narrowed=narrowed):
                return await list_runs(services, user, narrowed)
            case ShowRun() | CancelRun() | RetryRun() | ResumeRun() as typed:
                return await self._of_run(user, typed)
            case Operate(verb=verb):
                return await operate(services, user, verb)
            case ListApprovals(open_only=open_only):
                return await list_approvals(services, user, open_only=open_only)
            case ListGrants():
                return await list_grants(services, user)
            case ListAgents():
                return list_agents(services)
            case Help():
                return runs.command_help(command.name)
            case Incomplete(usage=usage):
                return notices.missing_argument(f"{command.name} {usage}")
            case UnknownWord(word=word, known=known):
                return notices.unknown_verb(word, known)

    async def _of_run(self, user: str, typed: OfRun) -> Notice:
        services, run = self._services, await find_run(self._services, typed.run_id)
        match typed:
            case ShowRun():
                return show_run(services, user, run, Deed.SEE)
            case CancelRun():
                return await stop_run(services, user, run, Deed.STOP)
            case RetryRun():
                return await retry_run(services, user, run)
            case ResumeRun():
                return await resume_run(services, user, run)


def register(app: AsyncApp, services: Services) -> None:
    """Every command that reaches the app is this one: its name is chosen in the app's manifest."""
    commands = Commands(services)

    async def command(ack: AsyncAck, context: AsyncBoltContext) -> None:
        typed: Command = context[PAYLOAD]
        answer = asyncio.ensure_future(commands.answer(typed))
        done, _ = await asyncio.wait({answer}, timeout=ANSWER_WITHIN)
        if done:
            await ack(**ephemeral(answer.result()))
        else:
            services.background.start(_later(services, typed, answer), "late answer to a command")
            await ack()

    app.command(_ANY)(command)


async def _later(services: Services, command: Command, answer: asyncio.Future[Notice]) -> None:
    services.respond(command, await answer)
