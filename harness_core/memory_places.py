"""The namespaces of what is remembered in the long-term store. Whose team it is, the store knows by itself."""

from __future__ import annotations

from typing import TypeAlias

Place: TypeAlias = tuple[str, ...]

NOTES: Place = ("notes",)
THREADS: Place = ("threads",)
FILES: Place = ("files",)


def label(text: str) -> str:
    """``text`` as a label of a namespace, which must not be empty or hold a dot."""
    return text.replace("%", "%25").replace(".", "%2E") or "%"


def of_person(agent: str, user: str) -> Place:
    """Notes of an agent for one person."""
    return *NOTES, label(agent), "person", label(user)


def for_everybody(agent: str) -> Place:
    """Notes of an agent for everybody in the team."""
    return *NOTES, label(agent), "team"


def of_agent(agent: str) -> Place:
    """All notes of an agent."""
    return *NOTES, label(agent)


def of_threads(agent: str) -> Place:
    """What conversations with an agent came to, by thread."""
    return *THREADS, label(agent)


def files_of(agent: str) -> Place:
    """The files of a deep agent that keeps them in the store."""
    return *FILES, label(agent)
