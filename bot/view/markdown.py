"""Markdown that a model wrote, made safe to show and, while it is still being written, well-formed.

Slack reads its own `<…>` tokens inside a `markdown` block too: as they stand, a model could call a whole
channel, mention people, or hide where a link leads. Entities in their place are shown as the characters
and not read again as tokens; `&` stays, since it is not decoded in link targets (measured in
https://github.com/PostHog/posthog/pull/95054).
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from bot.view.scan import Kind, Line, cells, lead_of, scan

LONG_LINE: Final = 2_500
"""Lines above it may be cut anywhere, so code spans in them are not trusted to stay whole."""
_LONGEST_EMPHASIS: Final = 4_000

_INVISIBLE: Final = "\u200b"
_TOKEN: Final = re.compile(
    r"<(?=!(?:channel|here|everyone|group|subteam\^|date\^)|@[UWB][A-Z0-9]|#[CGD][A-Z0-9])", re.IGNORECASE
)
_IMAGE: Final = re.compile(r"!+\[(\]\()?")
_TICKS: Final = re.compile(r"`+")
_TICKS_OR_ESCAPE: Final = re.compile(r"\\.|`+")
_EMPHASIS: Final = re.compile(r"\\.|\*+|_+|~~")
_ITEM: Final = re.compile(r"[ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]|[ \t>]*#{1,6}[ \t]")
_WIDEST_TABLE: Final = 20


def neutralise(text: str) -> str:
    """`text` with mentions, broadcasts and labelled `<…>` links shown as text, and images as links.

    Code keeps its characters, so that it can be copied; only where it holds one of Slack's tokens is an
    invisible space put into that token. Quote marks at the start of a line stay.
    """
    return "".join(neutral_line(line) for line in scan(text))


def neutral_line(line: Line, tail: str = "") -> str:
    """The text of one line, made neutral; `tail` is what will close it for display."""
    if line.kind in {Kind.CODE, Kind.CODE_CLOSE}:
        return _break_tokens(line.text)
    lead = lead_of(line.text)
    rest = line.text[len(lead) :]
    out, position = [lead], 0
    for start, end in code_spans(rest + tail) if "`" in rest else ():
        out += [_neutral_text(rest[position:start]), _break_tokens(rest[start:end])]
        position = end
    out.append(_neutral_text(rest[position:]))
    neutral = "".join(out)
    return neutral if len(neutral) <= LONG_LINE else lead + _neutral_text(rest)


def closing(lines: Sequence[Line], *, live: bool) -> str:
    """What to append to these lines, without the white space at their end, so that they display as meant.

    A code block left open is always closed. While the answer is still being written (`live`), so are code
    spans, emphasis, and a table that has only its head.
    """
    if lines and lines[-1].kind is Kind.BLANK and not lines[-1].text.endswith("\n"):
        lines = lines[:-1]
    if not lines:
        return ""
    last = lines[-1]
    if last.fence and last.kind is not Kind.CODE_CLOSE:
        return _rest_of_fence(last)
    match last.kind:
        case Kind.TEXT if live:
            return _rest_of_table(lines) or _rest_of_inline(lines)
        case Kind.TABLE_ROW if live:
            cell = last.text.rpartition("|")[2]
            return _rest_of_inline([Line(cell, Kind.TEXT)])
        case _:
            return ""


def code_spans(line: str) -> Iterator[tuple[int, int]]:
    """Where `line` has code spans, their backticks included."""
    closers: dict[int, list[int]] = {}
    for run in reversed(list(_TICKS.finditer(line))):
        closers.setdefault(len(run[0]), []).append(run.start())
    position = 0
    while opener := _TICKS_OR_ESCAPE.search(line, position):
        position = opener.end()
        width = len(opener[0])
        starts = closers.get(width, []) if opener[0][0] == "`" else []
        while starts and starts[-1] < position:
            starts.pop()
        if starts:
            position = starts[-1] + width
            yield opener.start(), position


def _neutral_text(text: str) -> str:
    linked = _IMAGE.sub(lambda found: "[image](" if found[1] else "[", text)
    return linked.replace("<", "&lt;").replace(">", "&gt;")


def _break_tokens(code: str) -> str:
    return _TOKEN.sub("<" + _INVISIBLE, code)


def _rest_of_fence(last: Line) -> str:
    fence, written = last.fence, last.text.strip(" \t>\n")
    if fence is None:
        return ""
    if last.kind is Kind.CODE and written and not last.text.endswith("\n") and fence.mark.startswith(written):
        return fence.mark[len(written) :]
    return "\n" + fence.closing


def _rest_of_table(lines: Sequence[Line]) -> str:
    """The rule below a table's head, as far as it is missing."""
    last = lines[-1].text
    if last.endswith("\n"):
        width = _head_width(lines[-1], lines[-2:-1])
        return "\n|" + " --- |" * width if width else ""
    if len(lines) < 2 or last.strip("|-: \t") or not last.strip():
        return ""
    width, written = _head_width(lines[-2], lines[-3:-2]), last.strip()
    if written.endswith(":") and not written.endswith("-:"):
        written += "-"
    done = sum(1 for cell in cells(written) if cell)
    rest = ("" if written.endswith("|") else " |") + " --- |" * (width - done)
    return written[len(last.strip()) :] + rest if width else ""


def _head_width(head: Line, before: Sequence[Line]) -> int:
    """The number of columns if `head` reads like the first line of a table, else 0."""
    first = not before or before[0].kind is not Kind.TEXT
    width = len(cells(head.text)) if first and head.text.lstrip().startswith("|") else 0
    return width if width <= _WIDEST_TABLE else 0


def _rest_of_inline(lines: Sequence[Line]) -> str:
    """Closes the code span and the emphasis that are open at the end of the last paragraph."""
    paragraph: list[str] = []
    for line in reversed(lines):
        if line.kind is not Kind.TEXT:
            break
        paragraph.append(line.text)
        if _ITEM.match(line.text):
            break
    plain, code = "", ""
    for text in reversed(paragraph):
        masked, code = _without_code(text[len(lead_of(text)) :])
        plain += masked
    return code + _open_emphasis(plain.rstrip()[-_LONGEST_EMPHASIS:])


def _without_code(line: str) -> tuple[str, str]:
    """`line` with each code span as one letter, and the backticks that would close an open one."""
    out, position = [], 0
    for start, end in code_spans(line):
        out += [line[position:start], "x"]
        position = end
    rest = line[position:]
    for found in _TICKS_OR_ESCAPE.finditer(rest):
        if found[0][0] == "`":
            code = found[0] if rest[found.end() :].strip() else ""
            return "".join([*out, rest[: found.start()], "x"]), code
    return "".join([*out, rest]), ""


def _open_emphasis(text: str) -> str:
    """The marks that close what is emphasised at the end of `text`; the delimiter rules of CommonMark §6.2.

    A mark inside a word opens nothing: it is more often a product or a name than emphasis.
    """
    stack: list[tuple[str, int]] = []
    for found in _EMPHASIS.finditer(text):
        char, count = found[0][0], len(found[0])
        if char == "\\":
            continue
        before = text[max(found.start() - 1, 0) : found.start()]
        after = text[found.end() : found.end() + 1]
        if before and not before.isspace():
            count = _close_emphasis(stack, char, count)
        if count and after and not after.isspace() and not before.isalnum():
            stack.append((char, count))
    return "".join(char * count for char, count in reversed(stack))


def _close_emphasis(stack: list[tuple[str, int]], char: str, count: int) -> int:
    """Lets `count` marks close what they can; how many are left."""
    while count and any(opener == char for opener, _ in stack):
        opener, open_count = stack.pop()
        if opener == char:
            used = min(count, open_count)
            count -= used
            if open_count > used:
                stack.append((char, open_count - used))
    return count
