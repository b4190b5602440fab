"""What the demo model says when no tool fits, and what it makes of what the tools said."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from harness_core.runtime.demo.choosing import Missing, Tool
from harness_core.runtime.demo.rehearsal import Call

_GREETING = re.compile(r"^(?:hi|hello|hey|good (?:morning|afternoon|evening)|moin|howdy)\b", re.IGNORECASE)
_THANKS = re.compile(r"^(?:thanks|thank you|thx|cheers)\b", re.IGNORECASE)
_ABILITIES = re.compile(
    r"\bwhat (?:can|do|could) you (?:do|offer)\b|\bwho are you\b|\bwhat are you\b|\bhow (?:can|do) you help\b|^help\b",
    re.IGNORECASE,
)
_MEMORY = re.compile(
    r"\bwhat (?:did|have|was|were) (?:i|we|my)\b.*\b(?:ask|asked|say|said|question|questions|message|talk|discuss)"
    r"|\bdo you remember\b|\bmy (?:first|last|previous|earlier) (?:question|message)\b",
    re.IGNORECASE,
)
_WHICH = re.compile(r"^Which ([\w ]+) do you mean\? I need it for \*\*([\w-]+)\*\*\.$")
_ALARMING = re.compile(
    r"error|timeout|timed out|exhaust|fail|degraded|slow|critical|warn|unavailable|refused|roll(?:ed)? ?back|"
    r"saturat|leak|\b5\d\d\b",
    re.IGNORECASE,
)
_LINES = 6  # lines of one tool's result that are quoted
_STANDING_OUT = 3


def small_talk(question: str, earlier: Sequence[str], system: str, tools: Sequence[Tool]) -> str | None:
    """The answer to a greeting, to thanks, and to questions about the model or the conversation itself."""
    if _MEMORY.search(question):
        return _recall(question, earlier)
    if _ABILITIES.search(question):
        return abilities(system, tools)
    if _GREETING.match(question) and len(question.split()) <= 5:
        return f"Hello! {abilities(system, tools)}"
    if _THANKS.match(question) and len(question.split()) <= 6:
        return "You are welcome."
    return None


def abilities(system: str, tools: Sequence[Tool]) -> str:
    """What one can ask for."""
    role = system.strip().split("\n")[0].strip()
    part = f", and this is my part: “{role}”" if role else "."
    intro = f"I am the built-in demo model{part}"
    if not tools:
        return f"{intro} I have no tools here, so I can only talk."
    listed = "\n".join(f"- **{tool.name}**: {tool.summary or 'no description'}" for tool in tools)
    return f"{intro} I can use:\n\n{listed}"


def no_match(question: str, tools: Sequence[Tool]) -> str:
    """The honest answer when no rule fits."""
    shown = question if len(question) <= 200 else f"{question[:199]}…"
    hint = (
        f"Ask about something my tools know: {', '.join(tool.name for tool in tools)}."
        if tools
        else "A real model would answer this; name one in the workspace."
    )
    return f"You said: “{shown}” I am the built-in demo model and follow simple rules. {hint}"


def which(missing: Missing) -> str:
    """The question back when a needed argument is not in the text."""
    return f"Which {missing.argument.replace('_', ' ')} do you mean? I need it for **{missing.tool}**."


def awaited(messages: Sequence[BaseMessage]) -> Missing | None:
    """The argument that the model asked back for just before the current question."""
    said = [message for message in messages if isinstance(message, HumanMessage | AIMessage)]
    match = _WHICH.search(text_of(said[-2])) if len(said) > 1 and isinstance(said[-2], AIMessage) else None
    return Missing(match[2], match[1].replace(" ", "_")) if match else None


def announcement(calls: Sequence[Call]) -> str:
    """What is said before the calls."""
    names = [call.tool.replace("_", " ") for call in calls]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    about = sorted(
        {str(value) for call in calls for value in call.arguments.values() if isinstance(value, str)}
    )
    return f"Let me look: {listed}{' for ' + ', '.join(about) if about else ''}."


def summary(turn: Sequence[BaseMessage]) -> str:
    """An answer made of what the tools said in this turn."""
    results = [message for message in turn if isinstance(message, ToolMessage)]
    failed = [message for message in results if message.status == "error"]
    answered = [message for message in results if message.status != "error"]
    parts: list[str] = []
    alarming = _standing_out(answered)
    if alarming:
        parts.append("What stands out:\n\n" + "\n".join(f"- {line}" for line in alarming))
    elif answered and len(results) > 1:
        parts.append("Nothing looks wrong in what I found.")
    parts += [f"**{message.name}**\n{_quoted(message)}" for message in answered]
    parts += [f"**{message.name}** could not answer: {_first_line(message.text)}" for message in failed]
    return "\n\n".join(parts)


def text_of(message: BaseMessage) -> str:
    return str(message.text)


def earlier_questions(messages: Sequence[BaseMessage]) -> list[str]:
    """What the person wrote before the current question."""
    asked = [text_of(message).strip() for message in messages if isinstance(message, HumanMessage)]
    return asked[:-1]


def instructions(messages: Sequence[BaseMessage]) -> str:
    return "\n".join(text_of(message) for message in messages if isinstance(message, SystemMessage))


def current_turn(messages: Sequence[BaseMessage]) -> tuple[str, Sequence[BaseMessage]]:
    """The newest question, and what happened since."""
    for index in range(len(messages) - 1, -1, -1):
        if isinstance(messages[index], HumanMessage):
            return text_of(messages[index]).strip(), messages[index + 1 :]
    return "", messages


def replies(turn: Sequence[BaseMessage]) -> int:
    """How often the model has spoken in this turn."""
    return sum(isinstance(message, AIMessage) for message in turn)


def _recall(question: str, earlier: Sequence[str]) -> str:
    if not earlier:
        return "This is the first thing you asked me here."
    if "first" in question.casefold():
        return f"Your first message was: “{earlier[0]}”"
    if re.search(r"\b(?:last|previous)\b", question, re.IGNORECASE):
        return f"Before this you asked: “{earlier[-1]}”"
    return "Earlier you asked:\n\n" + "\n".join(f"{number}. {text}" for number, text in enumerate(earlier, 1))


def _standing_out(results: Sequence[ToolMessage]) -> list[str]:
    lines = (
        f"{line} ({message.name})"
        for message in results
        for line in _readable(message.text)
        if _ALARMING.search(line)
    )
    return list(dict.fromkeys(lines))[:_STANDING_OUT]


def _quoted(message: ToolMessage) -> str:
    lines = _readable(message.text)
    more = f"\n- … and {len(lines) - _LINES} more" if len(lines) > _LINES else ""
    return "\n".join(f"- {line}" for line in lines[:_LINES]) + more


def _readable(text: str) -> list[str]:
    try:
        value = json.loads(text)
    except ValueError:
        return [line.strip(" -") for line in text.splitlines() if line.strip(" -")] or ["(nothing)"]
    return _flat(value) or ["(nothing)"]


def _flat(value: Any) -> list[str]:
    match value:
        case dict():
            return [f"{key}: {_inline(item)}" for key, item in value.items()]
        case list():
            return [_inline(item) for item in value]
        case _:
            return [_inline(value)]


def _inline(value: Any) -> str:
    match value:
        case dict():
            return ", ".join(f"{key} {_inline(item)}" for key, item in value.items())
        case list():
            return ", ".join(map(_inline, value))
        case _:
            return str(value)


def _first_line(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "it said nothing")
