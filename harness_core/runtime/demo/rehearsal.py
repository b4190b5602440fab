"""Rehearsal phrases: a person's text that says word for word what the demo model must do.

See :class:`~harness_core.runtime.demo.model.DemoChatModel` for the phrases themselves.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, TypeAlias

_FILLER = (
    "a steady stream of plain words shows how an answer grows while it is written "
    "and how it looks when it has become long"
)
_PACE = 0.1  # seconds per word of `stream for`

_SEPARATOR = re.compile(r"\s*(?:;|\n|\bthen\b)\s*", re.IGNORECASE)
_TOGETHER = re.compile(r"\s*(?:&|\band\b)\s*", re.IGNORECASE)
_SAY_WORDS = re.compile(r"say (\d{1,6}) words?\b", re.IGNORECASE)
_SAY_TEXT = re.compile(r'say (?=")', re.IGNORECASE)
_THINK = re.compile(r"think (\d{1,6}) words?\b", re.IGNORECASE)
_STREAM = re.compile(r"stream for (\d{1,4}(?:\.\d{1,3})?) ?s(?:econds?)?\b", re.IGNORECASE)
_CALL = re.compile(r"call ([A-Za-z0-9_-]{1,64})[ \t]*", re.IGNORECASE)
_FAIL = re.compile(r"fail\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Say:
    """Text. ``pace`` is seconds per word, None for the model's own."""

    text: str
    pace: float | None = None


@dataclass(frozen=True, slots=True)
class Think:
    """Reasoning."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call."""

    tool: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fail:
    """The model breaks down instead of answering."""


Act: TypeAlias = Say | Think | Call | Fail
Turn: TypeAlias = tuple[Act, ...]


def parse(text: str, tools: Collection[str]) -> tuple[Turn, ...] | None:
    """The turns that ``text`` asks for; None unless all of it consists of phrases.

    A call without arguments is a phrase only if it names one of ``tools``, or "call me" would be one.
    """
    turns: list[list[Act]] = [[]]
    text, at = text.strip(), 0
    while True:
        found = _phrase(text, at, tools)
        if found is None:
            return None
        act, at = found
        turns[-1].append(act)
        if at == len(text):
            return tuple(map(tuple, turns))
        if next_turn := _SEPARATOR.match(text, at):
            turns.append([])
            at = next_turn.end()
            if at == len(text):
                return tuple(map(tuple, turns[:-1]))
        elif same_turn := _TOGETHER.match(text, at):
            at = same_turn.end()
        else:
            return None


def words(count: int) -> str:
    """Exactly ``count`` words."""
    return " ".join(islice(cycle(_FILLER.split()), count))


def _phrase(text: str, at: int, tools: Collection[str]) -> tuple[Act, int] | None:
    if match := _SAY_WORDS.match(text, at):
        return Say(words(int(match[1]))), match.end()
    if match := _THINK.match(text, at):
        return Think(words(int(match[1]))), match.end()
    if match := _STREAM.match(text, at):
        return Say(words(max(1, math.ceil(float(match[1]) / _PACE))), pace=_PACE), match.end()
    if match := _FAIL.match(text, at):
        return Fail(), match.end()
    if match := _SAY_TEXT.match(text, at):
        quoted = _json(text, match.end())
        return (Say(str(quoted[0])), quoted[1]) if quoted else None
    if match := _CALL.match(text, at):
        if not text.startswith("{", match.end()):
            return (Call(match[1], {}), match.end()) if match[1] in tools else None
        parsed = _json(text, match.end())
        return (Call(match[1], parsed[0]), parsed[1]) if parsed else None
    return None


def _json(text: str, at: int) -> tuple[Any, int] | None:
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(text, at)
    except ValueError:
        return None
    return value, end
