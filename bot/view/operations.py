"""What admins are told about the bot as a whole."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from bot.view import words
from bot.view.blocks import Notice, notice, section
from bot.view.limits import MESSAGE_TEXT, SENTENCE
from bot.view.mrkdwn import Mrkdwn, clip, day_and_clock, escape, person
from harness_core.approvals import AuditEntry
from harness_core.models import Switches
from harness_core.states import RunState

_M: Final = Mrkdwn
_FINDINGS: Final = 10
_FACT: Final = 60
_NAMES: Final = ("what", "by", "decision", "tool", "reason", "uses", "grant", "approval", "run")
"""The facts of an audit entry that are shown, in this order."""


def paused(*, news: bool) -> Notice:
    before = "" if news else " already"
    return notice(
        _M(f"Work is{before} paused: messages are saved, nothing new begins. `resume` lets it go on.")
    )


def going_on(*, news: bool) -> Notice:
    return notice(_M("Work goes on." if news else "Work was not paused."))


def reloaded(warnings: Sequence[str], *, changed: bool) -> Notice:
    done = "The workspace is reloaded." if changed else "The workspace says what it said before."
    return _findings(_M(f"{done} Every process follows within seconds."), warnings)


def not_reloaded(findings: Sequence[str]) -> Notice:
    """What is wrong, with file and line."""
    return _findings(_M("The workspace was not reloaded, the last good one stays:"), findings)


def stats(counts: Mapping[RunState, int], *, waiting: int, workers: int, switches: Switches) -> Notice:
    """How many runs stand where, what waits for people, and who works."""
    runs = ", ".join(f"{state} {number}" for state, number in counts.items() if number)
    lines = [
        _M(f"Runs: {runs or 'none'}"),
        _M(f"Open requests: {waiting}"),
        _M(f"Workers: {workers}"),
    ]
    if switches.draining:
        since = f" since {day_and_clock(switches.at)}" if switches.at else ""
        lines.append(_M(f"Paused by {person(switches.by)}{since}"))
    return _lines(lines)


def audit(entries: Sequence[AuditEntry]) -> Notice:
    """The newest entries, the newest first."""
    return _lines([_entry(each) for each in entries]) if entries else notice(_M("The audit log is empty."))


def _entry(entry: AuditEntry) -> Mrkdwn:
    try:
        facts = json.loads(entry.data)
    except ValueError:
        facts = {}
    known = facts if isinstance(facts, dict) else {}
    if {"used", "times"} <= known.keys():
        known["uses"] = f"{known['used']} of {known['times']}"
    shown = [
        person(str(known[name])) if name == "by" else escape(str(known[name]), _FACT)
        for name in _NAMES
        if known.get(name)
    ]
    return _M(" · ".join((f"{entry.seq}", day_and_clock(entry.at), *(shown or [words.DAMAGED]))))


def _findings(said: Mrkdwn, findings: Sequence[str]) -> Notice:
    lines = [said, *(escape(each, SENTENCE) for each in findings[:_FINDINGS])]
    if len(findings) > _FINDINGS:
        lines.append(_M(f"and {len(findings) - _FINDINGS} more"))
    return _lines(lines)


def _lines(lines: Sequence[Mrkdwn]) -> Notice:
    text = clip("\n".join(lines), MESSAGE_TEXT)
    return Notice(text=text, blocks=tuple(section(line) for line in lines))
