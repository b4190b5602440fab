"""What a stored value looks like: type tag and msgpack, sealed for the one place it belongs to.

Only types that are known to be harmless are read back. LangGraph's serializer turns any other one into its
raw constructor argument without a word, which is why the values are watched here: such a value is refused
when it is written, and raised when it is met while reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.event_hooks import SerdeEvent, register_serde_event_listener
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from harness_core.errors import StoreError
from harness_core.store import Seal

_PLAIN_TAGS = frozenset({"null", "bytes", "bytearray", "msgpack"})

_blocked: ContextVar[list[str] | None] = ContextVar("_blocked", default=None)


def strict_serde() -> JsonPlusSerializer:
    """A serializer that revives only the types LangGraph lists as safe.

    The list is given explicitly: the variable that would make it the default is read when LangGraph is
    imported, so setting it later does nothing.
    """
    return JsonPlusSerializer(pickle_fallback=False, allowed_json_modules=None, allowed_msgpack_modules=None)


class Envelope:
    """Packs values for a place and unpacks them there."""

    def __init__(self, seal: Seal, serde: SerializerProtocol) -> None:
        self._seal = seal
        self._serde = serde

    def pack(self, value: Any, *place: str) -> bytes:
        """``value`` as sealed bytes.

        :raises StoreError: it holds a type that could not be read back as itself.
        """
        return self.seal(*self.dump(value, *place), *place)

    def unpack(self, data: bytes, *place: str) -> Any:
        """The value that was packed for this place.

        :raises SealBroken: the bytes are not ours, were changed, or belong elsewhere.
        :raises StoreError: they hold a type that is not revived.
        """
        return self.load(*self.open(data, *place), *place)

    def dump(self, value: Any, *place: str) -> tuple[str, bytes]:
        """Type tag and bytes of ``value``, proven readable."""
        typed = self._serde.dumps_typed(value)
        self.load(*typed, *place)
        return typed

    def load(self, tag: str, data: bytes, *place: str) -> Any:
        """The value behind a type tag and its bytes."""
        if tag not in _PLAIN_TAGS:
            raise StoreError(f"{_named(place)}: values of kind “{tag}” are not read")
        with _no_blocked_types(place):
            return self._serde.loads_typed((tag, data))

    def seal(self, tag: str, data: bytes, *place: str) -> bytes:
        """Tag and bytes, sealed; the tag is inside, so nobody can change how the bytes are read."""
        return self._seal.seal(tag.encode() + b"\0" + data, *place)

    def open(self, sealed: bytes, *place: str) -> tuple[str, bytes]:
        """Tag and bytes of what was sealed for this place."""
        tag, _, data = self._seal.open(sealed, *place).partition(b"\0")
        return tag.decode(), data


@contextmanager
def _no_blocked_types(place: tuple[str, ...]) -> Iterator[None]:
    found: list[str] = []
    token = _blocked.set(found)
    try:
        yield
    finally:
        _blocked.reset(token)
    if found:
        raise StoreError(
            f"{_named(place)}: values of type {', '.join(sorted(set(found)))} cannot be kept in a "
            "conversation. Use plain JSON values in the state and in results of tools."
        )


def _notice(event: SerdeEvent) -> None:
    found = _blocked.get()
    if found is not None:
        found.append(f"{event['module']}.{event['name']}")


def _named(place: tuple[str, ...]) -> str:
    return " / ".join(part for part in place if part)


register_serde_event_listener(_notice)
