"""Results of tools: made fit for a checkpoint and for a model's eyes, and kept in the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import ToolMessage
from langgraph.types import Command

from harness_core.canonical import canonical_json
from harness_core.errors import StoreError
from harness_core.redaction import redact
from harness_core.runtime.checkpointer.envelope import Envelope, strict_serde
from harness_core.runtime.tools import BoundTool
from harness_core.store import Seal

Result = ToolMessage | Command[Any]

OUTPUT_LIMIT = 64 * 1024
"""Bytes of a tool's output that the model gets to read."""

REASON_LENGTH = 500

# Only its serializer is used: the journal seals what it stores by itself.
_envelope = Envelope(Seal(bytes(32)), strict_serde())


class Unkeepable(Exception):
    """A result that holds what could not be read back; says of which type."""


def pack(result: Result) -> bytes:
    """``result`` as bytes for the journal.

    :raises Unkeepable: it could not be read back as itself.
    """
    try:
        tag, data = _envelope.dump(result, "result")
    except (StoreError, TypeError, ValueError) as error:
        raise Unkeepable(str(error)) from error
    return tag.encode() + b"\0" + data


def unpack(stored: bytes) -> Result:
    """The result that :func:`pack` wrote.

    :raises StoreError: the bytes are something else.
    """
    tag, _, data = stored.partition(b"\0")
    result = _envelope.load(tag.decode(), data, "result")
    if not isinstance(result, ToolMessage | Command):
        raise StoreError(f"the journal holds a {type(result).__name__} in the place of a result")
    return result


def fitted(result: Result, tool: BoundTool, arguments: Mapping[str, Any]) -> Result:
    """``result`` as the model may get it: errors without secrets, artifacts only where they are JSON and not long."""
    if not isinstance(result, ToolMessage):
        return _named(result, tool.name)
    content: Any = result.content
    if result.status == "error":
        content = _without(tool.secrets(arguments), content)
    return result.model_copy(update={"content": content, "artifact": _plain(result.artifact)})


def prefixed(result: Result, note: str) -> Result:
    """``result`` with a sentence before it that the model must know."""
    if not isinstance(result, ToolMessage):
        return result
    content: Any = result.content
    if isinstance(content, str):
        return result.model_copy(update={"content": f"{note}\n{content}"})
    return result.model_copy(update={"content": [{"type": "text", "text": note}, *content]})


def failure(error: Exception, tool: BoundTool, arguments: Mapping[str, Any]) -> str:
    """What a tool's exception says, without secrets."""
    text = tool.clean(str(error).strip(), arguments)
    kind = type(error).__name__
    said = f"{kind}: {text}" if text else kind
    return said if len(said) <= REASON_LENGTH else f"{said[: REASON_LENGTH - 1]}…"


def given_up(tool: BoundTool, arguments: Mapping[str, Any], limit: float) -> str:
    """What is said of a call that took longer than ``limit``, in seconds."""
    return f"“{tool.title(arguments)}” took longer than {limit:g} s and was given up."


def _without(secrets: Sequence[str], content: Any) -> Any:
    """The content of a message, its texts without secrets."""
    match content:
        case str():
            return redact(content, secrets)
        case list():
            return [_without(secrets, block) for block in content]
        case {"type": "text", "text": str(text)}:
            return {**content, "text": redact(text, secrets)}
        case _:
            return content


def _named(result: Command[Any], name: str) -> Command[Any]:
    """A tool's own update of the state, its message under the name of the tool: some leave it out."""
    if not isinstance(result.update, dict) or not isinstance(messages := result.update.get("messages"), list):
        return result
    named = [
        each.model_copy(update={"name": each.name or name, "artifact": _plain(each.artifact)})
        if isinstance(each, ToolMessage)
        else each
        for each in messages
    ]
    update = {**result.update, "messages": named}
    return Command(graph=result.graph, goto=result.goto, resume=result.resume, update=update)


def _plain(artifact: Any) -> Any:
    """An artifact that can be kept in a checkpoint, or None: other objects could not be read back, and longer ones
    than a model's share would be written with every step, for nobody to read.
    """
    try:
        size = len(canonical_json(artifact))
    except (TypeError, ValueError):
        return None
    return artifact if size <= OUTPUT_LIMIT else None
