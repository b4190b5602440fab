"""What the YAML can say but the runtime does not do yet: refused by name, so that nothing is silently ignored.

Looks at raw values, so it speaks even where other parts of a document are wrong, and mutes what it refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from harness_core.workspace.diagnostics import KeyPath
from harness_core.workspace.document import Document

UNAVAILABLE_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "Policy": ("policy-not-available", "Policies are not available yet"),
    "Middleware": ("middleware-not-available", "Middleware objects are not available yet"),
    "EmbeddingModel": ("embedding-model-not-available", "Embedding models are not available yet"),
}


def refuse_unavailable(document: Document) -> None:
    """Report what ``document`` asks for and cannot have."""
    check = _CHECKS.get(document.kind)
    if check is not None:
        check(document)


def _runtime(document: Document) -> None:
    for section, word in (("checkpointer", "Checkpointers"), ("store", "Stores")):
        if document.value(section, "kind") in ("memory", "sqlite", True, False):
            message = f"{word} other than redis are not available yet"
            document.report((section, "kind"), f"{section}-kind-not-available", message, allowed="redis")
            document.mute((section, "kind"))
    if document.text("concurrency", "while_running") in ("steer", "interrupt", "reject"):
        message = "Anything but queueing while a run is active is not available yet"
        document.report(
            ("concurrency", "while_running"), "while-running-not-available", message, allowed="queue"
        )
    _routing(document)


def _routing(document: Document) -> None:
    model: KeyPath = ("routing", "model")
    if document.has(*model):
        message = "Routing by a model is not available yet"
        document.report(model, "model-routing-not-available", message, allowed="rules")
        document.mute(model)
    for index in range(document.length("routing", "rules")):
        regex: KeyPath = ("routing", "rules", index, "when", "regex")
        if document.has(*regex):
            message = "Rules with a regular expression are not available yet"
            document.report(regex, "regex-rule-not-available", message, allowed="equals, contains, prefix")
            document.mute(regex)


def _tool(document: Document) -> None:
    if document.has("mcp"):
        document.report(("mcp",), "mcp-not-available", "MCP tools are not available yet", allowed="python")
        for key in ("mcp", "approval", "python"):
            document.mute((key,))
        return
    if not document.has("approval") and not document.has("idempotent"):
        message = "says neither approval nor idempotent: it runs without asking, and a crash inside it must ask a person"
        document.report(
            (),
            "tool-undeclared",
            message,
            found=document.text("name"),
            allowed="approval, idempotent",
            severity="warning",
        )


def _agent(document: Document) -> None:
    if document.text("mode") == "deepagent":
        document.report(
            ("mode",), "deepagent-not-available", "Deep agents are not available yet", allowed="langchain"
        )
    for key, code, word in (
        ("subagents", "subagents-not-available", "Subagents"),
        ("middleware", "agent-middleware-not-available", "Declared middleware"),
    ):
        if document.length(key):
            message = f"{word} {'is' if key == 'middleware' else 'are'} not available yet"
            document.report((key,), code, message, allowed="[]")
            document.mute((key,))


_CHECKS: Final[Mapping[str, Callable[[Document], None]]] = {
    "Runtime": _runtime,
    "Tool": _tool,
    "Agent": _agent,
}
