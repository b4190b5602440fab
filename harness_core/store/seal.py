"""Sealing: what is written about a conversation can be read, or moved elsewhere, by nobody without the key.

AES-256-GCM. The associated data is the place of the value (tenant, thread, kind, …), so a value copied to
another place does not open there. Envelope: one version byte, four bytes of key id, twelve of nonce, then
the ciphertext with its tag.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from harness_core.errors import SealBroken

_VERSION = b"\x01"
_KEY_ID = 4
_NONCE = 12
_HEADER = len(_VERSION) + _KEY_ID + _NONCE


class Seal:
    """Seals under ``key``; opens what ``key`` or one of ``older`` sealed. Keys are 32 bytes."""

    def __init__(self, key: bytes, older: Sequence[bytes] = ()) -> None:
        for each in (key, *older):
            if len(each) != 32:
                raise ValueError(f"a seal key has 32 bytes, this one {len(each)}")
        self._id = _key_id(key)
        self._ciphers = {_key_id(each): AESGCM(each) for each in (*older, key)}

    def __repr__(self) -> str:
        return f"Seal(key id {self._id.hex()})"

    def seal(self, data: bytes, *place: str) -> bytes:
        """``data`` sealed for ``place``."""
        nonce = os.urandom(_NONCE)
        header = _VERSION + self._id + nonce
        return header + self._ciphers[self._id].encrypt(nonce, data, _associated(place))

    def open(self, sealed: bytes, *place: str) -> bytes:
        """The data that was sealed for exactly this ``place``.

        :raises SealBroken: unsealed data, an unknown key, another place, or changed bytes.
        """
        if len(sealed) < _HEADER or sealed[:1] != _VERSION:
            raise SealBroken(f"{' / '.join(place)}: the stored value is not sealed")
        cipher = self._ciphers.get(sealed[1 : 1 + _KEY_ID])
        if cipher is None:
            raise SealBroken(f"{' / '.join(place)}: sealed with a key that is not configured")
        try:
            return cipher.decrypt(sealed[1 + _KEY_ID : _HEADER], sealed[_HEADER:], _associated(place))
        except InvalidTag:
            raise SealBroken(f"{' / '.join(place)}: the stored value was changed or moved") from None


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"key id" + key).digest()[:_KEY_ID]


def _associated(place: Sequence[str]) -> bytes:
    encoded = [part.encode() for part in place]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
