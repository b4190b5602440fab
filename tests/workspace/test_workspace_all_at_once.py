"""All mistakes show in one check: of every file, every document, and several of one document."""

from __future__ import annotations

from pathlib import Path

import pytest
from workspace.workspace_folder import GOOD, NO_VARIABLES, check, codes, write

from harness_core.errors import WorkspaceInvalid
from harness_core.workspace import load_workspace

TWENTY_MISTAKES = {
    "a_runtime": """\
        kind: Runtime
        routing:
          default_agent: opss
          rules:
            - {when: {regex: "(x"}, agent: ops}
        recovery: {lease: 1s}
        concurrency: {per_user: 0, while_running: steal}
        limits: {run: 15 minutes, modelcall: 2m}
        store: {kind: postgres}
        tool_packages: [json]
        """,
    "b_models": """\
        kind: Model
        name: fast
        provider: demo
        model: demo
        api_key: ${MISSING_KEY}
        ---
        kind: Model
        name: fast
        provider: demo
        model: 5
        ---
        kind: Modell
        name: slow
        """,
    "c_broken": """\
        kind: Agent
        name: broken
        tools: [a, b
        ---
        kind: Policy
        name: careful
        """,
    "d_agents": """\
        kind: Agent
        name: ops
        model: fst
        mode: deepagents
        tools: [deplyo, load]
        instructions: "a"
        instructions: "b"
        """,
    "e_tools": """\
        kind: Tool
        name: load
        python: os:system
        approval: allways
        idempotent: true
        ---
        kind: Tool
        name: deploy
        python: json.encodr:x
        title: "{"
        idempotent: sometimes
        approval: never
        ---
        kind: Channel
        agent: ops
        """,
}

EXPECTED = [
    ("a_runtime.yaml", 3, "unknown-agent", "routing.default_agent", "ops"),
    ("a_runtime.yaml", 5, "bad-regex", "routing.rules[0].when.regex", None),
    ("a_runtime.yaml", 6, "duration-too-short", "recovery.lease", None),
    ("a_runtime.yaml", 7, "out-of-range", "concurrency.per_user", None),
    ("a_runtime.yaml", 7, "unknown-value", "concurrency.while_running", "steer"),
    ("a_runtime.yaml", 8, "bad-duration", "limits.run", None),
    ("a_runtime.yaml", 8, "unknown-key", "limits.modelcall", "model_call"),
    ("a_runtime.yaml", 9, "unknown-value", "store.kind", None),
    ("b_models.yaml", 5, "unset-variable", "api_key", None),
    ("b_models.yaml", 8, "duplicate-name", "name", None),
    ("b_models.yaml", 10, "wrong-type", "model", None),
    ("b_models.yaml", 12, "unknown-kind", "kind", "Model"),
    ("c_broken.yaml", 4, "yaml-syntax", "", None),
    ("c_broken.yaml", 5, "empty-policy", "", None),
    ("d_agents.yaml", 3, "unknown-model", "model", "fast"),
    ("d_agents.yaml", 4, "unknown-value", "mode", "deepagent"),
    ("d_agents.yaml", 5, "unknown-tool", "tools[0]", "deploy"),
    ("d_agents.yaml", 7, "duplicate-key", "instructions", None),
    ("e_tools.yaml", 3, "python-not-allowed", "python", None),
    ("e_tools.yaml", 4, "unknown-value", "approval", "always"),
    ("e_tools.yaml", 9, "module-not-found", "python", "json.encoder"),
    ("e_tools.yaml", 10, "bad-template", "title", None),
    ("e_tools.yaml", 11, "wrong-type", "idempotent", None),
    ("e_tools.yaml", 14, "missing-key", "channel", None),
]


def test_a_workspace_with_more_than_twenty_different_mistakes_lists_all_of_them(tmp_path: Path) -> None:
    checked = check(tmp_path, NO_VARIABLES, **TWENTY_MISTAKES)
    found = [(f.file, f.line, f.code, f.path, f.nearest) for f in checked.findings]
    assert sorted(found, key=str) == sorted(EXPECTED, key=str)
    assert len({code for _, _, code, _, _ in found}) >= 20
    assert checked.workspace is None
    for finding in checked.findings:
        assert str(finding).startswith(f"{finding.file}:{finding.line}: ")
        assert finding.found or finding.code == "yaml-syntax"
        assert finding.allowed or finding.code == "yaml-syntax"


def test_loading_raises_one_error_that_holds_every_finding_in_order(tmp_path: Path) -> None:
    write(tmp_path, **TWENTY_MISTAKES)
    with pytest.raises(WorkspaceInvalid) as caught:
        load_workspace(tmp_path, NO_VARIABLES)
    assert len(caught.value.findings) == len(EXPECTED)
    assert str(caught.value).splitlines() == [str(finding) for finding in caught.value.findings]
    assert "a_runtime.yaml:3: routing.default_agent: there is no Agent of this name (found opss;" in str(
        caught.value
    )


def test_an_object_in_a_broken_document_is_not_called_unknown_as_well(tmp_path: Path) -> None:
    broken = "kind: Tool\nname: load\npython: [\n"
    assert codes(check(tmp_path, a=f"{GOOD}tools: [load]\n", b=broken)) == ["yaml-syntax"]


def test_an_object_with_a_mistake_is_not_called_unknown_as_well(tmp_path: Path) -> None:
    assert codes(check(tmp_path, a=GOOD.replace("provider: demo", "provider: 7"))) == ["wrong-type"]


def test_python_references_are_not_called_forbidden_when_the_runtime_cannot_be_read(tmp_path: Path) -> None:
    tool = "kind: Tool\nname: t\npython: json:loads\nidempotent: true\n"
    checked = check(tmp_path, a=GOOD, b=tool, c="kind: Runtime\ntool_packages: [json\n")
    assert codes(checked) == ["yaml-syntax"]
