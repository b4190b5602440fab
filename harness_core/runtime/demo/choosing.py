"""Which of the bound tools fit a question, and what to pass them: by matching words, nothing cleverer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness_core.runtime.demo.rehearsal import Call

_MOST_CALLS = 4
_ENOUGH = 3  # points from which a tool counts as meant
_WORD = re.compile(r"[a-z0-9]+")
_TROUBLE = re.compile(
    r"\b(?:why|what(?:'s| is) wrong|slow|down|broken|failing|fails?|errors?|outage|incident|investigate|"
    r"diagnose|unhealthy|latency|timeouts?)\b"
)
_INVESTIGATES = frozenset(
    {"status", "health", "log", "error", "deploy", "deployment", "release", "metric", "latency", "incident",
     "alert", "change", "trace"}
)  # fmt: skip
_SUBJECT = (
    re.compile(r"\bwhy (?:is|are|does|do|did|was|were) (?:the |our |my )?([a-z0-9][\w.-]*)"),
    re.compile(r"\b(?:wrong|up|happening|happened|going on) with (?:the |our |my )?([a-z0-9][\w.-]*)"),
    re.compile(
        r"\bis (?:the |our |my )?([a-z0-9][\w.-]*) (?:slow|down|up|ok|okay|healthy|broken|failing|fine)\b"
    ),
    re.compile(r"\b(?:the|our|my) ([a-z0-9][\w.-]*) (?:service|app|api|job|database)\b"),
    re.compile(r"\b(?:of|for|from|in|on|about|to) (?:the |our |my )?([a-z0-9][\w.-]*)\b"),
    re.compile(r"\b([a-z0-9][\w.-]*)'s\b"),
    re.compile(r"\b(?:check|show|get|find|investigate|diagnose|look up) (?:the |our |my )?([a-z0-9][\w.-]*)"),
)
_GRAMMAR = (
    "a all an and are at be can check could current did do does for from get give have hello help hi how i in is it its "
    "last latest list look me my newest now of on or our please recent show so tell that the there these this to today up us "
    "was we were what when where which who why will with you your"
)
_FREE_TEXT = frozenset({"query", "question", "text", "topic", "keywords", "search", "terms"})
_STOPWORDS = frozenset(_GRAMMAR.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A bound tool as the model sees it."""

    name: str
    description: str
    properties: Mapping[str, Mapping[str, Any]]
    required: frozenset[str]

    @classmethod
    def from_openai(cls, schema: Mapping[str, Any]) -> Tool:
        function = schema["function"]
        parameters = function.get("parameters", {})
        return cls(
            name=function["name"],
            description=function.get("description", ""),
            properties=parameters.get("properties", {}),
            required=frozenset(parameters.get("required", ())),
        )

    @property
    def summary(self) -> str:
        """The first sentence of the description."""
        return self.description.strip().split("\n")[0].rstrip(".")


@dataclass(frozen=True, slots=True)
class Missing:
    """A tool fits, but the question does not say what to pass as ``argument``."""

    tool: str
    argument: str


def choose(question: str, tools: Sequence[Tool]) -> tuple[Call, ...] | Missing:
    """The calls that may answer ``question``; none when no tool fits."""
    asked = question.casefold()
    scores = {tool.name: _score(asked, tool) for tool in tools}
    best = sorted(scores, key=lambda name: -scores[name])[:_MOST_CALLS]
    meant = [tool for tool in tools if tool.name in best and scores[tool.name] >= _ENOUGH]
    calls: list[Call] = []
    missing: Missing | None = None
    for tool in meant:
        arguments = _arguments(asked, tool, tools)
        lacking = sorted(tool.required - arguments.keys())
        if lacking:
            missing = missing or Missing(tool.name, lacking[0])
        else:
            calls.append(Call(tool.name, arguments))
    return missing if missing and not calls else tuple(calls)


def stems(text: str) -> frozenset[str]:
    """The words of ``text`` without their commonest endings."""
    return frozenset(map(_stem, _WORD.findall(text.casefold().replace("_", " "))))


def _stem(word: str) -> str:
    for ending in ("ments", "ment", "ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


def _score(question: str, tool: Tool) -> int:
    asked = stems(question) - _STOPWORDS
    name, described = stems(tool.name) - _STOPWORDS, stems(tool.summary) - _STOPWORDS
    score = 3 * len(asked & name) + len(asked & (described - name))
    if _TROUBLE.search(question) and (name | described) & {_stem(word) for word in _INVESTIGATES}:
        score += 3
    return score


def _arguments(question: str, tool: Tool, tools: Iterable[Tool]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, schema in tool.properties.items():
        value = _value(question, name, schema, tools, needed=name in tool.required)
        if value is not None:
            found[name] = value
    return found


def _value(
    question: str, name: str, schema: Mapping[str, Any], tools: Iterable[Tool], *, needed: bool
) -> Any:
    if named := re.search(rf"\b{re.escape(name.casefold())}\s*[=:]\s*[\"']?([\w.-]+)", question):
        return _typed(named[1], schema)
    if options := schema.get("enum"):
        words = set(re.findall(r"[\w.-]+", question))
        return next((option for option in options if str(option).casefold() in words), None)
    match schema.get("type"):
        case "integer":
            number = re.search(r"\b\d{1,9}\b", question)
            return int(number[0]) if number else None
        case "string" if needed and name in _FREE_TEXT:
            return _keywords(question, tools)
        case "string" if needed:
            return _subject(question, tools)
        case _:
            return None


def _typed(text: str, schema: Mapping[str, Any]) -> Any:
    if schema.get("type") == "integer":
        return int(text) if text.lstrip("-").isdigit() else None
    if schema.get("type") == "boolean":
        return {"true": True, "yes": True, "false": False, "no": False}.get(text)
    return text


def _keywords(question: str, tools: Iterable[Tool]) -> str | None:
    """The words of the question that are neither grammar nor the name of something a tool does."""
    known = _names(tools)
    words = [
        word
        for word in re.findall(r"[\w-]+", question)
        if word not in _STOPWORDS and _stem(word) not in known
    ]
    return " ".join(words) or None


def _names(tools: Iterable[Tool]) -> frozenset[str]:
    return frozenset[str]().union(*(stems(tool.name) for tool in tools))


def _subject(question: str, tools: Iterable[Tool]) -> str | None:
    """What the question is about: a word that is neither grammar nor the name of something a tool does."""
    known = _names(tools)
    for pattern in _SUBJECT:
        for match in pattern.finditer(question):
            word = match[1].rstrip(".-")
            if word not in _STOPWORDS and _stem(word) not in known and not word.isdigit():
                return word
    return None
