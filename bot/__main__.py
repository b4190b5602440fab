"""``python -m bot``: every command of the product. Data goes to standard output, everything else to standard error."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

import structlog

from bot.command_line import build_parser
from bot.commands.exits import Exit
from bot.errors import StartupFailed
from bot.logs import configure_logs
from bot.settings import Purpose, Settings, SettingsInvalid, load_settings
from harness_core.errors import HarnessError

log = structlog.get_logger(__name__)

_PURPOSES: Final = {
    "serve": Purpose.SERVE,
    "web": Purpose.WEB,
    "worker": Purpose.WORKER,
    "check": Purpose.CHECK,
}

Command = Callable[[Settings], Coroutine[Any, Any, Exit]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; its exit status."""
    options = build_parser().parse_args(arguments)
    purpose = _PURPOSES.get(options.command, Purpose.SHELL)
    problems: tuple[str, ...] = ()
    try:
        settings = load_settings(purpose)
    except SettingsInvalid as error:
        settings, problems = error.settings, error.problems
    configure_logs(settings.log_level, settings.log_format, settings.secrets())
    if options.command == "check":
        return asyncio.run(_check(settings, problems))
    if problems:
        sys.stderr.write("\n".join(problems) + "\n")
        return Exit.FAILED
    return _run(_command(options, purpose), settings)


def _run(command: Command, settings: Settings) -> Exit:
    """Every failure that was foreseen is a sentence; any other is one too, with its trace in the log."""
    try:
        return asyncio.run(command(settings))
    except KeyboardInterrupt:
        return Exit.FAILED
    except BaseExceptionGroup as group:
        error = _first(group)
    except Exception as raised:  # noqa: BLE001 - the last place to say something about it
        error = raised
    if not isinstance(error, HarnessError | StartupFailed):
        log.error("the process ends", exc_info=error)
    sys.stderr.write(f"{' '.join(str(error).split()) or type(error).__name__}\n")
    return Exit.FAILED


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _command(options: argparse.Namespace, purpose: Purpose) -> Command:
    match options.command:
        case "serve" | "web" | "worker":
            return lambda settings: _serve(settings, purpose)
        case "runs":
            return lambda settings: _runs(settings, options)
        case "approvals":
            return lambda settings: _approvals(settings, options)
        case "audit":
            return lambda settings: _audit(settings, options)
        case "data":
            return lambda settings: _data(settings, options)
        case "try":
            return lambda settings: _try(settings, options)
        case _:
            return _playground


# Each command imports what it needs: a list of runs does not wait for Bolt, nor the web process for LangChain.


async def _serve(settings: Settings, purpose: Purpose) -> Exit:
    from bot.app import run  # noqa: PLC0415 - as above

    await run(settings, purpose)
    return Exit.OK


async def _runs(settings: Settings, options: argparse.Namespace) -> Exit:
    from bot.commands import runs  # noqa: PLC0415 - as above

    return await runs.command(settings, runs.order(options))


async def _approvals(settings: Settings, options: argparse.Namespace) -> Exit:
    from bot.commands import approvals  # noqa: PLC0415 - as above

    return await approvals.command(settings, approvals.order(options))


async def _audit(settings: Settings, options: argparse.Namespace) -> Exit:
    from bot.commands import audit  # noqa: PLC0415 - as above

    return await audit.command(settings, audit.order(options))


async def _data(settings: Settings, options: argparse.Namespace) -> Exit:
    from bot.commands import data  # noqa: PLC0415 - as above

    return await data.command(settings, data.order(options))


async def _try(settings: Settings, options: argparse.Namespace) -> Exit:
    from bot.commands import trial  # noqa: PLC0415 - as above

    return await trial.command(settings, options.agent, options.input, dry_run=options.dry_run)


async def _playground(settings: Settings) -> Exit:
    from bot.commands import playground  # noqa: PLC0415 - as above

    return await playground.command(settings)


async def _check(settings: Settings, problems: tuple[str, ...]) -> Exit:
    from bot.check import check  # noqa: PLC0415 - as above

    worst = Exit.OK
    async for finding in check(settings, problems):
        sys.stdout.write(f"{finding}\n")
        sys.stdout.flush()
        if finding.level == "error":
            worst = Exit.FAILED
    return worst


if __name__ == "__main__":
    sys.exit(main())
