"""The messages that ask people: one for the calls of each stretch of a run, one for each uncertain outcome.

A card is a view of its questions; what it carries names a revision and grants nothing. Each revision has blocks of
its own, so that a client that shows an older one is seen to.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from bot.view import approval_words as words
from bot.view import grant_words
from bot.view.arguments import shown_arguments
from bot.view.blocks import Block, actions, button, confirmation, context, preformatted, section, text_size
from bot.view.fold import RunView
from bot.view.limits import ALL_BLOCK_TEXT, ARGUMENTS, FALLBACK_TEXT, LABEL
from bot.view.message import Part, agent_name
from bot.view.mrkdwn import Mrkdwn, bold, cut_entities, day_and_clock, escape, link, person
from bot.view.outcomes import outcome
from bot.view.questions import Edit, Question
from bot.view.request_blocks import (
    PERSON,
    change_line,
    deadline,
    preview_block,
    reason_block,
    title_block,
    who,
)
from bot.view.values import (
    APPROVAL_AGAIN,
    APPROVAL_APPROVE,
    APPROVAL_ASK_AGAIN,
    APPROVAL_DETAILS,
    APPROVAL_DONE,
    APPROVAL_EDIT,
    APPROVAL_GRANT,
    APPROVAL_REJECT,
    APPROVAL_REVIEW,
    APPROVAL_SKIP,
    APPROVALS_PAGE,
    ApprovalRef,
    ApprovalsPage,
    RunRef,
)
from bot.view.visible import one_line

ROWS: Final = 5
"""Open calls in one card; the others move up as these are decided."""
DECIDED_ROWS: Final = 5
_ROOM: Final = ALL_BLOCK_TEXT - 1_500
_LONGEST_LINK: Final = 1_000
_EDITS: Final = 2
_CHANGES: Final = 3
NOTHING_BEFORE: Final[Mapping[str, Edit | None]] = MappingProxyType({})


def card_name(question: Question) -> str:
    """The part that shows `question`."""
    return f"doubt:{question.approval_id}" if question.uncertain else f"ask:{question.pause}"


def cards(
    view: RunView,
    *,
    request_url: str = "",
    brief: Collection[str] = (),
    last: Mapping[str, Edit | None] = NOTHING_BEFORE,
) -> tuple[Part, ...]:
    """The cards of `view` in the order in which they were asked. `request_url` leads to the message that asked.

    `last` says by approval id what is other than in the call of the same tool that was approved before.

    Those named in `brief` are shown with the least there is, for when Slack refuses the whole: what would run is
    then read in a modal.
    """
    groups: dict[str, list[Question]] = {}
    for question in view.approvals:
        groups.setdefault(card_name(question), []).append(question)
    return tuple(
        Part(
            name=name,
            text=_text(view, questions),
            blocks=tuple(_brief(questions) if name in brief else _blocks(view, questions, request_url, last)),
            final=view.ended,
            urgent=True,
        )
        for name, questions in groups.items()
    )


def _text(view: RunView, questions: Sequence[Question]) -> str:
    """What a notification says: what is asked, or what became of it."""
    asked = [question for question in questions if question.is_open]
    if not asked:
        lines = (f"{_title(question)}: {outcome(view, question)}" for question in questions)
        return cut_entities("\n".join(lines), FALLBACK_TEXT)
    requester, first = person(view.requester, PERSON), asked[0]
    if first.uncertain:
        return words.uncertain(_title(first))
    if len(asked) > 1:
        return words.push_several(len(asked), _title(first), requester)
    return words.push(_title(first), requester)


def _blocks(
    view: RunView, questions: Sequence[Question], url: str, last: Mapping[str, Edit | None]
) -> list[Block]:
    match questions:
        case [question] if not question.is_open:
            return _decided(view, question, *_edits(question))
        case [question] if question.uncertain:
            return _doubt(view, question, url)
        case [question]:
            return _whole(view, question, url, last.get(question.approval_id))
        case _:
            return _rows(view, questions, url)


def _whole(view: RunView, question: Question, url: str, last: Edit | None) -> list[Block]:
    """A call that is asked about alone."""
    return _named(
        question,
        title_block(question.title),
        _asked_by(view, url),
        _arguments(question, ARGUMENTS),
        *(_edits(question) if question.edits else _compared(last)),
        preview_block(question.preview),
        reason_block(question.reason),
        context(_who(view, question)),
        _buttons(question, ARGUMENTS),
    )


def _doubt(view: RunView, question: Question, url: str) -> list[Block]:
    """A call that may have happened."""
    ref = _ref(question)
    again = button(words.RUN_AGAIN, APPROVAL_AGAIN, ref, confirm=_confirm(question, words.RUN_AGAIN))
    return _named(
        question,
        title_block(question.title),
        _asked_by(view, url),
        section(words.uncertain(_title(question))),
        _arguments(question, ARGUMENTS, hint=words.DETAILS),
        context(_who(view, question)),
        actions(
            [
                button(words.IT_IS_DONE, APPROVAL_DONE, ref),
                again,
                button(words.SKIP, APPROVAL_SKIP, ref),
                *([button(words.DETAILS, APPROVAL_DETAILS, ref)] if _is_long(question, ARGUMENTS) else []),
            ]
        ),
    )


def _rows(view: RunView, questions: Sequence[Question], url: str) -> list[Block]:
    """Several calls: each is decided alone, and the run goes on when all are."""
    asked = [question for question in questions if question.is_open]
    shown, hidden = asked[:ROWS], asked[ROWS:]
    decided = [question for question in questions if not question.is_open]
    older = len(decided) - DECIDED_ROWS
    listed = decided[-DECIDED_ROWS:]
    alike = _alike(shown)
    first = [_asked_by(view, url)] if asked else []
    last = [context(_who(view, shown[0]))] if alike else []
    if hidden:
        last.append(actions([_more(hidden)]))
    rest = [context(words.also_decided(older))] if older > 0 else []
    frame = [*first, *rest, *last, *(_decided(view, each, *_last_edit(each)) for each in listed)]
    empty = [_row(view, question, 0, told=not alike) for question in shown]
    limit = min(ARGUMENTS, (_ROOM - text_size([frame, empty])) // max(1, len(shown)))
    blocks = _shared(questions, *first, *rest)
    for question in questions:
        if question in shown:
            blocks += _row(view, question, limit, told=not alike)
        elif question in listed:
            blocks += _decided(view, question, *_last_edit(question))
    return [*blocks, *_shared(questions, *last, start=len(blocks))]


def _more(hidden: Sequence[Question]) -> Block:
    """Leads to the requests that have no row: to the one, or to the list of what waits."""
    label = words.review_requests(len(hidden))
    if len(hidden) == 1:
        return button(label, APPROVAL_REVIEW, _ref(hidden[0]))
    return button(label, APPROVALS_PAGE, ApprovalsPage(cursor=""))


def _row(view: RunView, question: Question, limit: int, *, told: bool) -> list[Block]:
    """`told`: it says itself who can decide."""
    return _named(
        question,
        title_block(question.title),
        _arguments(question, limit),
        *_last_edit(question),
        *([context(_who(view, question))] if told else []),
        _buttons(question, limit),
    )


def _decided(view: RunView, question: Question, *edits: Block) -> list[Block]:
    buttons = [button(words.DETAILS, APPROVAL_DETAILS, _ref(question))]
    if question.state == "expired":
        buttons.insert(0, button(words.ASK_AGAIN, APPROVAL_ASK_AGAIN, RunRef(run_id=view.run_id)))
    return _named(
        question,
        section(bold(one_line(question.title))),
        *edits,
        context(outcome(view, question)),
        actions(buttons),
    )


def _brief(questions: Sequence[Question]) -> list[Block]:
    blocks: list[Block] = []
    for question in [each for each in questions if each.is_open][:ROWS]:
        ref = _ref(question)
        if question.uncertain:
            labels = {
                APPROVAL_DONE: words.IT_IS_DONE,
                APPROVAL_AGAIN: words.RUN_AGAIN,
                APPROVAL_SKIP: words.SKIP,
            }
        else:
            labels = {APPROVAL_REVIEW: words.REVIEW, APPROVAL_REJECT: words.REJECT}
        pressed = [button(label, action_id, ref) for action_id, label in labels.items()]
        blocks += _named(question, section(_title(question)), actions(pressed))
    return blocks


def _asked_by(view: RunView, url: str) -> Block:
    requester = person(view.requester, PERSON)
    request = link(url if len(url) <= _LONGEST_LINK else "", words.VIEW_REQUEST)
    return context(words.card_context(agent_name(view), requester, request))


def _arguments(question: Question, limit: int, hint: str = words.REVIEW) -> Block:
    """All of them, or as many as fit with a word about where the rest is."""
    text = shown_arguments(question.arguments)
    if len(text) <= limit:
        return preformatted(text)
    cut = words.cut_arguments(len(text), hint)
    return preformatted(f"{text[: max(0, limit - len(cut) - 1)]}\n{cut}")


def _is_long(question: Question, limit: int) -> bool:
    return len(shown_arguments(question.arguments)) > limit


def _buttons(question: Question, limit: int) -> Block:
    """Nobody approves what they cannot have read: where it is long, Review takes Approve's place."""
    ref = _ref(question)
    if _is_long(question, limit):
        first = button(words.REVIEW, APPROVAL_REVIEW, ref, primary=True)
    else:
        confirm = _confirm(question, words.APPROVE)
        first = button(words.APPROVE, APPROVAL_APPROVE, ref, primary=True, confirm=confirm)
    edit = [button(words.EDIT, APPROVAL_EDIT, ref)] if question.editable else []
    return actions([first, *edit, button(words.REJECT, APPROVAL_REJECT, ref), *_grant(question, limit)])


def _grant(question: Question, limit: int) -> Iterator[Block]:
    """Beside the others where policy allows it, and only where the card holds everything that would be granted."""
    if question.grants is not None and not _is_long(question, limit):
        label = grant_words.approve_for(grant_words.lasting(question.grants.lasts))
        yield button(label, APPROVAL_GRANT, _ref(question))


def _confirm(question: Question, verb: str) -> Block | None:
    if not question.destructive:
        return None
    title = words.card_title(one_line(question.title)[:90])
    return confirmation(title, words.THIS_RUNS_NOW, verb, words.GO_BACK)


def _edits(question: Question) -> Iterator[Block]:
    """Before and after of what people changed; it stays when the request is decided."""
    if question.edits:
        yield context(*(_edit(edit, _CHANGES) for edit in question.edits[-_EDITS:]))


def _compared(last: Edit | None) -> Iterator[Block]:
    """What differs from the call that was approved last. Once people changed this one, their changes say more."""
    if last is None:
        return
    if not last.changes:
        yield context(words.same_as_last(person(last.by, PERSON), day_and_clock(last.at)))
        return
    changes = [change_line(*change) for change in last.changes[:_CHANGES]]
    yield context(words.differs(changes, max(0, len(last.changes) - _CHANGES)))


def _last_edit(question: Question) -> Iterator[Block]:
    """The same, shorter: for one row of several."""
    if question.edits:
        yield context(_edit(question.edits[-1], 1))


def _edit(edit: Edit, most: int) -> Mrkdwn:
    changes = [change_line(*change) for change in edit.changes[:most]]
    return words.edited(person(edit.by, PERSON), changes, max(0, len(edit.changes) - most))


def _who(view: RunView, question: Question) -> Mrkdwn:
    return who(
        question.rule,
        (view.requester, *question.also_asked),
        until=deadline(question.requested_at, question.expires_at),
        votes=question.votes,
        quorum=question.quorum,
        uncertain=question.uncertain,
    )


def _alike(questions: Sequence[Question]) -> bool:
    """Whether one sentence about who can decide is true of all of them."""
    minutes = {question.expires_at // 60_000 for question in questions}
    rules = {(question.rule, question.quorum, question.also_asked) for question in questions}
    return len(rules) == 1 and len(minutes) == 1 and all(question.quorum == 1 for question in questions)


def _ref(question: Question) -> ApprovalRef:
    return ApprovalRef(approval_id=question.approval_id, revision=question.revision)


def _title(question: Question) -> Mrkdwn:
    return escape(one_line(question.title), LABEL)


def _named(question: Question, *blocks: Block) -> list[Block]:
    prefix = f"{question.approval_id}:{question.revision}"
    return [block | {"block_id": f"{prefix}:{place}"} for place, block in enumerate(blocks)]


def _shared(questions: Sequence[Question], *blocks: Block, start: int = 0) -> list[Block]:
    """Blocks that are about all rows: another revision of one makes them others too."""
    prefix = f"{card_name(questions[0])}:{sum(question.revision for question in questions)}"
    return [block | {"block_id": f"{prefix}:{start + place}"} for place, block in enumerate(blocks)]
