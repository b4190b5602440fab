"""Cursors and limits as they come from outside: what no page can have given is an error, not an empty page."""

from __future__ import annotations

import re
from re import Pattern
from typing import Final

RUN: Final = re.compile(r"run_\w+")
"""The cursor of a list of runs: the id of the last one."""

PLACE: Final = re.compile(r"-?\d+\.[\w-]+")
"""The cursor of lists that are ordered by time: a time in milliseconds, and an id."""


def checked(cursor: str | None, limit: int | None, shape: Pattern[str]) -> str:
    """The cursor; empty for the first page.

    :raises ValueError: ``limit`` is less than 1, or ``cursor`` has not the shape of this list's.
    """
    check_limit(limit)
    if cursor and shape.fullmatch(cursor) is None:
        raise ValueError(f"“{cursor}” is no cursor of this list: give one that a page of it had")
    return cursor or ""


def check_limit(limit: int | None) -> None:
    """:raises ValueError: ``limit`` is less than 1."""
    if limit is not None and limit < 1:
        raise ValueError(f"the limit is {limit}, and has to be 1 or more")
