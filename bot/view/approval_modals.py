"""Modals about one request: change it, reject it, read it whole.

What a modal carries names a revision and grants nothing; the record is read again when it is submitted.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from bot.view import approval_words as words
from bot.view import grant_words
from bot.view.approval_notices import state_of
from bot.view.arguments import MASK, arguments_text, name_text
from bot.view.arguments_form import (
    REASON_BLOCK,
    VALUE,
    block_id,
    form_fields,
    hint_of,
    initial_text,
    is_editable,
)
from bot.view.arguments_schema import Field, Kind, choice_labels, choice_value, fields_of
from bot.view.blocks import Block, context, plain, plain_section, preformatted, section
from bot.view.grants import scope
from bot.view.limits import (
    INPUT,
    INPUT_HINT,
    INPUT_LABEL,
    MODAL_CLOSE,
    MODAL_TITLE,
    OPTION_TEXT,
    PRIVATE_METADATA,
    TEXT_OBJECT,
)
from bot.view.mrkdwn import Mrkdwn, clip, day_and_clock, escape, person
from bot.view.request_blocks import change_line, deadline, preview_block, reason_block, title_block, who
from bot.view.values import (
    DETAILS_MODAL,
    EDIT_MODAL,
    GRANT_MODAL,
    REJECT_MODAL,
    REVIEW_MODAL,
    ApprovalRef,
    Ref,
    ReviewPage,
    encode,
)
from bot.view.visible import visible
from bot.view.words import CLOSE
from harness_core.approvals import Approval, GrantTerms

PIECE: Final = TEXT_OBJECT - 100
PIECES: Final = 6
"""Blocks of arguments on a page: together far below what a view may weigh, whatever the alphabet."""
_LONG_LINE: Final = 80
_LONGEST_REASON: Final = 1_000
_LISTED_VOTES: Final = 10
_LISTED_CHANGES: Final = 10


def edit_modal(approval: Approval) -> Block:
    """One input for each argument, with the value it has now. Saving makes a new revision."""
    fields = form_fields(approval)
    blocks: list[Block] = [
        title_block(approval.asked.title),
        context(Mrkdwn(words.SAVING_IS_NOT_APPROVING)),
        *map(_input, fields),
        *_kept(approval, fields),
    ]
    submit = words.SAVE if fields else None
    return _modal(words.EDIT_TITLE, EDIT_MODAL, _ref(approval), blocks, submit=submit, close=words.CANCEL)


def reject_modal(approval: Approval) -> Block:
    """Asks why, which may be left open. Submitting decides."""
    reason: Block = {
        "type": "input",
        "block_id": REASON_BLOCK,
        "label": plain(words.REASON),
        "hint": plain(words.REASON_HINT),
        "optional": True,
        "element": {
            "type": "plain_text_input",
            "action_id": VALUE,
            "multiline": True,
            "max_length": _LONGEST_REASON,
        },
    }
    blocks = [title_block(approval.asked.title), reason]
    return _modal(
        words.REJECT_TITLE, REJECT_MODAL, _ref(approval), blocks, submit=words.REJECT, close=words.CANCEL
    )


def review_pages(approval: Approval) -> int:
    """How many pages show the request whole."""
    return max(1, -(-len(_pieces(approval)) // PIECES))


def review_modal(approval: Approval, page: int = 0) -> Block:
    """Everything that would run, a page at a time. Submitting the last page approves, any other turns to the next.

    A request that cannot be approved (any more) has nothing to submit on its last page.
    """
    pages, page = _place(approval, page)
    may_be_approved = approval.state == "open" and approval.kind == "call"
    last = words.APPROVE if may_be_approved else None
    return _modal(
        words.REVIEW_TITLE,
        REVIEW_MODAL,
        _page_ref(approval, page),
        _page(approval, page, pages),
        submit=words.NEXT_PAGE if page + 1 < pages else last,
        close=words.CANCEL if may_be_approved else CLOSE,
    )


def details_modal(approval: Approval, page: int = 0) -> Block:
    """What was asked, with which arguments, and what became of it. Submitting turns to the next page."""
    pages, page = _place(approval, page)
    facts = _facts(approval) if page + 1 == pages else ()
    return _modal(
        words.DETAILS_TITLE,
        DETAILS_MODAL,
        _page_ref(approval, page),
        [*_page(approval, page, pages), *facts],
        submit=words.NEXT_PAGE if page + 1 < pages else None,
        close=CLOSE,
    )


def grant_modal(approval: Approval, terms: GrantTerms) -> Block:
    """Says what would be granted besides: which calls, how long, how often. Submitting approves and grants that.

    Only for a request that fits on one page: see :func:`review_pages`.
    """
    granted = [
        section(grant_words.what_it_does(grant_words.lasting(terms.lasts), terms.times)),
        section(scope(approval, terms)),
        context(grant_words.HOW_IT_ENDS),
    ]
    return _modal(
        grant_words.MODAL_TITLE,
        GRANT_MODAL,
        _ref(approval),
        [*_page(approval, 0, 1), *granted],
        submit=words.APPROVE,
        close=words.CANCEL,
    )


def loading_modal(title: str) -> Block:
    """Takes the place of a modal whose content is late. `title` is that of the modal to come."""
    return _plain_modal(title, plain_section(words.LOADING))


def closing_modal(text: Mrkdwn) -> Block:
    """What a person sees in the place of a modal whose request is over."""
    return _plain_modal(words.DETAILS_TITLE, section(text))


def _plain_modal(title: str, block: Block) -> Block:
    return {
        "type": "modal",
        "title": plain(title, MODAL_TITLE),
        "close": plain(CLOSE, MODAL_CLOSE),
        "blocks": [block],
    }


def _modal(
    title: str, callback_id: str, ref: Ref, blocks: Sequence[Block], *, submit: str | None, close: str
) -> Block:
    view: Block = {
        "type": "modal",
        "callback_id": callback_id,
        "private_metadata": encode(ref, PRIVATE_METADATA),
        "title": plain(title, MODAL_TITLE),
        "close": plain(close, MODAL_CLOSE),
        "blocks": list(blocks),
    }
    return view | {"submit": plain(submit, MODAL_CLOSE)} if submit else view


def _ref(approval: Approval) -> ApprovalRef:
    return ApprovalRef(approval_id=approval.approval_id, revision=approval.revision)


def _page_ref(approval: Approval, page: int) -> ReviewPage:
    return ReviewPage(approval_id=approval.approval_id, revision=approval.revision, page=page)


def _input(field: Field) -> Block:
    initial = initial_text(field)
    may_be_empty = not field.required or field.nullable or field.secret or not initial
    block: Block = {
        "type": "input",
        "block_id": block_id(field.name),
        "label": plain(visible(field.name), INPUT_LABEL),
        "optional": may_be_empty or field.kind is Kind.LINES,
        "element": _select(field) if field.kind is Kind.CHOICE else _text_input(field, initial),
    }
    hint = hint_of(field)
    return block | {"hint": plain(hint, INPUT_HINT)} if hint else block


def _select(field: Field) -> Block:
    options = {
        choice_value(choice): {"text": plain(label, OPTION_TEXT), "value": choice_value(choice)}
        for choice, label in zip(field.choices, choice_labels(field.choices), strict=True)
    }
    element: Block = {"type": "static_select", "action_id": VALUE, "options": list(options.values())}
    chosen = options.get(choice_value(field.value)) if field.present else None
    return element | {"initial_option": chosen} if chosen else element


def _text_input(field: Field, initial: str) -> Block:
    several = field.kind in {Kind.LINES, Kind.JSON} or "\n" in initial or len(initial) > _LONG_LINE
    element: Block = {
        "type": "plain_text_input",
        "action_id": VALUE,
        "multiline": several,
        "max_length": INPUT,
    }
    return element | {"initial_value": initial} if initial else element


def _kept(approval: Approval, fields: Sequence[Field]) -> Iterator[Block]:
    """Says which arguments have no input."""
    asked = approval.asked
    shown = {field.name for field in fields}
    missing = [
        each for each in fields_of(asked.schema, asked.arguments, asked.secret) if each.name not in shown
    ]
    for field in [each for each in missing if not is_editable(each)][:5]:
        yield plain_section(words.kept_as_it_is(clip(name_text(field.name), 100), len(initial_text(field))))
    if len(missing) > 5 or any(is_editable(each) for each in missing):
        yield plain_section(words.kept_arguments(len(missing)))


def _pieces(approval: Approval) -> list[str]:
    text = arguments_text(approval.asked.arguments, approval.asked.secret)
    return [text[start : start + PIECE] for start in range(0, len(text), PIECE)]


def _place(approval: Approval, page: int) -> tuple[int, int]:
    """The number of pages, and a page that exists."""
    pages = review_pages(approval)
    return pages, min(max(0, page), pages - 1)


def _page(approval: Approval, page: int, pages: int) -> list[Block]:
    """One page: what else there is to know comes after the last argument."""
    facts = [Mrkdwn(f"{escape(approval.agent or 'The bot')} · asked by {person(approval.requester)}")]
    if pages > 1:
        facts.append(words.page(page + 1, pages))
    pieces = _pieces(approval)[page * PIECES : (page + 1) * PIECES]
    rest = _rest(approval) if page + 1 == pages else []
    return [title_block(approval.asked.title), context(*facts), *map(preformatted, pieces), *rest]


def _rest(approval: Approval) -> list[Block]:
    """What is said beside the arguments, after the last of them."""
    asked = approval.asked
    said = [preview_block(asked.preview), reason_block(asked.reason)]
    if approval.state != "open":
        return said
    can_decide = who(
        approval.rule,
        approval.requesters,
        until=deadline(approval.requested_at, approval.expires_at),
        votes=len(approval.votes),
        quorum=approval.quorum,
        uncertain=approval.kind == "uncertain",
    )
    return [*said, context(can_decide)]


def _facts(approval: Approval) -> Iterator[Block]:
    """What became of the request, and how it is named elsewhere."""
    yield _fact(words.STATE, escape(state_of(approval)))
    if approval.decided_by and approval.decided_at:
        yield _fact(
            words.DECIDED, Mrkdwn(f"{person(approval.decided_by)}, {day_and_clock(approval.decided_at)}")
        )
    for vote in approval.votes[:_LISTED_VOTES]:
        yield _fact(words.APPROVAL, Mrkdwn(f"{person(vote.by)}, {day_and_clock(vote.at)}"))
    said = approval.reason or approval.response
    if said:
        yield from _whole(words.REASON, visible(said, keep="\n"))
    if approval.asked.edited_by:
        yield _fact(words.CHANGED_BY, person(approval.asked.edited_by))
    for change in _changes(approval):
        yield _fact(words.CHANGED, change)
    yield _fact(words.TOOL, escape(approval.tool))
    yield _fact(words.RUN, escape(approval.run_id))
    yield _fact(words.REQUEST, escape(approval.approval_id))
    yield _fact(words.DIGEST, escape(approval.digest))


def _changes(approval: Approval) -> list[Mrkdwn]:
    """The first revision against this one."""
    before, after = approval.asked.before, approval.asked.arguments
    if before is None:
        return []
    secret = approval.asked.secret
    changed = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    return [
        change_line(name, *((MASK, MASK) if name in secret else (before.get(name), after.get(name))))
        for name in changed[:_LISTED_CHANGES]
    ]


def _whole(name: str, said: str) -> Iterator[Block]:
    """What people wrote, as long as it is."""
    text = f"{name}: {said}"
    for start in range(0, len(text), PIECE)[:PIECES]:
        yield plain_section(text[start : start + PIECE])


def _fact(name: str, text: Mrkdwn) -> Block:
    return context(Mrkdwn(f"{name}: {text}"))
