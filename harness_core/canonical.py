"""Canonical JSON and hashes: one spelling for equal values, so that a hash can stand for them."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> bytes:
    """``value`` as UTF-8 JSON with sorted keys and no spaces.

    :raises ValueError: for NaN and infinities, which JSON cannot spell.
    :raises TypeError: for anything that is not JSON.
    """
    return json.dumps(
        value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    ).encode()


def digest(*parts: bytes | str) -> str:
    """SHA-256 over the parts, hex. Each part is prefixed by its length, so no two lists collide."""
    sha = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        sha.update(len(raw).to_bytes(8, "big"))
        sha.update(raw)
    return sha.hexdigest()


def digest_of(value: Any) -> str:
    """SHA-256 over the canonical JSON of ``value``, hex."""
    return digest(canonical_json(value))
