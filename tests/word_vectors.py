"""A model of meaning that fits on a page: words of one kin point the same way, other words each their own way.

Enough to tell a search by meaning from one by words, and the same on every machine.
"""

from __future__ import annotations

import hashlib
import re

KIN = (
    "car automobile vehicle drive truck",
    "deploy release rollout ship launch",
    "food lunch dinner meal eat pizza restaurant hungry",
    "holiday vacation leave away off absent",
    "database postgres storage table sql",
    "cat dog pet animal",
)
OTHERS = 58

_OF = {word: index for index, kin in enumerate(KIN) for word in kin.split()}


def word_vector(text: str) -> list[float]:
    """64 numbers: one for each kin, and one for each drawer that other words fall into."""
    vector = [0.0] * (len(KIN) + OTHERS)
    for word in re.findall(r"[a-z]+", text.casefold()):
        kin = _OF.get(word) if word in _OF else _OF.get(word.removesuffix("s"))
        if kin is not None:
            vector[kin] += 1.0
        else:
            vector[len(KIN) + hashlib.sha256(word.encode()).digest()[0] % OTHERS] += 0.2
    return vector
