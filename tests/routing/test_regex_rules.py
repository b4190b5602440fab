"""Rules with a regular expression: what they match, and that no text holds them up."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness_core.patterns import Pattern, pattern_problem
from harness_core.routing import Request, select_agent
from harness_core.workspace import Workspace, load_workspace

HOSTILE = "(a*)*b|(a|a)*c|(x+x+)+y"


def workspace(folder: Path, pattern: str) -> Workspace:
    text = f"""\
kind: Model
name: fast
provider: demo
model: demo
---
{{kind: Agent, name: ops, model: fast}}
---
{{kind: Agent, name: other, model: fast}}
---
kind: Runtime
routing: {{default_agent: ops, rules: [{{when: {{regex: '{pattern}'}}, agent: other}}]}}
"""
    (folder / "all.yaml").write_text(text, encoding="utf-8")
    return load_workspace(folder, {})


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (r"^deploy (\w+)$", "Deploy web", True),
        (r"^deploy (\w+)$", "please deploy web", False),
        (r"INC-\d{4}", "see inc-1234", True),
        (r"(?-i)INC-\d{4}", "see inc-1234", False),
        (r"straße", "Hauptstraße 5", True),
        (r"\bgrüß", "GRÜSSE", False),
        (r"^$", "", True),
        (r"x", "half a character \ud800 x", True),
    ],
)
def test_a_pattern_is_looked_for_anywhere_and_in_any_case(
    tmp_path: Path, pattern: str, text: str, matches: bool
) -> None:
    chosen = select_agent(workspace(tmp_path, pattern), Request(text=text))
    assert chosen.step == ("rule" if matches else "default")


def test_a_pattern_that_would_take_others_for_ever_takes_no_time(tmp_path: Path) -> None:
    space = workspace(tmp_path, HOSTILE)
    text = "a" * 50_000 + "x" * 50_000
    began = time.perf_counter()
    assert select_agent(space, Request(text=text)).step == "default"
    assert time.perf_counter() - began < 1.0


@pytest.mark.parametrize(
    "pattern", ["(?=a)", "(?<!a)b", r"(a)\1", "a{2000}", "((a{100}){100}){100}", "[", "(", "a**"]
)
def test_a_pattern_that_needs_backtracking_or_too_much_memory_is_refused(pattern: str) -> None:
    assert pattern_problem(pattern)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_pattern_is_refused_or_runs_on_any_text(pattern: str, text: str) -> None:
    if pattern_problem(pattern) is None:
        assert Pattern(pattern).found_in(text) in (True, False)


def test_spans_are_counted_in_characters_and_empty_ones_are_left_out() -> None:
    assert list(Pattern("b+|x*").spans("äöbb€b")) == [(2, 4), (5, 6)]
