r"""Text that says all it holds: characters that nobody sees, or that reorder what others see, are written out.

For texts that a person decides by. Such characters are escaped as in JSON (`\u202e`), those beyond the first
plane as in Python (`\U000e0001`).
"""

import re
from typing import Final

_BLANKS: Final = (
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
)
_MARKS: Final = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_HIDDEN: Final = re.compile(f"[{_BLANKS}]|(?<=[{_MARKS}]{{3}})[{_MARKS}]+")
"""Printable by Unicode's word, yet blank; and marks that pile up into other lines."""
_KEPT: Final = "\n\t\u200d"
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str, *, keep: str = "") -> str:
    """`text` with every invisible, control and bidirectional character escaped, but for those in `keep`."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() or char in keep else _escaped(char) for char in text)
    return _HIDDEN.sub(lambda found: "".join(map(_escaped, found[0])), text)


def harmless(text: str) -> str:
    """`text` with what moves a cursor, hides or reorders escaped; its lines, and joined emoji, stay as they are."""
    return "".join(char if char.isprintable() or char in _KEPT else _escaped(char) for char in text)


def one_line(text: str) -> str:
    """The same on one line."""
    return visible(" ".join(text.split()))


def _escaped(char: str) -> str:
    code = ord(char)
    return _SHORT.get(char) or (f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
