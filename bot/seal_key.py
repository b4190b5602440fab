"""The key that seals what is stored: given by the operator, or made once beside the embedded Redis."""

from __future__ import annotations

import base64
import binascii
import os
import tempfile
from pathlib import Path
from typing import Final

from bot.errors import SealKeyUnusable
from bot.settings import SEAL_KEY_BYTES, Settings

_FILE: Final = "seal.key"
_OWNER_ONLY: Final = 0o600


def load_seal_key(settings: Settings) -> bytes:
    """The configured key, else the one in the data folder, which is made when there is none.

    Two processes that start at once end up with the same key. Blocks for a file access.

    :raises SealKeyUnusable: with what to do.
    """
    if settings.seal_key is not None:
        return settings.seal_key.get_secret_value()
    path = settings.data / _FILE
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        return _read(path)
    except OSError as error:
        raise SealKeyUnusable(
            f"The key file {path} cannot be used ({error.strerror}): "
            "make the folder writable, or set HARNESS_SEAL_KEY."
        ) from error


def _make(path: Path) -> None:
    """Write a new key beside ``path`` and link it there, so that nobody ever sees half of one."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(os.urandom(SEAL_KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.chmod(_OWNER_ONLY)
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            return  # another process was first, and its key is the key
    finally:
        fresh.unlink()


def _read(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        raise SealKeyUnusable(f"Others may read the key file {path}: run `chmod 600 {path}`.")
    try:
        key = base64.b64decode(path.read_bytes().strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != SEAL_KEY_BYTES:
        raise SealKeyUnusable(
            f"The key file {path} is damaged: put back your copy of it. "
            "What was sealed with the lost key cannot be read; without a copy, choose another HARNESS_DATA."
        )
    return key
