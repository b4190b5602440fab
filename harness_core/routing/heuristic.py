"""A guess between two agents, where one is for quick answers and the other for thorough work."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from harness_core.workspace import AgentSpec

_QUICK: Final = frozenset(["brief", "fast", "light", "lightweight", "quick", "quickly", "short", "simple"])
_DEEP: Final = frozenset(
    ["analysis", "analyst", "deep", "deeply", "in-depth", "investigate", "research", "researcher", "thorough"]
)
_WORDS: Final = re.compile(r"[^\W_]+(?:-[^\W_]+)*")

_THOROUGH: Final = re.compile(
    r"\b(?:analy[sz]e|analysis|compare|comparison|deep dive|evaluate|in depth|in detail|investigate|investigation|"
    r"pros and cons|report on|research|root cause|step by step|survey|trade-?offs?|write up)\b",
    re.IGNORECASE,
)
_SHORT: Final = 12
"""Words up to which a message without any such sign is a quick question."""

_LONG: Final = 80
"""Words from which a message is thorough work by its length alone."""


def quick_or_deep(hosts: Sequence[AgentSpec], text: str) -> str | None:
    """The agent that fits ``text``, when there are exactly two hosts and their names and descriptions say which is which.

    Sure of itself or silent: None where the two are not told apart, and for a message that could be either.
    """
    if len(hosts) != 2:
        return None
    roles = {_role(host): host.name for host in hosts}
    if roles.keys() != {"quick", "deep"}:
        return None
    words = len(text.split())
    if _THOROUGH.search(text) or words >= _LONG:
        return roles["deep"]
    return roles["quick"] if 0 < words <= _SHORT else None


def _role(agent: AgentSpec) -> str:
    """``quick`` or ``deep``; empty when there is no sign, or signs of both. The name counts before the description."""
    for text in (agent.name.replace("_", " "), agent.description):
        words = {word.casefold() for word in _WORDS.findall(text)}
        parts = words | {part for word in words for part in word.split("-")}
        quick, deep = bool(parts & _QUICK), bool(parts & _DEEP)
        if quick != deep:
            return "quick" if quick else "deep"
        if quick:
            return ""
    return "deep" if agent.mode == "deepagent" else ""
