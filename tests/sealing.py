"""The key under which the stores of the tests are sealed."""

from __future__ import annotations

from harness_core import Seal

SEAL_KEY = b"k" * 32
SEAL = Seal(SEAL_KEY)
