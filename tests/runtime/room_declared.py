"""Agents with declared middleware, their tools, and what comes of one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from openai_stand_in import StandIn
from runtime.room_leases import Leases
from runtime.room_turns import results, run
from runtime.room_workspace import DEMO

from harness_core.runtime import AgentRuntime, Chunk
from harness_core.store import Seal, Store
from harness_core.workspace import load_workspace

HEAD = (
    "kind: Runtime\nrouting: {default_agent: ops}\ntool_packages: [runtime]\n"
    "approvals: {approvers: {users: [U2]}}\n"
)
SAFE = "approval: never\nidempotent: true\n"
ALWAYS = "approval: always\n"


@dataclass
class Room:
    folder: Path
    store: Store
    seal: Seal
    leases: Leases

    def runtime(self, *documents: str, model: str = DEMO) -> AgentRuntime:
        """Agents of a workspace whose calls ``U2`` may approve, with a model ``fast``."""
        everything = [HEAD, f"kind: Model\nname: fast\n{model}", *documents]
        (self.folder / "all.yaml").write_text("---\n".join(everything))
        return AgentRuntime(load_workspace(self.folder, {}), self.store, self.seal)

    async def say(
        self, text: str, *documents: str, into: list[Chunk] | None = None, model: str = DEMO
    ) -> list[Chunk]:
        """The chunks of one run of an agent ``ops``."""
        return await run(self.runtime(*documents, model=model), await self.leases.claim(), text, into=into)


def tool(name: str, rest: str = SAFE) -> str:
    return f"kind: Tool\nname: {name}\npython: runtime.room_middleware:{name}\n{rest}"


def with_middleware(*declared: str, tools: str = "", extra: str = "") -> str:
    lines = "".join(f"  - {each}\n" for each in declared)
    return f"kind: Agent\nname: ops\nmodel: fast\ntools: [{tools}]\n{extra}middleware:\n{lines}"


def served(server: StandIn) -> str:
    return (
        f"provider: openai\nmodel: gpt-5-mini\nbase_url: {server.base_url}\napi_key: {server.api_key}\n"
        "params: {max_retries: 0}\n"
    )


def model(name: str, server: StandIn) -> str:
    return f"kind: Model\nname: {name}\n{served(server)}"


def outputs(chunks: Sequence[Chunk]) -> list[str]:
    return [result.output for result in results(chunks)]
