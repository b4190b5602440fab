"""The data folder: who may use it, where its files are, and the two locks that processes share through it.

``server.lock`` is held, exclusively, by the server process itself through an inherited file descriptor, so it is
free exactly when no server lives. ``clients.lock`` is held, shared, by every process that uses the server.
Both are ``flock`` locks: the kernel releases them when their holder dies, however it dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import socket
import stat
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from harness_core.errors import EmbeddedServerError

MAX_SOCKET_PATH = 100
"""Bytes. The kernel's own limit is 107 on Linux and 103 on macOS."""

_SOCKET_PLACE = "socket.json"
_DYING_LISTENER = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFolder:
    """A folder of our own, readable and writable by this user alone."""

    path: Path
    socket: Path

    @classmethod
    def prepare(cls, data: Path) -> DataFolder:
        """Create the folder, close it to others and settle the path of its socket.

        Raises :class:`EmbeddedServerError` where it cannot be written or is not safe to use.
        """
        try:
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = data.resolve(strict=True)
            _make_private(path)
            return cls(path=path, socket=_socket_path(path))
        except OSError as error:
            raise EmbeddedServerError(
                f"The data folder {data} cannot be used: {error.strerror or error}. "
                "Choose a folder this user may create and write."
            ) from error

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}"

    @property
    def log(self) -> Path:
        return self.path / "redis.log"

    @property
    def pid_file(self) -> Path:
        return self.path / "redis.pid"

    def noted_pid(self) -> int | None:
        """The process id the latest server wrote down; for a message to a person, never to send a signal to."""
        try:
            return int(self.pid_file.read_text())
        except (OSError, ValueError):
            return None

    @contextlib.contextmanager
    def server_lock(self) -> Iterator[int | None]:
        """The descriptor of the exclusive lock, or None while a server holds it.

        Closing it here does not unlock what a server has inherited: the lock belongs to the open file.
        """
        lock = _try_lock(self.path / "server.lock", fcntl.LOCK_EX)
        try:
            yield lock
        finally:
            if lock is not None:
                os.close(lock)

    def server_lives(self) -> bool:
        with self.server_lock() as lock:
            return lock is None

    def join(self) -> int | None:
        """A descriptor that counts this process among the users, or None while the last one is leaving."""
        return _try_lock(self.path / "clients.lock", fcntl.LOCK_SH)

    @staticmethod
    def is_last(membership: int) -> bool:
        """Turn a membership into the exclusive lock; of any number that leave at once, exactly one succeeds.

        ``flock(2)``: a conversion first gives up the old lock, and a failed one does not take it back. So the
        membership is gone either way, which is what a leaver wants.
        """
        try:
            fcntl.flock(membership, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def clear_stale_socket(self) -> None:
        """Remove what a killed server left behind. Call it only with the server lock in hand.

        Raises :class:`EmbeddedServerError` when something that is not ours listens there, or is not a socket.
        """
        deadline = time.monotonic() + _DYING_LISTENER
        while self._somebody_listens():
            # A dying server may give up its lock an instant before its socket.
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"Another server, not started for {self.path}, listens at {self.socket}. "
                    "Stop it, or choose another data folder."
                )
            time.sleep(0.02)
        self.socket.unlink(missing_ok=True)

    def remove_socket_folder(self) -> None:
        """Remove the folder outside the data folder that was made for the socket, if there is one and it is empty."""
        if self.socket.parent != self.path:
            with contextlib.suppress(OSError):
                self.socket.parent.rmdir()

    def _somebody_listens(self) -> bool:
        try:
            if not stat.S_ISSOCK(self.socket.lstat().st_mode):
                raise EmbeddedServerError(
                    f"{self.socket} is in the way: it is not a socket. Move it elsewhere."
                )
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(_DYING_LISTENER)
                probe.connect(str(self.socket))
        except (FileNotFoundError, ConnectionError):
            return False
        return True


def _try_lock(path: Path, operation: int) -> int | None:
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EmbeddedServerError(
            f"{path} cannot be written: {error.strerror}. Change the permissions, or choose another data folder."
        ) from error
    try:
        fcntl.flock(lock, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    except OSError as error:
        os.close(lock)
        raise EmbeddedServerError(
            f"{path} cannot be locked: {error.strerror}. Choose a data folder on a local disk."
        ) from error
    return lock


def _make_private(path: Path) -> None:
    status = path.stat()
    if status.st_mode & stat.S_ISVTX:
        raise EmbeddedServerError(
            f"{path} is shared by all users. Choose a folder inside it as the data folder."
        )
    if os.geteuid() not in (0, status.st_uid):
        raise EmbeddedServerError(
            f"The data folder {path} belongs to user {status.st_uid}, not to this user ({os.geteuid()}). "
            "Run as its owner, or choose another data folder."
        )
    if status.st_mode & 0o077:
        path.chmod(0o700)


def _socket_path(folder: Path) -> Path:
    """Inside the folder where that is short enough, else a short one that every process of the folder agrees on."""
    inside = folder / "redis.sock"
    if _fits(inside):
        return inside
    place = _noted_place(folder)
    if place is None:
        name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        place = Path(tempfile.gettempdir()).resolve() / f"embedded-redis-{os.geteuid()}-{name}" / "redis.sock"
    if not _fits(place):
        raise EmbeddedServerError(
            f"The path of the data folder is too long for a socket ({inside}), and so is that of the folder "
            f"for temporary files ({place}). Choose a data folder with a shorter path."
        )
    _make_socket_folder(place.parent)
    _note_place(folder, place)
    return place


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= MAX_SOCKET_PATH


def _make_socket_folder(folder: Path) -> None:
    """Others may write to the parent, so trust nothing that is already there but a closed folder of our own."""
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    safe = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077
    if not safe:
        raise EmbeddedServerError(
            f"{folder} is not a folder that only this user can enter, so the socket cannot be put there. "
            "Remove it, or choose a data folder with a shorter path."
        )


def _noted_place(folder: Path) -> Path | None:
    """What an earlier process chose: its folder for temporary files may differ from ours."""
    try:
        match json.loads((folder / _SOCKET_PLACE).read_text()):
            case {"folder": noted, "socket": str(place)} if noted == str(folder):
                return Path(place)
    except (OSError, ValueError):
        pass
    return None  # none yet, unreadable, or it came along with a copy of another folder


def _note_place(folder: Path, place: Path) -> None:
    draft = folder / f"{_SOCKET_PLACE}.{os.getpid()}"
    draft.write_text(json.dumps({"folder": str(folder), "socket": str(place)}))
    draft.replace(folder / _SOCKET_PLACE)
