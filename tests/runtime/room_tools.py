"""Python tools for the tests of this room, as an author would write them."""

from __future__ import annotations

import asyncio
import functools
import json
import threading
from collections import Counter
from typing import Any, Literal

from langchain.tools import ToolRuntime
from langchain_core.tools import BaseTool, tool
from langgraph.types import interrupt

from harness_core.tool_call import ToolCall

runs: Counter[str] = Counter()
"""How often each tool really ran."""

keys: list[ToolCall] = []

started = asyncio.Event()
release = asyncio.Event()
told = threading.Event()


def forget() -> None:
    """Begin a test with nothing counted and nothing waiting."""
    global started, release  # an event belongs to the loop of one test
    runs.clear()
    keys.clear()
    told.clear()
    started, release = asyncio.Event(), asyncio.Event()


def status(service: str) -> dict[str, Any]:
    """How a service is doing right now."""
    runs["status"] += 1
    return {"service": service, "state": "degraded", "p95_ms": 1840}


async def logs(service: str, lines: int = 20) -> str:
    """The newest log lines of a service."""
    runs["logs"] += 1
    return f"12:01 ERROR {service} connection pool exhausted\n12:02 INFO retried ({lines} asked)"


async def deploys(service: str, env: Literal["prod", "staging"] = "prod") -> list[str]:
    """The latest deployments of a service."""
    runs["deploys"] += 1
    return [f"{service} 4.2 to {env} at 11:58"]


async def waits(service: str) -> str:
    """Waits until it is let go."""
    runs["waits"] += 1
    started.set()
    await release.wait()
    return f"{service} waited"


def stuck(service: str) -> str:  # noqa: ARG001  # a tool has arguments
    """Hangs in a thread that nobody can stop."""
    runs["stuck"] += 1
    threading.Event().wait(20)
    return "never"


def identified(call: ToolCall, service: str) -> str:
    """Says who called."""
    keys.append(call)
    return f"{service} for {call.requester}"


def applies(service: str, config: str, runtime: str = "none", *, run_manager: str, callbacks: str) -> str:
    """Has arguments whose names are also LangChain's."""
    return f"{service} {config} {runtime} {run_manager} {callbacks}"


@functools.wraps(logs)
def wrapped_logs(*args: Any, **kwargs: Any) -> Any:
    """The newest log lines of a service, by a plain function around an async one."""
    return logs(*args, **kwargs)


def breaks(password: str) -> str:
    """Fails and says too much."""
    runs["breaks"] += 1
    raise ConnectionError(f"postgres://admin:hunter22@db refused {password}")


def breaks_in(auth: dict[str, Any]) -> str:
    """Fails and says what stands inside of its argument."""
    first, second = auth["codes"]
    raise ConnectionError(f"{auth['pin']}, {first} and {second} were refused")


def long_winded() -> str:
    """Says more than a model can read."""
    return "é" * 100_000


def odd() -> object:
    """Returns what is no JSON."""
    return object()


async def asks() -> str:
    """Asks a person by itself."""
    return str(interrupt({"question": "really?"}))


async def asks_until_told() -> str:
    """Asks a person until somebody has decided."""
    while not told.is_set():
        interrupt({"question": "really?"})
    runs["asks_until_told"] += 1
    return "decided"


@tool
def state_reader(runtime: ToolRuntime[Any, Any]) -> str:
    """Reads what the caller put into the state."""
    files = {path: file["content"] for path, file in runtime.state.get("files", {}).items()}
    return json.dumps({"given": runtime.state.get("given"), "files": files})


@tool
def as_langchain_tool(service: str) -> str:
    """A LangChain tool."""
    return f"{service} by LangChain"


@tool
def blocking_langchain_tool(service: str) -> str:
    """A LangChain tool that holds up its thread."""
    return f"{service} in a daemon: {threading.current_thread().daemon}"


class BlockingTool(BaseTool):
    """A class of LangChain tools that holds up its thread."""

    name: str = "blocking"
    description: str = "Holds up its thread."

    def _run(self, service: str) -> str:
        return f"{service} in a daemon: {threading.current_thread().daemon}"


blocking_class_of_tool = BlockingTool()


@tool
def losing_langchain_tool(service: str, config: str) -> str:
    """A LangChain tool that would never get what it is given."""
    return f"{service} {config}"


@tool
def context_reader(runtime: ToolRuntime[dict[str, Any] | None, Any]) -> str:
    """Reads what the caller passed along."""
    return str(runtime.context["region"]) if runtime.context else "no context"


def undocumented(service: str) -> str:
    return service


def unannotated(service) -> str:  # type: ignore[no-untyped-def]  # that is the mistake  # noqa: ANN001
    """Has no annotation."""
    return str(service)


def open_ended(*services: str) -> str:
    """Takes what cannot be named."""
    return ",".join(services)


not_a_tool = 42
