"""Which agent answers when nothing else decides."""

from __future__ import annotations

from harness_core.workspace.diagnostics import Diagnostic, Findings
from harness_core.workspace.objects import Objects


def check_default_agent(objects: Objects, findings: Findings) -> None:
    agents = sorted(objects.names("Agent"))
    if not agents:
        if not objects.may_be_unreadable("Agent"):
            message = "the workspace has no Agent; only files directly in the folder are read"
            allowed = "at least one document of kind Agent"
            findings.add(Diagnostic(code="no-agents", file=".", line=0, message=message, allowed=allowed))
        return
    hosts = _hosts(objects, agents)
    runtimes = list(objects.of_kind("Runtime"))
    named = any(runtime.has("routing", "default_agent") for runtime in runtimes)
    # Without a host the subagents go round in a circle, which is told where it closes.
    if named or len(hosts) < 2 or objects.may_be_unreadable("Runtime"):
        return
    message = "with several agents, the Runtime says which one answers when nothing else decides"
    allowed = f"routing.default_agent: one of {', '.join(hosts)}"
    if runtimes:
        runtimes[0].report(
            ("routing", "default_agent"), "missing-default-agent", message, found="nothing", allowed=allowed
        )
    else:
        findings.add(
            Diagnostic(
                code="missing-default-agent",
                file=".",
                line=0,
                message=message,
                found="nothing",
                allowed=allowed,
            )
        )


def _hosts(objects: Objects, agents: list[str]) -> list[str]:
    inner = {
        agent.text("subagents", index)
        for agent in objects.of_kind("Agent")
        for index in range(agent.length("subagents"))
    }
    return [name for name in agents if name not in inner]
