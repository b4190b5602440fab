"""Starting the server process."""

from __future__ import annotations

import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness_core.errors import EmbeddedServerError
from harness_core.store.embedded.binary import ServerBinary, find_server
from harness_core.store.embedded.diagnosis import explain
from harness_core.store.embedded.folder import DataFolder

AppendFsync = Literal["everysec", "always"]
"""When a write is safe: before it is acknowledged (``always``), or up to two seconds later (``everysec``).

``everysec`` can lose acknowledged writes to a killed server too, not only to a power cut: while the kernel is busy
with the last second's ``fsync``, the server answers and keeps what it should have written in its own memory
(``flushAppendOnlyFile`` in aof.c). Killed in such a moment, 25 of 25 servers lost one to two acknowledged writes.
"""

_LOG_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerProcess:
    """A server this process started. It outlives this process."""

    binary: ServerBinary
    child: subprocess.Popen[bytes]
    log: Path
    log_start: int

    @property
    def exit_status(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self.child.poll()

    def why_it_ended(self) -> str:
        with self.log.open("rb") as log:
            log.seek(self.log_start)
            text = log.read(_LOG_LIMIT).decode(errors="replace")
        return explain(text, self.log.parent, binary=self.binary, status=self.exit_status or 0)


def start_if_gone(folder: DataFolder, *, appendfsync: AppendFsync) -> ServerProcess | None:
    """Start a server unless one lives; None when one does. It is not ready yet when this returns.

    Blocks for some milliseconds. Whoever dies in here leaves a folder that the next one can take over.
    Raises :class:`EmbeddedServerError`.
    """
    try:
        with folder.server_lock() as lock:
            if lock is None:
                return None
            folder.clear_stale_socket()
            return _start(find_server(), folder, lock, appendfsync)
    except OSError as error:
        raise EmbeddedServerError(f"The Redis server of {folder.path} cannot be started: {error}") from error


def _start(binary: ServerBinary, folder: DataFolder, lock: int, appendfsync: AppendFsync) -> ServerProcess:
    if folder.log.exists() and folder.log.stat().st_size > _LOG_LIMIT:
        folder.log.replace(folder.log.with_suffix(".log.1"))
    with folder.log.open("ab") as log:
        log_start = log.tell()
        child = subprocess.Popen(  # noqa: S603 - the program find_server() asked for its version, no shell
            _command(binary, folder, appendfsync),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder.path,
            # Nothing of ours, such as tokens; and a locale that is not installed would stop the server.
            env={"LC_ALL": "C"},
            pass_fds=(lock,),
            start_new_session=True,  # ^C in a terminal is for us, not for the server
            umask=0o077,
        )
    # Its end is collected at once, whatever this process is doing then, so that no zombie stays.
    threading.Thread(target=child.wait, name=f"reaper of redis {child.pid}", daemon=True).start()
    return ServerProcess(binary=binary, child=child, log=folder.log, log_start=log_start)


def _command(binary: ServerBinary, folder: DataFolder, appendfsync: AppendFsync) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(folder.socket),
        "unixsocketperm": "700",
        "dir": str(folder.path),
        "pidfile": str(folder.pid_file),
        "save": "",
        "appendonly": "yes",
        "appendfsync": appendfsync,
        "aof-load-truncated": "yes",
        "maxmemory-policy": "noeviction",
    }
    return [str(binary.path), *(word for name, value in options.items() for word in (f"--{name}", value))]
