"""What is kept of one checkpoint beside its channel values, and how checkpoints rest on each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from langgraph.checkpoint.base import WRITES_IDX_MAP, Checkpoint, CheckpointMetadata

_LOWEST_INDEX = min(WRITES_IDX_MAP.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A checkpoint without its values. ``stored`` are the channels that must have one."""

    checkpoint: Mapping[str, Any]
    metadata: CheckpointMetadata
    parent: str | None
    stored: frozenset[str]

    @classmethod
    def of(cls, checkpoint: Checkpoint, metadata: CheckpointMetadata, parent: str | None) -> Header:
        versions = checkpoint["channel_versions"]
        return cls(
            checkpoint={name: part for name, part in checkpoint.items() if name != "channel_values"},
            metadata=metadata,
            parent=parent,
            stored=frozenset(channel for channel in checkpoint["channel_values"] if channel in versions),
        )

    @classmethod
    def from_plain(cls, plain: tuple[Any, ...]) -> Header:
        checkpoint, metadata, parent, stored = plain
        return cls(checkpoint=checkpoint, metadata=metadata, parent=parent, stored=frozenset(stored))

    def to_plain(self) -> tuple[Any, ...]:
        return dict(self.checkpoint), self.metadata, self.parent, sorted(self.stored)

    @property
    def versions(self) -> Mapping[str, str]:
        """The version of each channel; savers other than this one may have used numbers."""
        return {channel: str(version) for channel, version in self.checkpoint["channel_versions"].items()}

    @property
    def unfolded(self) -> frozenset[str]:
        """Channels whose value is not here but follows from the writes of ancestors."""
        counted = self.metadata.get("counters_since_delta_snapshot") or {}
        return frozenset(name for name in counted if name in self.versions) - self.stored

    def steps_since_stored(self, channels: Iterable[str]) -> int:
        """How many ancestors back the newest stored values of these channels are; 0 if unknown."""
        counted = self.metadata.get("counters_since_delta_snapshot") or {}
        return max((counted[channel][1] for channel in channels if channel in counted), default=0)


def foundations(kept: Iterable[str], headers: Mapping[str, Header]) -> tuple[frozenset[str], frozenset[str]]:
    """The ancestors without which the values of ``kept`` could not be put together again, as far as ``headers``
    says; and those of which it would have to be asked further.

    A channel that keeps deltas is rebuilt from the writes of every ancestor back to the nearest one that
    stored it whole. Removing one of those silently shortens the history.
    """
    needed: set[str] = set()
    unread: set[str] = set()
    for checkpoint_id in kept:
        header = headers[checkpoint_id]
        missing, cursor = set(header.unfolded), header.parent
        while missing and cursor is not None:
            if cursor not in headers:
                unread.add(cursor)
                break
            needed.add(cursor)
            missing -= headers[cursor].stored
            cursor = headers[cursor].parent
    return frozenset(needed), frozenset(unread)


def write_index(channel: str, position: int) -> tuple[int, bool]:
    """The index of a write, and whether it replaces an earlier one: the special ones do."""
    special = WRITES_IDX_MAP.get(channel)
    return (position, False) if special is None else (special, True)


def write_field(task_path: str, task_id: str, index: int) -> bytes:
    """A name under which writes sort as the graph applied them: by path, task and index.

    UTF-8 sorts like the text it spells, and the separator below any character of it.
    """
    return f"{task_path}\0{task_id}\0{index - _LOWEST_INDEX:08d}".encode()


def parse_write_field(field: bytes) -> tuple[str, str, int]:
    """Path, task and index of :func:`write_field`."""
    path, task_id, index = field.decode().split("\0")
    return path, task_id, int(index) + _LOWEST_INDEX
