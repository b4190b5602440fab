"""The text after a slash command, read into a closed union."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from bot.view.words import COMMAND_VERBS
from harness_core.models import DEAD_LETTERS, RunFilter
from harness_core.states import RunState

VERBS: Final = tuple(verb.name for verb in COMMAND_VERBS)

DEAD: Final = "dead"
"""Asks for the runs that were given up."""

_USER: Final = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
_CHANNEL: Final = re.compile(r"<#([A-Z0-9]+)(?:\|[^>]*)?>")
_STATES: Final[frozenset[str]] = frozenset(RunState)
_USAGE: Final = {verb.name: verb.usage for verb in COMMAND_VERBS}


@dataclass(frozen=True, slots=True)
class ListRuns:
    narrowed: RunFilter


@dataclass(frozen=True, slots=True)
class ShowRun:
    run_id: str


@dataclass(frozen=True, slots=True)
class CancelRun:
    run_id: str


@dataclass(frozen=True, slots=True)
class RetryRun:
    run_id: str


@dataclass(frozen=True, slots=True)
class ResumeRun:
    """Lets an interrupted run go on."""

    run_id: str


@dataclass(frozen=True, slots=True)
class Operate:
    """What concerns the bot as a whole."""

    verb: Literal["drain", "resume", "reload", "stats", "audit"]


@dataclass(frozen=True, slots=True)
class ListAgents:
    pass


@dataclass(frozen=True, slots=True)
class ListApprovals:
    """``open_only`` false: also those that were decided."""

    open_only: bool


@dataclass(frozen=True, slots=True)
class ListGrants:
    pass


@dataclass(frozen=True, slots=True)
class Help:
    pass


@dataclass(frozen=True, slots=True)
class Incomplete:
    """An argument is missing; ``usage`` shows where."""

    usage: str


@dataclass(frozen=True, slots=True)
class UnknownWord:
    """Not a verb, or no filter of ``runs``. ``known`` is what would be one."""

    word: str
    known: tuple[str, ...]


OfRun = ShowRun | CancelRun | RetryRun | ResumeRun
"""What is about one run."""

Typed = OfRun | ListRuns | Operate | ListApprovals | ListGrants | ListAgents | Help | Incomplete | UnknownWord


def read_command(text: str, agents: Collection[str]) -> Typed:
    """What was typed after the command; nothing at all asks for help. ``agents`` are the names that may be filtered by."""
    words = text.split()
    if not words:
        return Help()
    verb, rest = words[0].lower(), words[1:]
    match verb:
        case "runs":
            return _list(rest, agents)
        case "show" | "cancel" | "retry" | "resume" if rest or verb != "resume":
            return _of_run(verb, rest)
        case "drain" | "resume" | "reload" | "stats" | "audit":
            return Operate(verb)
        case "approvals":
            return _approvals(rest)
        case "grants":
            return ListGrants()
        case "agents":
            return ListAgents()
        case "help":
            return Help()
        case _:
            return UnknownWord(words[0], VERBS)


def _of_run(verb: str, words: Sequence[str]) -> OfRun | Incomplete:
    if not words:
        return Incomplete(_USAGE[verb])
    run_id = words[0].strip("`")
    match verb:
        case "show":
            return ShowRun(run_id)
        case "cancel":
            return CancelRun(run_id)
        case "retry":
            return RetryRun(run_id)
        case _:
            return ResumeRun(run_id)


def _approvals(words: Sequence[str]) -> Typed:
    match [word.lower() for word in words]:
        case [] | ["open"]:
            return ListApprovals(open_only=True)
        case ["all"]:
            return ListApprovals(open_only=False)
        case _:
            return UnknownWord(words[0], ("open", "all"))


def _list(words: Sequence[str], agents: Collection[str]) -> Typed:
    wanted = RunFilter()
    for word in words:
        if user := _USER.fullmatch(word):
            wanted = replace(wanted, user=user[1])
        elif channel := _CHANNEL.fullmatch(word):
            wanted = replace(wanted, channel=channel[1])
        elif word.lower() == DEAD:
            wanted = replace(wanted, state=DEAD_LETTERS.state, reason=DEAD_LETTERS.reason)
        elif word.lower() in _STATES:
            wanted = replace(wanted, state=RunState(word.lower()))
        elif word in agents:
            wanted = replace(wanted, agent=word)
        else:
            return UnknownWord(word, (*sorted(_STATES), DEAD, *sorted(agents)))
    return ListRuns(wanted)
