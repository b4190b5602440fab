"""One long answer becomes several messages.

Cut at a paragraph, else at a line, else inside a line that alone is too long. Code blocks are closed and
opened again; tables stay whole, and one that is longer than a message gets its head again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import dropwhile
from typing import Final

from bot.view.limits import MARKDOWN_PART
from bot.view.markdown import LONG_LINE, closing, neutral_line, neutralise
from bot.view.mrkdwn import cut_entities
from bot.view.scan import Kind, Line, scan

_RESERVE: Final = 600
"""Of a part, for what opens and closes blocks in it."""
_LONGEST_HEAD: Final = 280
"""A table's head above it is not repeated."""
_LEFT_EDGE: Final = "\u200b"
"""Before the rest of a cut line, so that no block starts there."""


@dataclass(frozen=True, slots=True)
class Piece:
    """`text` is a slice of the neutralised answer: all pieces joined are all of it. `shown` is for display."""

    text: str
    shown: str


def split(answer: str, *, live: bool, limit: int = MARKDOWN_PART) -> list[Piece]:
    """The answer as pieces of at most `limit` characters (no less than 3,200); none if it is blank.

    As long as the answer only grows, every piece but the last two stays as it is.
    """
    if not answer.strip():
        return []
    lines = list(scan(answer))
    tail = closing(lines, live=live)
    tail = tail if len(tail) <= _RESERVE // 2 else ""
    budget = limit - _RESERVE
    lines = [part for line in _neutral(lines, tail) for part in _cut_line(line, budget)]
    groups = list(_group(lines, budget))
    shown = [_shown(group) for group in groups[:-1]] + [_shown(groups[-1], tail=tail)]
    return [
        Piece("".join(line.text for line in group), display)
        for group, display in zip(groups, shown, strict=True)
    ]


def _neutral(lines: list[Line], tail: str) -> Iterator[Line]:
    last = len(lines) - 1
    for index, line in enumerate(lines):
        text = neutral_line(line, tail if index == last else "")
        yield line if text == line.text else replace(line, text=text)


def _cut_line(line: Line, budget: int) -> Iterator[Line]:
    """A line that is too long in several, cut at spaces where there are any; else the line."""
    longest = min(LONG_LINE, budget) if line.kind in {Kind.TEXT, Kind.CODE} else budget
    rest, joined = line.text, False
    while len(rest) > longest:
        start = cut_entities(rest, longest)
        start = start[: start.rfind(" ", longest // 2) + 1] or start
        yield _slice(line, start, joined=joined)
        rest, joined = rest[len(start) :], True
    yield _slice(line, rest, joined=True) if joined else line


def _slice(line: Line, text: str, *, joined: bool) -> Line:
    in_code = line.fence is not None
    kind = line.kind if in_code or text.strip() else Kind.BLANK
    # The rest of the line that opens a code block is not the start of another one.
    kind = Kind.CODE if joined and kind is Kind.CODE_OPEN else kind
    return replace(line, text=text, kind=kind, joined=joined)


def _group(lines: list[Line], budget: int) -> Iterator[list[Line]]:
    """The lines in groups of at most `budget` characters, not counting the blank lines around them."""
    start, size = 0, 0
    for index, line in enumerate(lines):
        size += len(line.text) if size or line.kind is not Kind.BLANK else 0
        while size > budget and line.kind is not Kind.BLANK:
            cut = _best_cut(lines, start, index, budget)
            yield lines[start:cut]
            start, size = cut, sum(len(later.text) for later in lines[cut : index + 1])
    yield lines[start:]


def _best_cut(lines: list[Line], start: int, end: int, budget: int) -> int:
    """The line before which a part that begins at `start` and may not hold `end` is best cut."""
    best, best_rank = end, (-1, -1)
    size = 0
    for index in range(start + 1, end + 1):
        before = lines[index - 1]
        size += len(before.text) if size or before.kind is not Kind.BLANK else 0
        if not size:
            continue
        place = _place(before, lines[index])
        late = size > budget // 2
        rank = (place + 10 if late and place > 1 else place, index)
        if rank > best_rank:
            best, best_rank = index, rank
    return best


def _place(before: Line, after: Line) -> int:
    """How good a place for a cut is between two lines, from 0 (only if nothing else is left) to 5."""
    match after.kind:
        case Kind.BLANK | Kind.TABLE_RULE | Kind.CODE_CLOSE:
            return 0
        case _ if after.joined:
            return 2
        case Kind.TABLE_ROW:
            return 1
        case Kind.CODE:
            return 3
        case _ if before.kind is Kind.BLANK:
            return 5
        case _:
            return 4


def _shown(lines: list[Line], *, tail: str | None = None) -> str:
    """The lines of a part for display; `tail` closes the last part, the others close themselves."""
    lines = list(dropwhile(lambda line: line.kind is Kind.BLANK, lines))
    first, last = lines[0], lines[-1]
    body = "".join(line.text for line in _undented(lines))
    if tail is None:
        left_open = last.fence and last.kind is not Kind.CODE_CLOSE
        tail = f"\n{last.fence.closing}" if last.fence and left_open else ""
    if first.kind in {Kind.CODE, Kind.CODE_CLOSE} and first.fence:
        opening = first.fence.opening
    elif first.kind in {Kind.TABLE_RULE, Kind.TABLE_ROW} and len(first.head) <= _LONGEST_HEAD:
        opening = neutralise(first.head) if first.kind is Kind.TABLE_ROW else ""
    else:
        opening = ""
    edge = _LEFT_EDGE if first.joined and (not opening or body.lstrip()[:1] in {"`", "~"}) else ""
    return opening + edge + body.rstrip() + tail


def _undented(lines: list[Line]) -> Iterator[Line]:
    """The lines, and those of a code block that began in a list in an earlier part moved to the margin."""
    carried = lines[0].kind in {Kind.CODE, Kind.CODE_CLOSE}
    for line in lines:
        carried = carried and line.kind in {Kind.CODE, Kind.CODE_CLOSE}
        if carried and line.fence and not line.fence.quoted and not line.joined:
            margin = len(line.fence.lead)
            indent = len(line.text) - len(line.text.lstrip(" \t"))
            yield replace(line, text=line.text[min(margin, indent) :])
        else:
            yield line
