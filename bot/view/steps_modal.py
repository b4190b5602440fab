"""The Steps modal: what a run did, for one pair of eyes, and a text to paste into an incident.

Labels come from outside, so everything here is plain text or preformatted; times are UTC, because Slack
formats none in such text.
"""

from bot.view import grant_words, words
from bot.view.blocks import Block, actions, button, header, plain, plain_section, preformatted
from bot.view.fold import RunView
from bot.view.limits import LABEL, MODAL_CLOSE, MODAL_TITLE, PRIVATE_METADATA, TEXT_OBJECT
from bot.view.mrkdwn import Mrkdwn, clip, utc
from bot.view.steps import Step
from bot.view.values import STEPS_BACK, STEPS_MODAL, STEPS_NEXT, StepsPage, encode
from bot.view.visible import one_line

PAGE = 40
"""Steps on a page."""


def steps_modal(view: RunView, page: int = 0) -> Block:
    """The view to open, or to put in its place: `page` counts from 0, and the last one stands for later ones."""
    pages = max(1, -(-len(view.steps) // PAGE))
    page = min(max(0, page), pages - 1)
    first = page * PAGE
    lines = [
        plain_section(f"{number}. {_line(step)}")
        for number, step in enumerate(view.steps[first : first + PAGE], first + 1)
    ]
    blocks = lines or [plain_section(words.NO_STEPS)]
    if pages > 1:
        blocks.append(actions(_paging(view.run_id, page, pages)))
    blocks += [header(words.COPY_FOR_INCIDENT), preformatted(incident(view, page))]
    return {
        "type": "modal",
        "callback_id": STEPS_MODAL,
        "private_metadata": encode(StepsPage(run_id=view.run_id, page=page), PRIVATE_METADATA),
        "title": plain(words.STEPS, MODAL_TITLE),
        "close": plain(words.CLOSE, MODAL_CLOSE),
        "blocks": blocks,
    }


def incident(view: RunView, page: int = 0) -> str:
    """The run in plain text: what it is, how it stands, and as many steps of the page as there is room for."""
    facts = [
        f"Run: {view.run_id}",
        f"Agent: {clip(view.agent or 'none yet', LABEL)}",
        f"Requester: {clip(view.requester, LABEL)}",
        f"State: {view.state}",
        f"Created: {utc(view.created_at)}",
    ]
    if view.started_at is not None:
        facts.append(f"Started: {utc(view.started_at)}")
    if view.ended_at is not None:
        facts.append(f"Ended: {utc(view.ended_at)}")
    if view.interruption:
        facts.append(f"Interrupted: {utc(view.interruption.at)}")
    if view.cancelled_by or view.cancel_requested_by:
        facts.append(f"Stopped by: {clip(view.cancelled_by or view.cancel_requested_by or '', LABEL)}")
    if view.failure:
        facts.append(f"Failure: {clip(f'{view.failure.reason} {view.failure.sentence}'.strip(), 600)}")
    first = page * PAGE
    steps = [
        f"{utc(step.started_at, '%H:%M:%S')} {number}. {_line(step)}"
        for number, step in enumerate(view.steps[first : first + PAGE], first + 1)
    ]
    return clip("\n".join([*facts, *steps]), TEXT_OBJECT)


def _line(step: Step) -> str:
    label = clip(one_line(step.label) or step.step, LABEL)
    took = "" if step.ended_at is None else f", {(step.ended_at - step.started_at) / 1000:.1f} s"
    by = step.allowed
    how = "" if by is None else f", {grant_words.allowed(Mrkdwn(clip(by.by, LABEL)), by.used, by.times)}"
    return f"{label} ({step.state}{took}{how})"


def _paging(run_id: str, page: int, pages: int) -> list[Block]:
    buttons: list[Block] = []
    if page > 0:
        back = StepsPage(run_id=run_id, page=page - 1)
        buttons.append(button(words.EARLIER_STEPS, STEPS_BACK, back))
    if page + 1 < pages:
        onward = StepsPage(run_id=run_id, page=page + 1)
        buttons.append(button(words.LATER_STEPS, STEPS_NEXT, onward))
    return buttons
