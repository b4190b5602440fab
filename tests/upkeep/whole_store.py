"""Everything a Redis holds, opened: what is sealed is deciphered without asking whose it is."""

from __future__ import annotations

import contextlib
import hashlib
import re
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from harness_core.store import Store

_HEADER = 17  # version, key id, nonce
_TAG = 16


async def contents(store: Store) -> dict[str, list[bytes]]:
    """Every key with all its fields, members and values."""
    return {key: await _parts(store.client, key) async for key in _keys(store)}


async def traces(store: Store, key: bytes, *needles: str) -> dict[str, list[str]]:
    """Which of ``needles`` stand where: by key, in its name, in the clear or under the seal of ``key``."""
    found: dict[str, list[str]] = {}
    for name, parts in (await contents(store)).items():
        texts = [name.encode(), *parts, *(opened for part in parts for opened in _opened(part, key))]
        seen = [each for each in needles if any(_spelt(each, text) for text in texts)]
        if seen:
            found[name] = seen
    return found


async def _keys(store: Store) -> AsyncIterator[str]:
    async for key in store.client.scan_iter(count=1000):
        yield key.decode()


async def _parts(client: Any, key: str) -> list[bytes]:
    kind = (await client.type(key)).decode()
    match kind:
        case "string":
            return [await client.get(key)]
        case "hash":
            return [part for row in (await client.hgetall(key)).items() for part in row]
        case "list":
            return list(await client.lrange(key, 0, -1))
        case "set":
            return list(await client.smembers(key))
        case "zset":
            return list(await client.zrange(key, 0, -1))
    assert kind == "none", f"{key} is a {kind}, which nobody looks into"
    return []


def _spelt(needle: str, text: bytes) -> bool:
    """Whether it is in there, plain or as keys spell it; a short one only as a word, or chance would find it."""
    spellings = {re.escape(each) for each in (needle, quote(needle, safe=""))}
    word = "|".join(spellings)
    pattern = rf"(?<![0-9A-Za-z])(?:{word})(?![0-9A-Za-z])" if len(needle) < 6 else word
    return re.search(pattern.encode(), text) is not None


def _opened(value: bytes, key: bytes) -> Iterator[bytes]:
    """What is under every seal in ``value``. Which place it was sealed for does not matter to a reader with the key:
    GCM enciphers as CTR does, from block 2 on."""
    mark = b"\x01" + hashlib.sha256(b"key id" + key).digest()[:4]
    start = value.find(mark)
    while start >= 0:
        nonce, sealed = value[start + 5 : start + _HEADER], value[start + _HEADER : -_TAG]
        reader = Cipher(AES(key), CTR(nonce + (2).to_bytes(4, "big"))).decryptor()
        opened = reader.update(sealed) + reader.finalize()
        yield opened
        with contextlib.suppress(zlib.error):
            yield zlib.decompress(opened)
        start = value.find(mark, start + 1)
