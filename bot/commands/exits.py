"""What the exit status of a command says."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """As every command of ``python -m bot`` ends."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
