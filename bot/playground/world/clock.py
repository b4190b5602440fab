"""Time, and the identities that are made from it."""

import secrets
import time
from collections.abc import Callable

_MICROS = 1_000_000


class Clock:
    """Unix time, and message timestamps that never repeat and always grow."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self._last = 0

    def ts(self) -> str:
        self._last = max(self._last + 1, int(self.now() * _MICROS))
        return f"{self._last // _MICROS}.{self._last % _MICROS:06d}"


def new_id(prefix: str) -> str:
    """An id in the platform's form: a letter or two, then ten capitals or digits."""
    return prefix + secrets.token_hex(5).upper()
