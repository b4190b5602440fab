"""The verdict on a fault: computed from what was measured, with no say of the bot."""

from dataclasses import dataclass
from enum import StrEnum

from bot.playground.evidence.accounts import Balance


class Fault(StrEnum):
    """The five buttons."""

    KILL_BOT = "kill-bot"
    KILL_TOOL = "kill-tool"
    SLOW_DOWN = "slow-down"
    TWICE = "twice"
    LOSE_REPLY = "lose-reply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What happened between a fault and the peace after it.

    `hits` counts how often the fault struck: refused calls, dropped duplicates, lost replies. `runs_of_one_call`
    is how often the effect counter saw the tool call it saw most. `in_time` is false when no peace came.
    """

    fault: Fault
    balance: Balance
    restarts: int
    hits: int
    runs_of_one_call: int
    in_time: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    survived: bool
    text: str


def judge(measured: Measured) -> Verdict:
    """`Survived: 1 answer, 1 restart, 0 lost`, or `Not survived` with the same figures."""
    owed = measured.balance
    survived = (
        measured.in_time
        and owed.lost == 0
        and owed.extra == 0
        and measured.runs_of_one_call <= 1
        and _as_it_should(measured)
    )
    said = [_answers(owed), _figure(measured), f"{owed.lost} lost"]
    if measured.fault is Fault.KILL_TOOL or measured.runs_of_one_call > 1:
        said.append(f"the tool ran {_count(measured.runs_of_one_call, 'time')}")
    if measured.fault is Fault.KILL_TOOL and owed.waiting:
        said.append("a person is asked")
    return Verdict(survived=survived, text=f"{'Survived' if survived else 'Not survived'}: {', '.join(said)}")


def _as_it_should(measured: Measured) -> bool:
    """What only this fault demands: a killed bot came back; a tool that may have run asks a person."""
    match measured.fault:
        case Fault.KILL_BOT:
            return measured.restarts > 0
        case Fault.KILL_TOOL:
            return measured.restarts > 0 and measured.runs_of_one_call == 1 and measured.balance.waiting > 0
        case _:
            return True


def _answers(owed: Balance) -> str:
    text = _count(owed.answers, "answer")
    return f"{text} to {_count(owed.expected, 'message')}" if owed.extra else text


def _figure(measured: Measured) -> str:
    match measured.fault:
        case Fault.KILL_BOT | Fault.KILL_TOOL:
            return _count(measured.restarts, "restart")
        case Fault.SLOW_DOWN:
            return f"{_count(measured.hits, 'call')} refused"
        case Fault.TWICE:
            return f"{_count(measured.hits, 'duplicate')} dropped"
        case Fault.LOSE_REPLY:
            return f"{_count(measured.hits, 'reply', 'replies')} never arrived"


def _count(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"
