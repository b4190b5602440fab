"""Why a server did not stay up, read from its log."""

from __future__ import annotations

import re
import shlex
import signal
from pathlib import Path

from harness_core.store.embedded.binary import ServerBinary

_LINES_SHOWN = 5
_LINE_PREFIX = re.compile(r"^\d+:[A-Z] .*? [.*#-] ")
_UNREADABLE = re.compile(
    r"(?:(?:Bad file format|Unexpected end of file) reading the append only|Error reading the RDB base) file ([^\s:,]+)"
)
_WRITER = re.compile(rb"(redis|valkey)-ver[^\d]{0,2}([\d.]+)")


def explain(log: str, data: Path, *, binary: ServerBinary, status: int) -> str:
    """A sentence with what to do where the cause is known, else how it ended and the last lines of its log."""
    if unreadable := _UNREADABLE.search(log):
        return _unreadable(data / "appendonlydir" / unreadable[1], binary)
    lines = [_LINE_PREFIX.sub("", line) for line in log.splitlines() if line.strip()][-_LINES_SHOWN:]
    how = f"ended with status {status}" if status >= 0 else f"was ended by {signal.Signals(-status).name}"
    return f"{binary} {how}. The last lines of its log: {' | '.join(lines) or 'none'}"


def _unreadable(file: Path, binary: ServerBinary) -> str:
    if file.suffix == ".rdb":
        return (
            f"{binary} cannot read {file}{_written_by(file)}. If that is another or a newer server, put it on PATH; "
            f"else the file is damaged: restore {file.parent} from a backup."
        )
    if file.name != _last_file(file.parent):
        return f"{file} is damaged, and files follow it, so it cannot be cut: restore {file.parent} from a backup."
    # The tool is given the file, not the manifest: Valkey's takes Valkey's own base files for damaged ones.
    repair = f"{binary.check_aof_command()} --fix {shlex.quote(str(file))}"
    return (
        f"{file} is damaged. Copy {file.parent} to a safe place, then cut off what is damaged with: {repair}"
    )


def _last_file(folder: Path) -> str:
    """The name in the last line of the manifest, which reads: file NAME seq NUMBER type LETTER."""
    try:
        return (folder / "appendonly.aof.manifest").read_text().split("file ")[-1].split(" ")[0]
    except OSError:
        return ""


def _written_by(file: Path) -> str:
    try:
        with file.open("rb") as content:
            writer = _WRITER.search(content.read(200))
    except OSError:
        return ""
    return f", written by {writer[1].decode().title()} {writer[2].decode()}" if writer else ""
