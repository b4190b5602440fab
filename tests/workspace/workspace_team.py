"""A team's tools, for checks that look at several objects, and what those find."""

from __future__ import annotations

from pathlib import Path

from workspace.workspace_folder import MODEL, check, codes

from harness_core.workspace import Checked

MCP = 'mcp: {transport: http, url: "https://mcp.example.com/mcp"'
HEAD = f"""\
{MODEL}---
kind: Tool
name: safe
python: json:loads
approval: never
idempotent: true
---
kind: Tool
name: asks
python: json:dumps
approval: always
---
kind: Tool
name: listed
{MCP}, allow: [search, create]}}
approval: {{create: always}}
idempotent: {{search: true}}
---
kind: Tool
name: open
{MCP}}}
approval: never
idempotent: {{search: true}}
---
kind: Tool
name: calm
{MCP}}}
approval: never
idempotent: true
"""


def runtime(rest: str = "", approvers: str = "{users: [U1]}") -> str:
    return (
        "---\nkind: Runtime\ntool_packages: [json]\nrouting: {default_agent: ops}\n"
        f"approvals: {{approvers: {approvers}}}\n{rest}"
    )


def agent(rest: str, name: str = "ops") -> str:
    return f"---\nkind: Agent\nname: {name}\nmodel: fast\n{rest}\n"


def found(folder: Path, *documents: str, head: str = "") -> list[str]:
    checked: Checked = check(folder, a=HEAD + (head or runtime()), b="".join(documents))
    assert (checked.workspace is None) == any(each.severity == "error" for each in checked.findings)
    return [code for code in codes(checked) if code != "tool-undeclared"]
