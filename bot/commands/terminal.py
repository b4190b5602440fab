"""What commands say, and who says it to them: data on standard output, everything else on standard error.

What a model, a tool or a person wrote comes out as text alone: nothing in it moves the cursor, hides or reorders.
"""

from __future__ import annotations

import json
import os
import pwd
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.view.visible import visible


def say(text: str) -> None:
    """One line of data."""
    sys.stdout.write(f"{visible(text)}\n")


def say_indented(text: str, *, by: str, first: str | None = None) -> None:
    """Each line of ``text`` behind ``by``, the first one behind ``first`` if that is given."""
    for number, line in enumerate(text.split("\n")):
        say(f"{by if number or first is None else first}{line}")


def say_object(facts: Mapping[str, Any]) -> None:
    """One line of data for programs."""
    say(json.dumps(facts))


def complain(text: str) -> None:
    """One line about what went wrong, and what to do."""
    sys.stderr.write(f"{visible(text)}\n")


def operator() -> str:
    """Who is at the shell, as it is recorded."""
    try:
        return f"shell:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"shell:{os.getuid()}"


def iso(at: int | None) -> str | None:
    """A time in milliseconds since the epoch, in UTC, as programs read it."""
    if at is None:
        return None
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
