"""Finding items: what a filter lets through, how near words and meanings are, and vectors as bytes."""

from __future__ import annotations

import math
import operator
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness_core.canonical import digest

_WORD = re.compile(r"\w+")
_ENDINGS = ("ing", "ed", "es", "s")
_MARK = 8  # bytes that tell which model made the vectors
_COUNT = 4
_COMPARE = {
    "$eq": operator.eq,
    "$ne": operator.ne,
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}


def passes(value: Mapping[str, Any], wanted: Mapping[str, Any] | None) -> bool:
    """Whether ``value`` has what a filter asks for: equal values, nested ones too, or ``{"$gt": 3}`` and the like.

    :raises ValueError: an operator that does not exist.
    """
    return all(_fits(value.get(key), want) for key, want in (wanted or {}).items())


def by_words(query: str, texts: Sequence[Sequence[str]]) -> list[float]:
    """For each item, given as its texts, how much of the query it says: from 0 to 1. Rare words count more."""
    said = [_stems(" ".join(each)) for each in texts]
    asked = _stems(query)
    common = Counter(word for each in said for word in asked & each)
    weight = {word: math.log(1 + len(said) / (1 + common[word])) for word in asked}
    whole = sum(weight.values())
    return [sum(weight[word] for word in asked & each) / whole if whole else 0.0 for each in said]


def by_meaning(query: Sequence[float], vectors: Sequence[Sequence[float]]) -> float:
    """The cosine of the nearest of an item's vectors. Those are of length one, see :func:`pack`."""
    length = math.sqrt(sum(map(operator.mul, query, query))) or 1.0
    return max((sum(map(operator.mul, query, each)) / length for each in vectors), default=-1.0)


def pack(vectors: Iterable[Sequence[float]], model: str) -> bytes:
    """Vectors as bytes, each brought to length one, under the mark of the model that made them."""
    units = [_unit(each) for each in vectors]
    body = array("f", [number for unit in units for number in unit])
    return _mark(model) + len(units).to_bytes(_COUNT, "big") + body.tobytes()


def unpack(packed: bytes, model: str) -> list[Sequence[float]] | None:
    """What :func:`pack` packed; None when another model made it, or nothing did."""
    if packed[:_MARK] != _mark(model):
        return None
    count = int.from_bytes(packed[_MARK : _MARK + _COUNT], "big")
    numbers = array("f")
    numbers.frombytes(packed[_MARK + _COUNT :])
    size = len(numbers) // count if count else 0
    return [numbers[start : start + size] for start in range(0, size * count, size or 1)]


def _fits(found: Any, wanted: Any) -> bool:
    match wanted:
        case dict() if any(key.startswith("$") for key in wanted):
            return all(_compares(found, sign, bound) for sign, bound in wanted.items())
        case dict():
            return isinstance(found, Mapping) and passes(found, wanted)
        case list() | tuple():
            return isinstance(found, list) and found == list(wanted)
        case _:
            return bool(found == wanted)


def _compares(found: Any, sign: str, bound: Any) -> bool:
    if sign not in _COMPARE:
        raise ValueError(f"a filter has no operator {sign}; it knows {', '.join(_COMPARE)}")
    try:
        return bool(_COMPARE[sign](found, bound))
    except TypeError:
        return False  # a number and a text are not in order


def _stems(text: str) -> frozenset[str]:
    return frozenset(map(_stem, _WORD.findall(text.casefold())))


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


def _unit(vector: Sequence[float]) -> list[float]:
    length = math.sqrt(sum(map(operator.mul, vector, vector)))
    return [number / length for number in vector] if length else list(vector)


def _mark(model: str) -> bytes:
    return bytes.fromhex(digest("vectors", model))[:_MARK]
