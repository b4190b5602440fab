"""The names of tools: a server calls its tools what it likes, and models know them by names that every provider takes.

A workspace may write either wherever it names a tool; maps of a Tool object go by the server's.
"""

from __future__ import annotations

import re
from typing import Final

from harness_core.canonical import digest

LONGEST_NAME: Final = 64
"""Characters that every provider takes in the name of a tool."""

TASK: Final = "task"
"""The tool that every agent with subagents has, to hand work to one of them; no Tool object brings it."""

READ_ON: Final = "read_stored_output"
"""The tool that every agent has, to read on in outputs that were cut."""

_OTHERS: Final = re.compile(r"[^A-Za-z0-9_-]")


def model_name(name: str) -> str:
    """What models call the tool ``name``: letters, digits, _ and -, not too long. A model's name stays as it is."""
    plain = _OTHERS.sub("_", name)
    if len(plain) <= LONGEST_NAME:
        return plain
    return f"{plain[: LONGEST_NAME - 9]}_{digest(name)[:8]}"
