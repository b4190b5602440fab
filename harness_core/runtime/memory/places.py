"""The namespaces of what is remembered. Whose team it is, the store knows by itself."""

from __future__ import annotations

from harness_core.store import Namespace


def label(text: str) -> str:
    """``text`` as a label of a namespace, which must not be empty or hold a dot."""
    return text.replace("%", "%25").replace(".", "%2E") or "%"


def of_person(agent: str, user: str) -> Namespace:
    """Notes of an agent for one person."""
    return "notes", label(agent), "person", label(user)


def for_everybody(agent: str) -> Namespace:
    """Notes of an agent for everybody in the team."""
    return "notes", label(agent), "team"


def of_agent(agent: str) -> Namespace:
    """All notes of an agent."""
    return "notes", label(agent)


def of_threads(agent: str) -> Namespace:
    """What conversations with an agent came to, by thread."""
    return "threads", label(agent)


def files_of(agent: str) -> Namespace:
    """The files of a deep agent that keeps them in the store."""
    return "files", label(agent)
