"""Markdown line by line: which lines are code, which belong to a table, which are text.

A scanner and not a parser: it must be cheap enough to run at every edit of a growing answer, and the
splitter needs lines. It follows https://spec.commonmark.org and the tables of
https://github.github.com/gfm/, and differs from them by taking a fence at any indentation, because the
lists around it are not tracked.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

LEAD: Final = re.compile(r"(?:[ \t]|>|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t]))*")
"""What may stand before a line's text: indentation, quote marks, list markers."""

_FENCE: Final = re.compile(r"(?P<mark>`{3,64}(?=[^`]*$)|~{3,64}(?!~))(?P<info>.*)$")
_RULE_CELL: Final = re.compile(r":?-+:?")
_CELL_END: Final = re.compile(r"(?<!\\)\|")
_LONGEST_LEAD: Final = 32
_LONGEST_INFO: Final = 40
_NO_LANGUAGE: Final = re.compile(r"[^A-Za-z0-9_+.#-]")


class Kind(Enum):
    TEXT = auto()
    BLANK = auto()
    CODE_OPEN = auto()
    CODE = auto()
    CODE_CLOSE = auto()
    TABLE_HEAD = auto()
    TABLE_RULE = auto()
    TABLE_ROW = auto()


@dataclass(frozen=True, slots=True)
class Fence:
    """An open code block: what stood before its mark, the mark, and the language.

    The language holds nothing that Slack could read as a token: it is written again at the top of other messages.
    """

    lead: str
    mark: str
    info: str

    @property
    def quoted(self) -> bool:
        return ">" in self.lead

    @property
    def opening(self) -> str:
        """The line that opens it again in another message, where the list around it is not repeated."""
        return f"{self._margin}{self.mark}{self.info}\n"

    @property
    def closing(self) -> str:
        return self._margin + self.mark

    @property
    def _margin(self) -> str:
        """A quote's marks go on in every line of it, a list's marker does not."""
        return re.sub(r"[^> \t]", " ", self.lead) if self.quoted else ""

    def is_closed_by(self, line: str) -> bool:
        stripped = line.lstrip(" \t>").rstrip()
        return len(stripped) >= len(self.mark) and not stripped.strip(self.mark[0])


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its line end. `fence` is set on the lines of a code block, `head` on a table's rows.

    `joined` marks the rest of a line that was too long and had to be cut.
    """

    text: str
    kind: Kind
    fence: Fence | None = None
    head: str = ""
    joined: bool = False


def scan(text: str) -> Iterator[Line]:
    """The lines of `text`; joined together they are `text` again."""
    lines = text.split("\n")
    ended = [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    previous = Line("", Kind.BLANK)
    for index, line in enumerate(ended):
        following = ended[index + 1] if index + 1 < len(ended) else ""
        previous = _inside(line, previous) or _outside(line, previous, following)
        yield previous


def lead_of(line: str) -> str:
    """What stands before the text of `line`."""
    found = LEAD.match(line)
    return found[0] if found else ""


def cells(row: str) -> list[str]:
    """The cells of a table row."""
    inner = row.strip(" \t\n>").removeprefix("|").removesuffix("|")
    return [cell.strip() for cell in _CELL_END.split(inner)]


def _inside(line: str, previous: Line) -> Line | None:
    """A line of the code block that `previous` left open, if it did."""
    fence = previous.fence
    if fence is None or previous.kind is Kind.CODE_CLOSE:
        return None
    if fence.quoted and ">" not in lead_of(line):
        return None
    return Line(line, Kind.CODE_CLOSE if fence.is_closed_by(line) else Kind.CODE, fence)


def _outside(line: str, previous: Line, following: str) -> Line:
    if not line.strip():
        return Line(line, Kind.BLANK)
    if fence := _opened(line.removesuffix("\n")):
        return Line(line, Kind.CODE_OPEN, fence)
    if "|" not in line:
        return Line(line, Kind.TEXT)
    if previous.kind is Kind.TABLE_HEAD:
        return Line(line, Kind.TABLE_RULE, head=previous.text + line)
    if previous.head:
        return Line(line, Kind.TABLE_ROW, head=previous.head)
    heads = _is_rule(following) and len(cells(line)) == len(cells(following))
    return Line(line, Kind.TABLE_HEAD if heads else Kind.TEXT)


def _is_rule(line: str) -> bool:
    if "|" not in line or line.strip("|-: \t>\n"):
        return False
    return all(_RULE_CELL.fullmatch(cell) for cell in cells(line))


def _opened(line: str) -> Fence | None:
    lead = lead_of(line)
    mark = _FENCE.match(line, len(lead)) if len(lead) <= _LONGEST_LEAD else None
    if mark is None:
        return None
    language = mark["info"].split(maxsplit=1)[:1]
    return Fence(lead, mark["mark"], _NO_LANGUAGE.sub("", language[0])[:_LONGEST_INFO] if language else "")
