"""Commands of an operator's shell, run in this process."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from front_end.command_line import Ended

from bot.command_line import build_parser
from bot.commands import approvals, audit, data, runs
from bot.commands.exits import Exit
from bot.settings import Purpose, read_settings

Shell = Callable[..., Awaitable[Ended]]


def shell_in(environ: Mapping[str, str], capsys: pytest.CaptureFixture[str]) -> Shell:
    """Runs a command; ``answer`` is what a person says when asked, None where there is nobody."""

    async def run(*arguments: str, answer: bool | None = None) -> Ended:
        settings = read_settings(environ, Purpose.SHELL, terminal=False)
        options = build_parser().parse_args(arguments)
        status: Exit
        match options.command:
            case "runs":
                status = await runs.command(settings, runs.order(options))
            case "approvals":
                status = await approvals.command(settings, approvals.order(options))
            case "audit":
                status = await audit.command(settings, audit.order(options))
            case _:
                status = await data.command(settings, data.order(options), confirm=lambda: answer)
        printed = capsys.readouterr()
        return Ended(status=status, out=printed.out, err=printed.err)

    return run


def rows(ended: Ended) -> list[dict[str, Any]]:
    """What ``--json`` printed."""
    return [json.loads(line) for line in ended.out.splitlines()]
