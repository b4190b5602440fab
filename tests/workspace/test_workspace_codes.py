"""Every kind of mistake has its own code and names file, line, key path, found, allowed and the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest
from workspace.workspace_folder import AGENT, GOOD, NO_VARIABLES, check, only

Expected = tuple[str, int, str, str, str, str | None]

RUNTIME_MISTAKES: list[tuple[str, Expected]] = [
    # what stands in runtime.yaml; code, line, path, found, part of allowed, nearest
    ("limitz: {run: 5m}", ("unknown-key", 2, "limitz", "limitz", "limits", "limits")),
    ("limits:\n  rum: 5m", ("unknown-key", 3, "limits.rum", "rum", "run, stream_idle", "run")),
    ("name: main", ("unknown-key", 2, "name", "name", "admins", None)),
    ("limits: {run: 15 minutes}", ("bad-duration", 2, "limits.run", "15 minutes", "such as 15m", None)),
    ("limits: {run: 900}", ("bad-duration", 2, "limits.run", "900", "such as 15m", None)),
    ("limits: {run: 0s}", ("duration-out-of-range", 2, "limits.run", "0s", "above 0", None)),
    ("limits: {run: 9999d}", ("duration-out-of-range", 2, "limits.run", "9999d", "3650d", None)),
    ("recovery:\n  lease: 1s", ("duration-too-short", 3, "recovery.lease", "1s", "at least 2s", None)),
    ("recovery: {enabled: maybe}", ("wrong-type", 2, "recovery.enabled", "maybe", "true or false", None)),
    ("recovery: often", ("wrong-type", 2, "recovery", "often", "a mapping", None)),
    ("concurrency: {per_user: 0}", ("out-of-range", 2, "concurrency.per_user", "0", "at least 1", None)),
    (
        "concurrency: {per_user: many}",
        ("wrong-type", 2, "concurrency.per_user", "many", "a whole number", None),
    ),
    (
        "concurrency: {per_user: true}",
        ("wrong-type", 2, "concurrency.per_user", "true", "a whole number", None),
    ),
    (
        "concurrency: {while_running: que}",
        ("unknown-value", 2, "concurrency.while_running", "que", "queue, steer, interrupt, reject", "queue"),
    ),
    (
        "checkpointer: {kind: reddis}",
        ("unknown-value", 2, "checkpointer.kind", "reddis", "true, false", "redis"),
    ),
    ("admins: U012ABCDEF", ("wrong-type", 2, "admins", "U012ABCDEF", "a list", None)),
    ("admins:\n- U012ABCDEF\n- 7", ("wrong-type", 4, "admins[1]", "7", "text", None)),
    ("admins: ['']", ("empty-value", 2, "admins[0]", "an empty value", "some text", None)),
    (
        "tool_packages: [acme.tools]",
        ("bad-package", 2, "tool_packages[0]", "acme.tools", "without dots", None),
    ),
    (
        "approvals: {expire_after: 1h, remind_after: [2h]}",
        ("reminder-too-late", 2, "approvals", "a mapping", "below expire_after", None),
    ),
    ("routing: {default_agent: opps}", ("unknown-agent", 2, "routing.default_agent", "opps", "ops", "ops")),
    (
        "routing:\n  rules:\n  - {when: {prefix: a}, agent: op}",
        ("unknown-agent", 4, "routing.rules[0].agent", "op", "ops", "ops"),
    ),
    (
        "routing:\n  rules:\n  - {when: {prefix: a, equals: b}, agent: ops}",
        ("rule-condition", 4, "routing.rules[0].when", "2", "one of equals, contains, prefix, regex", None),
    ),
    (
        "routing:\n  rules:\n  - {when: {starts: a}, agent: ops}",
        ("unknown-key", 4, "routing.rules[0].when.starts", "starts", "prefix", None),
    ),
    (
        "routing: {rules: [{agent: ops}]}",
        ("missing-key", 2, "routing.rules[0].when", "nothing", "when", None),
    ),
    ("true: 1", ("bad-key", 2, "", "true", "text", None)),
    ("admins: []\nadmins: []", ("duplicate-key", 3, "admins", "admins", "once", None)),
    (
        "routing: {rules: [{when: {regex: 'a(?=b)'}, agent: ops}]}",
        ("bad-regex", 2, "routing.rules[0].when.regex", "a(?=b)", "no look-around", None),
    ),
    (
        "routing: {model: {use: fast, promt: Pick}}",
        ("unknown-key", 2, "routing.model.promt", "promt", "prompt, timeout, use", "prompt"),
    ),
    ("checkpointer: {kind: true}", ("checkpointer-without-parent", 2, "checkpointer", "true", "redis", None)),
    (
        "memory: {remember_thread: true}",
        (
            "unknown-key",
            2,
            "memory.remember_thread",
            "remember_thread",
            "remember_threads",
            "remember_threads",
        ),
    ),
    (
        "admins: [!!python/name:os.system x]",
        ("tag-not-allowed", 2, "admins[0]", "!!python/name:os.system", "text", None),
    ),
]

OBJECT_MISTAKES: list[tuple[str, Expected]] = [
    ("kind: Modl\nname: a", ("unknown-kind", 1, "kind", "Modl", "Agent, Channel, EmbeddingModel", "Model")),
    ("name: a", ("missing-kind", 1, "", "no kind", "Agent", None)),
    ("kind: Middleware\nname: a", ("missing-key", 1, "type", "nothing", "todo_list", None)),
    ("kind: Middleware\nname: a\ntype: 5", ("wrong-type", 3, "type", "5", "todo_list", None)),
    (
        "kind: Middleware\nname: a\ntype: summarization\ntrigger:\n- {token: 5}",
        ("unknown-key", 5, "trigger[0].token", "token", "fraction, messages, tokens", "tokens"),
    ),
    (
        "kind: Middleware\nname: a\ntype: shell\nexecution_policy: {type: dokcer}",
        ("unknown-value", 4, "execution_policy.type", "dokcer", "host, docker, codex", "docker"),
    ),
    (
        "kind: Middleware\nname: a\ntype: model_retry\ninitial_delay: soon",
        ("bad-duration", 4, "initial_delay", "soon", "such as 15m", None),
    ),
    (
        "kind: Policy\nname: a\ntools:\n  x: {aproval: always}",
        ("unknown-key", 4, "tools.x.aproval", "aproval", "approval, approvers", "approval"),
    ),
    (
        "kind: Policy\nname: a\ntools:\n  x:\n    grants: {allowed: true, for: ever}",
        ("bad-duration", 5, "tools.x.grants.for", "ever", "such as 15m", None),
    ),
    (
        "kind: Policy\nname: a\ntools:\n  x:\n    grants: {allowed: true, lasts: 1h}",
        ("unknown-key", 5, "tools.x.grants.lasts", "lasts", "allowed, arguments, for, times", None),
    ),
    ("kind: Model\nname: a b\nprovider: demo\nmodel: demo", ("bad-name", 2, "name", "a b", "letters", None)),
    ("kind: Model\nname: a\nprovider: demo", ("missing-key", 1, "model", "nothing", "model", None)),
    (
        "kind: Model\nname: fast\nprovider: demo\nmodel: demo",
        ("duplicate-name", 2, "name", "fast", "one", None),
    ),
    ("kind: Runtime\n---\nkind: Runtime", ("duplicate-runtime", 3, "kind", "Runtime", "one", None)),
    (
        "kind: Channel\nchannel: C1\n---\nkind: Channel\nchannel: C1",
        ("duplicate-channel", 5, "channel", "C1", "one", None),
    ),
    (
        "kind: Channel\nchannel: C1\nfollow: threads",
        ("unknown-value", 3, "follow", "threads", "thread, mention", "thread"),
    ),
    ("kind: Channel\nchannel: C1\nagent: oops", ("unknown-agent", 3, "agent", "oops", "ops", "ops")),
    ("kind: Agent\nname: b\nmodel: fest", ("unknown-model", 3, "model", "fest", "fast", "fast")),
    (
        "kind: Agent\nname: b\nmodel: fast\nmode: deepagent\nbackend: {kind: folder}",
        ("missing-key", 5, "backend.root", "nothing", "root", None),
    ),
    (
        "kind: Agent\nname: b\nmodel: fast\nmiddleware:\n- {type: model_retry, max_retry: 2}",
        ("unknown-key", 5, "middleware[0].max_retry", "max_retry", "max_retries", "max_retries"),
    ),
    (
        "kind: Agent\nname: b\nmodel: fast\nmiddleware:\n- {max_retries: 2}",
        ("missing-key", 5, "middleware[0].type", "nothing", "model_retry", None),
    ),
    (
        "kind: Agent\nname: b\nmodel: fast\nmiddleware:\n- type: model_fallback\n  models: [fats]",
        ("unknown-model", 6, "middleware[0].models[0]", "fats", "fast", "fast"),
    ),
    (
        "kind: Agent\nname: b\nmodel: fast\nmiddleware:\n- {type: custom, python: 'os:system'}",
        ("python-not-allowed", 5, "middleware[0].python", "os:system", "none", None),
    ),
    (
        "kind: Agent\nname: b\nmodel: fast\ntools:\n- log",
        ("unknown-tool", 5, "tools[0]", "log", "none", None),
    ),
    (
        "kind: Tool\nname: t\napproval: never\nmcp: {url: 'https://a.example'}",
        ("missing-key", 4, "mcp.transport", "nothing", "transport", None),
    ),
    (
        "kind: Tool\nname: t\napproval: never\nmcp: {transport: htpp, url: 'https://a.example'}",
        ("unknown-value", 4, "mcp.transport", "htpp", "http, stdio", "http"),
    ),
    (
        "kind: Tool\nname: t\napproval: never\nmcp: {transport: http, url: 'https://a.example', alow: [a]}",
        ("unknown-key", 4, "mcp.alow", "alow", "allow, headers, transport, url", "allow"),
    ),
    (
        "kind: Tool\nname: t\napproval: {create: allways}\nmcp: {transport: http, url: 'https://a.example'}",
        ("unknown-value", 3, "approval.create", "allways", "always, never", "always"),
    ),
    (
        "kind: Tool\nname: t\napproval: never\nmcp: {transport: stdio, command: a, cwd: /tmp}",
        ("path-outside", 4, "mcp.cwd", "/tmp", "below the folder", None),
    ),
    ("- a", ("not-a-mapping", 1, "", "a list", "kind", None)),
    ("kind: [", ("yaml-syntax", 1, "", "", "", None)),
]

TOOL_MISTAKES: list[tuple[str, Expected]] = [
    # after `kind: Tool`, `name: t`; Runtime allows json
    (
        "python: json\nidempotent: true",
        ("bad-python-reference", 3, "python", "json", "package.module:function", None),
    ),
    ("python: jsn:loads\nidempotent: true", ("python-not-allowed", 3, "python", "jsn:loads", "json", "json")),
    (
        "python: json.decodr:x\nidempotent: true",
        ("module-not-found", 3, "python", "json.decodr:x", "json.decoder", "json.decoder"),
    ),
    (
        "python: json:lods\nidempotent: true",
        ("function-not-found", 3, "python", "json:lods", "loads", "loads"),
    ),
    (
        "python: json:loads\nidempotent: true\npreview: os:system",
        ("python-not-allowed", 5, "preview", "os:system", "json", None),
    ),
    ("idempotent: true", ("tool-source", 1, "", "neither", "python: package.module:function", None)),
    (
        "python: json:loads\nidempotent: true\napproval: allways",
        ("unknown-value", 5, "approval", "allways", "always, never", "always"),
    ),
    (
        "python: json:loads\nidempotent: true\ntitle: 'Load {s.__class__}'",
        ("bad-template", 5, "title", "Load {s.__class__}", "{argument}", None),
    ),
    (
        "python: json:loads\nidempotent: true\narguments: {s: {secrett: true}}",
        ("unknown-key", 5, "arguments.s.secrett", "secrett", "secret", "secret"),
    ),
]


def expect(folder: Path, file: str, text: str, expected: Expected) -> None:
    finding = only(check(folder, NO_VARIABLES, **{file: text}))
    code, line, path, found, allowed, nearest = expected
    assert (finding.code, finding.file, finding.line, finding.path) == (code, f"{file}.yaml", line, path)
    assert (finding.found, finding.nearest) == (found, nearest)
    assert allowed in finding.allowed
    shown = str(finding)
    assert shown.startswith(f"{file}.yaml:{line}: ")
    assert "\n" not in shown
    assert finding.message in shown


@pytest.mark.parametrize(
    ("text", "expected"), RUNTIME_MISTAKES, ids=[f"{e[0]}-{e[2]}" for _, e in RUNTIME_MISTAKES]
)
def test_a_mistake_in_the_runtime_is_named_with_its_place(
    tmp_path: Path, text: str, expected: Expected
) -> None:
    check(tmp_path, good=GOOD)
    expect(tmp_path, "runtime", f"kind: Runtime\n{text}\n", expected)


@pytest.mark.parametrize(
    ("text", "expected"), OBJECT_MISTAKES, ids=[f"{e[0]}-{e[2]}" for _, e in OBJECT_MISTAKES]
)
def test_a_mistake_in_an_object_is_named_with_its_place(
    tmp_path: Path, text: str, expected: Expected
) -> None:
    runtime = "" if "Runtime" in text else "---\nkind: Runtime\nrouting: {default_agent: ops}\n"
    check(tmp_path, good=GOOD + runtime)
    expect(tmp_path, "more", text, expected)


@pytest.mark.parametrize(
    ("text", "expected"), TOOL_MISTAKES, ids=[f"{e[0]}-{e[2]}" for _, e in TOOL_MISTAKES]
)
def test_a_mistake_in_a_tool_is_named_with_its_place(tmp_path: Path, text: str, expected: Expected) -> None:
    check(tmp_path, good=f"{GOOD}---\nkind: Runtime\ntool_packages: [json]\n")
    expect(tmp_path, "tool", f"kind: Tool\nname: t\n{text}\n", expected)


def test_a_duplicate_names_both_places(tmp_path: Path) -> None:
    finding = only(check(tmp_path, a=GOOD, b=f"# first\n{AGENT}"))
    assert str(finding).startswith("b.yaml:3: name: a second Agent of this name; the first is at a.yaml:7")


def test_a_tool_listed_twice_is_refused(tmp_path: Path) -> None:
    tool = "---\nkind: Tool\nname: t\npython: json:loads\nidempotent: true\n---\nkind: Runtime\ntool_packages: [json]\n"
    finding = only(check(tmp_path, a=f"{GOOD}tools: [t, t]\n{tool}"))
    assert (finding.code, finding.path, finding.found) == ("repeated-tool", "tools[1]", "t")


def test_a_workspace_without_agents_says_where_it_looked(tmp_path: Path) -> None:
    finding = only(check(tmp_path))
    assert (finding.code, finding.line) == ("no-agents", 0)
    assert "directly in the folder" in str(finding)


def test_several_agents_need_a_default(tmp_path: Path) -> None:
    two = f"{GOOD}---\nkind: Agent\nname: guide\nmodel: fast\n"
    assert only(check(tmp_path, a=two)).code == "missing-default-agent"
    finding = only(check(tmp_path, a=two, r="kind: Runtime\nrouting:\n  rules: []\n"))
    assert (finding.code, finding.file, finding.line) == ("missing-default-agent", "r.yaml", 2)
    assert "guide, ops" in finding.allowed


def test_a_tool_that_declares_nothing_is_warned_about(tmp_path: Path) -> None:
    tool = "kind: Tool\nname: t\npython: json:loads\n---\nkind: Runtime\ntool_packages: [json]\n"
    checked = check(tmp_path, a=GOOD, t=tool)
    assert checked.workspace is not None
    assert only(checked, "warning").code == "tool-undeclared"


def test_an_unknown_provider_is_a_doubt_and_not_an_error(tmp_path: Path) -> None:
    checked = check(tmp_path, a=GOOD.replace("provider: demo", "provider: opnai"))
    assert checked.workspace is not None
    assert only(checked, "warning").nearest == "openai"
