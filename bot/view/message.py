"""A run's view as the messages that show it.

Running: status, steps, answer, controls. Ended: answer, what became of it, footer, controls. A message's
`text` is the answer alone, so a reader without blocks (a notification, a screen reader, a script) reads it.
"""

from dataclasses import dataclass

from bot.view import words
from bot.view.blocks import Block, actions, button, context, markdown, section
from bot.view.fold import RunView, Step, StepState
from bot.view.limits import FALLBACK_TEXT, SENTENCE
from bot.view.mrkdwn import Mrkdwn, clock, cut_entities, escape, person
from bot.view.split import Piece, split
from bot.view.values import RUN_RETRY, RUN_STEPS, RUN_STOP, RunRef
from harness_core.states import RunState

_LISTED_STEPS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One message: `name` is "0" for the first. `final` says that the run has ended."""

    name: str
    text: str
    blocks: tuple[Block, ...]
    final: bool


def render(view: RunView) -> tuple[Part, ...]:
    """The messages that show `view`: always one, and more when the answer is long. No clock is needed."""
    pieces: list[Piece | None] = [*split(view.text, live=not view.ended)]
    pieces = pieces or [None]
    total = len(pieces)
    return tuple(
        Part(
            name=str(index),
            text=_fallback(view, piece),
            blocks=tuple(_part_blocks(view, piece, index, total)),
            final=view.ended,
        )
        for index, piece in enumerate(pieces)
    )


def status(view: RunView) -> Mrkdwn:
    """How the run stands, in a sentence that needs no reformatting later: no times in it."""
    agent = agent_name(view)
    match view.state:
        case RunState.COMPLETED:
            return words.NO_ANSWER
        case RunState.FAILED:
            return failure(view)
        case RunState.CANCELLED:
            return stopped(view)
        case RunState.WAITING:
            return words.WAITING
        case RunState.QUEUED if view.position:
            return words.queued(view.position)
        case _ if view.cancel_requested_by:
            return stopping(view)
        case _:
            return _doing(view, agent)


def agent_name(view: RunView) -> Mrkdwn:
    return escape(view.agent) if view.agent else words.THE_BOT


def short_id(run_id: str) -> str:
    """The end of a run id, which is the part that differs."""
    return run_id[-6:]


def stopping(view: RunView) -> Mrkdwn:
    running = [step for step in view.tool_steps if _running(step)]
    return words.stopping(escape(running[-1].label)) if running else words.STOPPING


def stopped(view: RunView) -> Mrkdwn:
    """Who stopped the run and what it had done. Without a tool step, nothing can have been changed."""
    finished = [escape(step.label) for step in view.tool_steps if step.state is StepState.DONE]
    by = view.cancelled_by or view.cancel_requested_by
    return words.stopped(
        person(by) if by else None,
        finished[:_LISTED_STEPS],
        more=max(0, len(finished) - _LISTED_STEPS),
        untouched=not view.tool_steps,
    )


def failure(view: RunView) -> Mrkdwn:
    """What went wrong, what to do, and the run's id."""
    found = view.failure
    if found is not None and found.sentence.strip():
        sentence = escape(found.sentence, SENTENCE)
    else:
        sentence = words.failed(escape(found.reason if found and found.reason else "unknown"))
    named = view.run_id in sentence
    return sentence if named else Mrkdwn(f"{sentence} {words.run_named(escape(view.run_id))}")


def footer(view: RunView) -> Mrkdwn:
    seconds = None
    if view.started_at is not None and view.ended_at is not None:
        seconds = max(0, round((view.ended_at - view.started_at) / 1000))
    return words.footer(agent_name(view), len(view.tool_steps), seconds, short_id(view.run_id))


def _fallback(view: RunView, piece: Piece | None) -> str:
    if piece is None:
        return status(view)
    return cut_entities(piece.text.lstrip().replace("<", "&lt;"), FALLBACK_TEXT)


def _part_blocks(view: RunView, piece: Piece | None, index: int, total: int) -> list[Block]:
    last = index == total - 1
    blocks: list[Block] = []
    if last and not view.ended:
        blocks += _progress(view)
    if piece is not None:
        blocks.append(markdown(piece.shown))
    if index:
        blocks.append(context(words.part(index + 1, total)))
    if last and view.ended:
        blocks += _outcome(view, answered=piece is not None)
    if last:
        blocks.append(actions(_controls(view)))
    return blocks


def _progress(view: RunView) -> list[Block]:
    blocks = [context(_live_status(view))]
    if view.interruption:
        blocks.append(context(_interruption(view)))
    steps = view.tool_steps
    if steps:
        older = [words.earlier(len(steps) - 2)] if len(steps) > 2 else []
        blocks.append(context(*older, *(_step_line(step) for step in steps[-2:])))
    return blocks


def _outcome(view: RunView, *, answered: bool) -> list[Block]:
    blocks: list[Block] = []
    if view.state is not RunState.COMPLETED or not answered:
        blocks.append(section(status(view)))
    if view.interruption:
        blocks.append(context(_interruption(view)))
    return [*blocks, context(footer(view))]


def _interruption(view: RunView) -> Mrkdwn:
    found = view.interruption
    return words.recovered(clock(found.at), found.finished_steps) if found else Mrkdwn("")


def _live_status(view: RunView) -> Mrkdwn:
    """The status, with the time since when it holds where a run is at work."""
    since = _since(view)
    if view.state is not RunState.RUNNING or view.cancel_requested_by or since is None:
        return status(view)
    return words.since(_doing(view, agent_name(view)), clock(since))


def _since(view: RunView) -> int | None:
    """When the agent began what it does at this moment; None before it has anything to show."""
    if not view.text and not view.tool_steps:
        return None
    running = [step.started_at for step in view.tool_steps if _running(step)]
    running = running or [step.started_at for step in view.steps if _running(step)]
    ended = [step.ended_at for step in view.steps if step.ended_at is not None]
    return next(iter((*running[-1:], *ended[-1:])), view.started_at)


def _doing(view: RunView, agent: Mrkdwn) -> Mrkdwn:
    """What the agent does at this moment; a step of a tool is told before its own thinking."""
    tools = view.tool_steps
    running = [number for number, step in enumerate(tools, 1) if _running(step)]
    if running:
        return words.step(agent, escape(tools[running[-1] - 1].label), running[-1])
    if view.text:
        return words.writing(agent)
    return words.thinking(agent) if tools else words.reading(agent)


def _running(step: Step) -> bool:
    return step.state is StepState.RUNNING


def _step_line(step: Step) -> Mrkdwn:
    label = escape(step.label)
    match step.state:
        case StepState.RUNNING:
            return words.now(label)
        case StepState.DONE:
            return words.done(label)
        case StepState.FAILED:
            return words.failed_step(label)
        case StepState.INTERRUPTED:
            return words.interrupted_step(label)


def _controls(view: RunView) -> list[Block]:
    ref = RunRef(run_id=view.run_id)
    if view.state is RunState.QUEUED and view.position:
        return [button(words.CANCEL, RUN_STOP, ref)]
    buttons: list[Block] = []
    if not view.ended and not view.cancel_requested_by:
        buttons.append(button(words.STOP, RUN_STOP, ref))
    buttons.append(button(words.STEPS, RUN_STEPS, ref))
    if view.state in {RunState.FAILED, RunState.CANCELLED}:
        buttons.append(button(words.RETRY, RUN_RETRY, ref))
    return buttons
