"""Running turns and reading what comes out."""

from __future__ import annotations

from collections.abc import Sequence

from harness_core.models import Fence
from harness_core.runtime import AgentRuntime, Chunk, ContentChunk, TakenBackChunk, ToolResultChunk, Turn
from harness_core.runtime.history import PARAGRAPH


async def run(
    runtime: AgentRuntime,
    fence: Fence,
    text: str | None,
    *,
    name: str = "ops",
    into: list[Chunk] | None = None,
) -> list[Chunk]:
    """The chunks of one turn; without a text, of going on from the checkpoint. ``into`` keeps them in a failure."""
    seen = into if into is not None else []
    async for chunk in runtime.stream(Turn(fence=fence, agent=name, text=text, user="U1")):
        seen.append(chunk)  # what came before a failure counts
    return seen


def read(chunks: Sequence[Chunk], *, begun: str = "") -> str:
    """The answer as a reader of the stream puts it together, after what there was already."""
    texts: dict[str, str] = {}
    for chunk in chunks:
        if isinstance(chunk, ContentChunk):
            texts[chunk.message] = texts.get(chunk.message, "") + chunk.text
        elif isinstance(chunk, TakenBackChunk):
            for message in chunk.messages:
                texts.pop(message, None)
    return PARAGRAPH.join([*([begun] if begun else []), *texts.values()])


def results(chunks: Sequence[Chunk]) -> list[ToolResultChunk]:
    return [chunk for chunk in chunks if isinstance(chunk, ToolResultChunk)]
