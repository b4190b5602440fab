"""A run's view as the messages that show it.

Running: status, steps, answer, controls. Ended: answer, what became of it, footer, controls. A message's
`text` is the answer alone, so a reader without blocks (a notification, a screen reader, a script) reads it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.view import approval_words, grant_words, words
from bot.view.blocks import Block, actions, button, context, markdown, section, text_size
from bot.view.fold import Refusal, RunView
from bot.view.limits import ALL_BLOCK_TEXT, FALLBACK_TEXT, LABEL, SENTENCE
from bot.view.mrkdwn import Mrkdwn, clock, cut_entities, escape, person
from bot.view.split import Piece, split
from bot.view.steps import Allowance, Step, StepState
from bot.view.values import RUN_RESUME, RUN_RETRY, RUN_STEPS, RUN_STOP, RunRef
from bot.view.visible import one_line
from harness_core.states import RunState

_LISTED_STEPS = 5
_LISTED_REFUSALS = 3
_BRIEF = 50
_ASIDES = (SENTENCE, LABEL, _BRIEF, 0)
"""Of each thing that is told beside the answer, the first at which all fit; at 0 they are only counted."""
_ONCE = "once"
_CUT_SHORT = frozenset({StepState.INTERRUPTED, StepState.UNSURE, StepState.SKIPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One message: `name` is "0" for the first.

    `final` says that the run has ended, `urgent` that people wait for this. What is said `once` is never edited.
    A `linked` one leads to another message, whose address is only known when it is sent. It goes to the thread,
    or to the person `to`.
    """

    name: str
    text: str
    blocks: tuple[Block, ...]
    final: bool
    urgent: bool = False
    once: bool = False
    linked: bool = False
    to: str | None = None


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
            return waiting(view)
        case RunState.QUEUED if view.position:
            return words.queued(view.position)
        case RunState.QUEUED if view.delayed:
            return words.QUEUED
        case _ if view.held_since is not None:
            return words.held(clock(view.held_since))
        case _ if view.cancel_requested_by:
            return stopping(view)
        case _:
            return _doing(view, agent)


def agent_name(view: RunView) -> Mrkdwn:
    return escape(view.agent) if view.agent else words.THE_BOT


def short_id(run_id: str) -> str:
    """The end of a run id, which is the part that differs."""
    return run_id[-6:]


def waiting(view: RunView) -> Mrkdwn:
    """What the run waits for; the questions themselves are messages of their own."""
    match view.open_questions:
        case ():
            return words.WAITING
        case (question,) if question.uncertain:
            return approval_words.waiting_in_doubt(_label(question.title))
        case (question,):
            return approval_words.waiting(_label(question.title))
        case several:
            return approval_words.waiting_for_several(len(several))


def stopping(view: RunView) -> Mrkdwn:
    """Names what cannot be called back: a tool that is at work, and that no crash would repeat."""
    running = [step for step in view.tool_steps if _running(step) and step.effect == _ONCE]
    if not running:
        return words.STOPPING
    # What nobody was asked about has no title, only the label of its step.
    titles = {question.call: question.title for question in view.approvals}
    return words.stopping(_label(titles.get(running[-1].step) or running[-1].label))


def stopped(view: RunView) -> Mrkdwn:
    """Who stopped the run, and what it had done."""
    by = view.cancelled_by or view.cancel_requested_by
    return words.stopped(person(by) if by else None, changes(view))


def changes(view: RunView, limit: int = LABEL) -> Mrkdwn:
    """What an ended run did to the world, as far as it is known; empty when there is nothing to say for certain.

    `limit` is that of each label.
    """
    finished = [_label(step.label, limit) for step in view.tool_steps if step.state is StepState.DONE]
    cut_short = [step for step in view.tool_steps if step.state in _CUT_SHORT and step.effect == _ONCE]
    unsure = None
    if cut_short and view.unsure != 0:
        unsure = words.may_have_finished(_label(cut_short[-1].label, limit), len(cut_short) - 1)
    elif view.unsure:
        unsure = words.calls_unsure(view.unsure)
    return words.changes(
        finished[:_LISTED_STEPS],
        more=max(0, len(finished) - _LISTED_STEPS),
        unsure=unsure,
        untouched=view.untouched,
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
    """Whatever there is to tell, the answer and the controls are shown: what is told beside them gets shorter."""
    blocks: list[Block] = []
    for asides in _ASIDES:
        blocks = _laid_out(view, piece, index, total, asides)
        if text_size(blocks) <= ALL_BLOCK_TEXT:
            break
    return blocks


def _laid_out(view: RunView, piece: Piece | None, index: int, total: int, asides: int) -> list[Block]:
    last = index == total - 1
    blocks: list[Block] = []
    if last and not view.ended:
        blocks += _progress(view, asides)
    if piece is not None:
        blocks.append(markdown(piece.shown))
    if index:
        blocks.append(context(words.part(index + 1, total)))
    if last and view.ended:
        blocks += _outcome(view, asides, answered=piece is not None)
    if last:
        blocks.append(actions(_controls(view)))
    return blocks


def _progress(view: RunView, asides: int) -> list[Block]:
    blocks = [context(_live_status(view))]
    if view.interruption:
        blocks.append(context(_interruption(view)))
    # The one question that is waited for is in the status already.
    told = {StepState.WAITING} if view.state is RunState.WAITING and len(view.open_questions) == 1 else set()
    steps = [step for step in view.calls if step.state not in told]
    if steps:
        older = [words.earlier(len(steps) - 2)] if len(steps) > 2 else []
        blocks.append(context(*older, *(_step_line(step) for step in steps[-2:])))
    return [*blocks, *_refusals(view, asides)]


def _outcome(view: RunView, asides: int, *, answered: bool) -> list[Block]:
    blocks: list[Block] = []
    if view.state is not RunState.COMPLETED or not answered:
        blocks.append(section(status(view)))
    if view.state is RunState.FAILED and (known := changes(view, min(LABEL, asides or _BRIEF))):
        blocks.append(context(known))
    if view.interruption:
        blocks.append(context(_interruption(view)))
    return [*blocks, *_refusals(view, asides), *_allowances(view, asides), context(footer(view))]


def _allowances(view: RunView, limit: int) -> list[Block]:
    """Calls that ran and that nobody was asked about, because somebody had granted them before."""
    ran = [(step, step.allowed) for step in view.tool_steps if step.allowed is not None]
    told = [
        grant_words.allowed_step(_label(step.label, min(LABEL, limit)), _allowance(allowed))
        for step, allowed in (ran[-_LISTED_STEPS:] if limit else [])
    ]
    more = [grant_words.allowed_more(len(ran) - len(told))] if len(ran) > len(told) else []
    return [context(*told, *more)] if ran else []


def _allowance(allowed: Allowance) -> Mrkdwn:
    return grant_words.allowed(person(allowed.by), allowed.used, allowed.times)


def _refusals(view: RunView, limit: int) -> list[Block]:
    """Calls that nobody could be asked about: the agent may not say so, and people can mend it."""
    listed = view.refusals[-_LISTED_REFUSALS:] if limit else ()
    told = [context(_refusal(view, each, limit)) for each in listed]
    more = len(view.refusals) - len(told)
    return [*told, context(words.more_refused(more))] if more else told


def _refusal(view: RunView, refusal: Refusal, limit: int) -> Mrkdwn:
    sentence = one_line(refusal.sentence)
    title = _label(refusal.title, min(LABEL, limit))
    said = escape(sentence, limit) if sentence else approval_words.nobody_can(title)
    return said if view.run_id in said else Mrkdwn(f"{said} {words.run_named(escape(view.run_id))}")


def _interruption(view: RunView) -> Mrkdwn:
    found = view.interruption
    return words.recovered(clock(found.at), found.finished_steps) if found else Mrkdwn("")


def _live_status(view: RunView) -> Mrkdwn:
    """The status, with the time since when it holds where a run is at work."""
    since = _since(view)
    at_work = view.state is RunState.RUNNING and view.held_since is None
    if not at_work or view.cancel_requested_by or since is None:
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
        return words.step(agent, _label(tools[running[-1] - 1].label), running[-1])
    if view.text:
        return words.writing(agent)
    return words.thinking(agent) if tools else words.reading(agent)


def _running(step: Step) -> bool:
    return step.state is StepState.RUNNING


def _label(text: str, limit: int = LABEL) -> Mrkdwn:
    """A label or a title, which may hold what a model wrote."""
    return escape(one_line(text), limit)


def _step_line(step: Step) -> Mrkdwn:
    line = _STEP_LINES[step.state](_label(step.label))
    return line if step.allowed is None else Mrkdwn(f"{line} · {_allowance(step.allowed)}")


_STEP_LINES: Mapping[StepState, Callable[[Mrkdwn], Mrkdwn]] = {
    StepState.WAITING: words.waiting_step,
    StepState.APPROVED: words.approved_step,
    StepState.RUNNING: words.now,
    StepState.DONE: words.done,
    StepState.FAILED: words.failed_step,
    StepState.INTERRUPTED: words.interrupted_step,
    StepState.UNSURE: words.unsure_step,
    StepState.REJECTED: words.rejected_step,
    StepState.EXPIRED: words.expired_step,
    StepState.REFUSED: words.refused_step,
    StepState.SKIPPED: words.skipped_step,
    StepState.NOT_RUN: words.step_not_run,
}


def _controls(view: RunView) -> list[Block]:
    ref = RunRef(run_id=view.run_id)
    if view.state is RunState.QUEUED and (view.position or view.delayed):
        return [button(words.CANCEL, RUN_STOP, ref)]
    buttons: list[Block] = []
    if not view.ended and view.held_since is not None:
        buttons.append(button(words.RESUME, RUN_RESUME, ref))
    if not view.ended and not view.cancel_requested_by:
        buttons.append(button(words.STOP, RUN_STOP, ref))
    buttons.append(button(words.STEPS, RUN_STEPS, ref))
    if view.state in {RunState.FAILED, RunState.CANCELLED}:
        buttons.append(button(words.RETRY, RUN_RETRY, ref))
    return buttons
