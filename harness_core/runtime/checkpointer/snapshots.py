"""Snapshots of long lists, stored so that what two of them share is stored once.

A delta channel writes its whole value every so many updates, or reading would have to replay the thread
from its start. The value of a conversation only grows at its end, so it is cut into segments of fixed
length, each named by its content. A snapshot lists the names and holds just the incomplete rest: what it
costs does not depend on how long the conversation is, but for one short name per segment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langgraph.checkpoint.serde.types import _DeltaSnapshot

from harness_core.canonical import digest

SEGMENT = 64
"""Values per segment."""

TAG = "segments"
"""The type tag of a snapshot that was cut up."""

_PREFIX = "segment:"


@dataclass(frozen=True, slots=True)
class Segment:
    """Some consecutive values: their stored name, and the type tag and bytes of the list."""

    name: str
    tag: str
    data: bytes


def is_long(value: Any) -> bool:
    """Whether ``value`` is a snapshot worth cutting up."""
    return isinstance(value, _DeltaSnapshot) and isinstance(value.value, list) and len(value.value) >= SEGMENT


def cut(value: Any) -> tuple[list[list[Any]], list[Any]]:
    """The full segments of a snapshot's list, and the rest."""
    items: list[Any] = value.value
    whole = len(items) - len(items) % SEGMENT
    return [items[start : start + SEGMENT] for start in range(0, whole, SEGMENT)], items[whole:]


def join(segments: Sequence[list[Any]], rest: list[Any]) -> _DeltaSnapshot:
    """The snapshot that :func:`cut` took apart."""
    return _DeltaSnapshot([item for segment in (*segments, rest) for item in segment])


def named(tag: str, data: bytes) -> Segment:
    """A segment under the name of its content."""
    return Segment(f"{_PREFIX}{digest(tag, data)[:40]}", tag, data)


def is_segment(version: str) -> bool:
    """Whether a stored value's version is the name of a segment."""
    return version.startswith(_PREFIX)
