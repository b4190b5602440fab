"""What commands say, and who says it to them: data on standard output, everything else on standard error."""

from __future__ import annotations

import os
import pwd
import sys
from datetime import UTC, datetime


def say(text: str) -> None:
    """One line of data."""
    sys.stdout.write(f"{text}\n")


def complain(text: str) -> None:
    """One line about what went wrong, and what to do."""
    sys.stderr.write(f"{text}\n")


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
