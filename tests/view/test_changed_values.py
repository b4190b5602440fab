from __future__ import annotations

import html
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.view.request_blocks import change_line

_QUERY = "SELECT name, price FROM orders WHERE state = 'open' AND total > 100 AND x='x';"
_value = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(st.sampled_from('a <&"\\\n'), max_size=80),
    st.sampled_from(["nothing", "null", _QUERY]),
    st.lists(st.sampled_from(["a", "b" * 70])),
)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("staging", "prod", "staging → prod"),
        (
            _QUERY,
            f"{_QUERY} DROP TABLE orders;",
            "…tal > 100 AND x='x'; → …tal > 100 AND x='x'; DROP TABLE orders;",
        ),
        (
            f"{'a' * 100}1{'b' * 100}",
            f"{'a' * 100}2{'b' * 100}",
            f"…{'a' * 20}1{'b' * 37}… → …{'a' * 20}2{'b' * 37}…",
        ),
        ("&" * 100 + "1", "&" * 100 + "2", f"…{'&' * 20}1 → …{'&' * 20}2"),
        (None, "nothing", 'nothing → "nothing"'),
        ("rm -rf  /tmp", "rm -rf /tmp", "rm -rf␣␣/tmp → rm -rf /tmp"),
        (_QUERY, f"{_QUERY} ", "…tal > 100 AND x='x';\" → …tal > 100 AND x='x'; \""),
    ],
)
def test_a_change_shows_the_first_difference_however_late_it_comes(
    before: Any, after: Any, told: str
) -> None:
    assert html.unescape(change_line("query", before, after)) == f"query: {told}"


@given(_value, st.text(st.sampled_from('a <&"\\\n'), max_size=80), _value)
def test_two_different_values_never_look_alike(before: Any, common: str, after: Any) -> None:
    if isinstance(before, str) and isinstance(after, str):
        before, after = common + before, common + after
    was, _, is_now = change_line("x", before, after).removeprefix("x: ").partition(" → ")
    assert (was == is_now) == (before == after and isinstance(before, bool) == isinstance(after, bool))
