"""Outputs of tools that are too long for a model to read at once: it gets the beginning, and a way to the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware
from langchain.agents.middleware.types import ModelRequest, ModelResponse
from langchain.tools import ToolRuntime
from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.types import Command
from pydantic import BaseModel, Field

from harness_core.errors import SealBroken
from harness_core.models import Fence
from harness_core.runtime.checkpointer import FENCE
from harness_core.runtime.results import OUTPUT_LIMIT, Result
from harness_core.runtime.tools import BoundTool
from harness_core.store import OutputRepository
from harness_core.workspace import READ_ON, ToolSpec

BLOCKS_LIMIT = 1024 * 1024
"""Characters of a tool's output that are not text: pictures, files and the like, as the model's provider gets them."""

_PIECE = OUTPUT_LIMIT - 1024  # of a stored output, so that a piece of it is not too long itself
_NAME = 24  # characters of a call's key that tell its output from others of the run
_SPEC = ToolSpec(name=READ_ON, label="Reading on in a long output", title="Read on", idempotent=True)


async def shortened(outputs: OutputRepository, fence: Fence, key: str, result: Result) -> Result:
    """``result`` with its text cut to what a model may read, and without pictures and files that are too large. The
    text that is cut is kept, while the run's share lasts.

    :raises StaleFence: the lease is gone.
    """
    match result:
        case ToolMessage():
            content = await _Cutting(outputs, fence, key).of(result.content)
            return result if content is result.content else result.model_copy(update={"content": content})
        case Command(update=dict() as update) if isinstance(messages := update.get("messages"), list):
            fitted = [
                await shortened(outputs, fence, f"{key[:_NAME]}-{index}", each)
                if isinstance(each, ToolMessage)
                else each
                for index, each in enumerate(messages)
            ]
            return Command(
                graph=result.graph,
                goto=result.goto,
                resume=result.resume,
                update={**update, "messages": fitted},
            )
        case _:
            return result


class _Cutting:
    """Cuts the text of one result, and leaves out what else is in it and takes too much room."""

    def __init__(self, outputs: OutputRepository, fence: Fence, key: str) -> None:
        self._outputs = outputs
        self._fence = fence
        self._name = key[:_NAME]

    async def of(self, content: str | list[Any]) -> str | list[Any]:
        if isinstance(content, str):
            return await self._text(content)
        texts = [text for block in content if (text := _text_of(block)) is not None]
        long = sum(len(text.encode(errors="replace")) for text in texts) > OUTPUT_LIMIT
        kept = [block for block in content if not long or _text_of(block) is None]
        left_out = _too_much(kept)
        if not long and not left_out:
            return content
        # The texts become one, so that there is one place to read on from.
        begin = [{"type": "text", "text": await self._text("\n".join(texts))}] if long else []
        rest = [block if index not in left_out else _text_of(block) for index, block in enumerate(kept)]
        return [*begin, *(block for block in rest if block), *_note(kept[index] for index in left_out)]

    async def _text(self, text: str) -> str:
        data = text.encode(errors="replace")
        if len(data) <= OUTPUT_LIMIT:
            return text
        shown = data[:OUTPUT_LIMIT].decode(errors="ignore")
        size = len(shown.encode())
        reference = await self._outputs.keep(self._fence, f"{self._name}-1", data)
        note = f"The output was cut: {size} of {len(data)} bytes are shown."
        if reference is None:
            return f"{shown}\n[{note} The rest was not kept: this run has kept all it may.]"
        return f'{shown}\n[{note} Read on with {READ_ON}(reference="{reference}", offset={size}).]'


def _text_of(block: Any) -> str | None:
    match block:
        case str(text) | {"type": "text", "text": str(text)}:
            return text
        case _:
            return None


def _too_much(blocks: Sequence[Any]) -> list[int]:
    """Which ones take more room, apart from their text, than is left by those before them."""
    room, found = BLOCKS_LIMIT, []
    for index, block in enumerate(blocks):
        size = len(str(block)) - len(_text_of(block) or "")
        if size > room:
            found.append(index)
        else:
            room -= size
    return found


def _note(left_out: Iterable[Any]) -> list[dict[str, str]]:
    kinds = [str(block.get("type", "part"))[:20] if isinstance(block, dict) else "part" for block in left_out]
    if not kinds:
        return []
    what = ", ".join([*kinds[:5], *(["…"] if len(kinds) > 5 else [])])
    return [{"type": "text", "text": f"[Left out, because it is too large: {what}.]"}]


class _Where(BaseModel):
    """Which output, and where to read on."""

    reference: str = Field(description="What the note at the end of the cut output names.")
    offset: int = Field(default=0, ge=0, description="How many bytes to skip.")


class StoredOutputs(AgentMiddleware[Any, Any]):
    """Brings the tool that reads on in a cut output, and shows it to the model only when one was cut."""

    def __init__(self, outputs: OutputRepository) -> None:
        super().__init__()
        self._outputs = outputs
        self.tools: list[BaseTool] = [
            StructuredTool(
                name=READ_ON,
                description="Read on in an output of a tool that was too long to show at once.",
                args_schema=_Where,
                func=None,
                coroutine=self._read,
            )
        ]

    def bound(self) -> BoundTool:
        """The tool as the gate knows it: it changes nothing."""
        return BoundTool(spec=_SPEC, tool=self.tools[0], stays_inside=True)

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any]:
        if not any(
            isinstance(each, ToolMessage) and READ_ON in str(each.text)[-300:] for each in request.messages
        ):
            tools = [
                tool for tool in request.tools if not (isinstance(tool, BaseTool) and tool.name == READ_ON)
            ]
            request = request.override(tools=tools)
        return await handler(request)

    async def _read(self, reference: str, runtime: ToolRuntime[Any, Any], offset: int = 0) -> str:
        fence = runtime.config.get("configurable", {}).get(FENCE)
        data = None
        if isinstance(fence, Fence):
            try:
                data = await self._outputs.read(fence.tenant, fence.thread_id, reference)
            except SealBroken:  # it is from another conversation
                data = None
        if data is None:
            return f"There is no stored output {reference} in this conversation."
        while offset < len(data) and data[offset] & 0xC0 == 0x80:  # within a character
            offset += 1
        piece = data[offset : offset + _PIECE].decode(errors="ignore")
        end = offset + len(piece.encode())
        more = f' Read on with {READ_ON}(reference="{reference}", offset={end}).' if end < len(data) else ""
        return f"{piece}\n[Bytes {offset} to {end} of {len(data)}.{more}]"
