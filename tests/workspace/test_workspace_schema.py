"""The values of a loaded workspace: the contract's fields, defaults, durations, templates, and the digest."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticCustomError
from workspace.workspace_folder import AGENT, GOOD, MODEL, good

from harness_core.workspace import AgentSpec, Approvers, RuntimeSpec, ToolSpec
from harness_core.workspace.fields import parse_duration
from harness_core.workspace.providers import PROVIDERS
from harness_core.workspace.templates import fill_template, is_template

FULL_RUNTIME = """\
    kind: Runtime
    routing:
      default_agent: ops
      rules:
        - {when: {prefix: "deploy"}, agent: ops}
    recovery: {enabled: true, resume_resuming_runs_on_startup: true, max_recovery_attempts: 3, lease: 10s}
    concurrency: {max_concurrent_runs: 20, per_user: 5, while_running: queue}
    limits: {run: 15m, model_call: 2m, tool_call: 60s, stream_idle: 60s}
    checkpointer: {kind: redis}
    store: {kind: redis}
    maintenance: {every: 10m, keep_checkpoints: 20, finished_runs_for: 30d}
    approvals: {expire_after: 4h, remind_after: [15m, 1h], approvers: {users: [U012ABCDEF], usergroups: [], channel_members: false, requester: false}, quorum: 1}
    admins: [U012ABCDEF]
    tool_packages: [acme_tools]
    """

EVERYTHING = """\
    kind: Tool
    name: restart_service
    python: json:loads
    title: "Restart {service} in {env}"
    label: "Restarting {service}"
    approval: {except_when: {argument: env, equals: staging}}
    idempotent: false
    destructive: true
    preview: json:dumps
    arguments: {password: {secret: true}}
    ---
    kind: Tool
    name: tickets
    mcp: {transport: http, url: https://mcp.example.com/mcp, headers: {Authorization: "Bearer ${TOKEN}"}, allow: [search, create]}
    approval: {create: always}
    ---
    kind: Agent
    name: deep
    description: Restarts and deploys services.
    mode: deepagent
    model: fast
    instructions: |
      You look after our services …
    tools: [restart_service, tickets]
    middleware:
      - {type: model_retry, max_retries: 2}
      - polite_retry
    subagents: [ops]
    ---
    kind: EmbeddingModel
    name: small
    provider: openai
    model: text-embedding-3-small
    ---
    kind: Policy
    name: careful
    users: [U012ABCDEF]
    tools: {"restart_*": {approval: always, quorum: 2, approvers: {usergroups: [S0PS]}}}
    ---
    kind: Middleware
    name: polite_retry
    type: model_fallback
    models: [fast]
    ---
    kind: Channel
    channel: C012ABCDEF
    agent: ops
    follow: thread
    approvals: {approvers: {usergroups: [S0PS]}}
    ---
    kind: Runtime
    routing: {default_agent: deep, model: {use: fast, prompt: "Pick the agent that fits best.", timeout: 5s}}
    tool_packages: [json]
    """


def test_every_field_of_a_runtime_is_read_and_its_figures_are_the_defaults(tmp_path: Path) -> None:
    runtime = good(tmp_path, a=GOOD, b=FULL_RUNTIME).runtime
    absent = RuntimeSpec()
    for section in ("recovery", "concurrency", "limits", "checkpointer", "store", "maintenance"):
        assert getattr(runtime, section) == getattr(absent, section), section
    assert (runtime.limits.run, runtime.maintenance.finished_runs_for) == (900.0, 30 * 86400.0)
    assert (runtime.approvals.expire_after, runtime.approvals.remind_after) == (14400.0, (900.0, 3600.0))
    assert runtime.approvals.approvers.users == runtime.admins == ("U012ABCDEF",)
    assert runtime.tool_packages == ("acme_tools",)


def test_every_kind_of_the_contract_is_read_whole(tmp_path: Path) -> None:
    workspace = good(tmp_path, {"TOKEN": "t"}, a=GOOD, b=EVERYTHING)
    assert workspace.tools["restart_service"].destructive
    assert workspace.agents["deep"].subagents == ("ops",)
    assert workspace.middleware_of(workspace.agents["deep"])[1] is workspace.middleware["polite_retry"]
    assert workspace.embedding_models["small"].model == "text-embedding-3-small"
    assert workspace.policies["careful"].tools["restart_*"].quorum == 2
    local = workspace.channels["C012ABCDEF"].approvals
    assert local is not None
    assert local.approvers == Approvers(usergroups=("S0PS",))
    assert workspace.runtime.routing.model is not None
    assert workspace.hosts == ("deep",)


def test_without_a_runtime_the_only_agent_is_the_default(tmp_path: Path) -> None:
    workspace = good(tmp_path, a=GOOD)
    assert workspace.runtime.routing.default_agent == "ops"
    assert workspace.agents["ops"].mode == "langchain"


def test_a_channel_of_its_own_follows_threads(tmp_path: Path) -> None:
    workspace = good(
        tmp_path, a=GOOD, b="kind: Channel\nchannel: C1\n---\nkind: Channel\nchannel: C2\nfollow: mention\n"
    )
    assert [(c.follow, c.agent) for c in workspace.channels.values()] == [("thread", None), ("mention", None)]


def test_objects_cannot_be_changed(tmp_path: Path) -> None:
    workspace = good(tmp_path, a=GOOD)
    with pytest.raises(ValidationError):
        workspace.agents["ops"].model = "other"
    with pytest.raises(TypeError):
        workspace.agents["new"] = AgentSpec(name="new", model="fast")  # type: ignore[index]  # that it is refused is the point


def test_the_digest_ignores_order_and_spelling_and_notices_every_change(tmp_path: Path) -> None:
    def digest(name: str, key: str, **files: str) -> str:
        folder = tmp_path / name
        folder.mkdir()
        return good(folder, {"KEY": key}, **files).digest

    secret = MODEL + "api_key: ${KEY}\n"
    first = digest("first", "one", a=f"{secret}---\n{AGENT}", r="kind: Runtime\nlimits: {run: 15m}\n")
    same = digest("same", "one", x=AGENT, y="kind: Runtime\nlimits: {run: 900s}\n", z=f"# note\n{secret}")
    other_key = digest("key", "two", a=f"{secret}---\n{AGENT}", r="kind: Runtime\nlimits: {run: 15m}\n")
    other_limit = digest("limit", "one", a=f"{secret}---\n{AGENT}", r="kind: Runtime\nlimits: {run: 16m}\n")
    assert first == same
    assert len({first, other_key, other_limit}) == 3
    assert len(first) == 64


@given(
    st.integers(1, 999),
    st.sampled_from([("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86400.0)]),
)
def test_a_duration_is_a_number_and_a_unit(number: int, unit: tuple[str, float]) -> None:
    assert parse_duration(f"{number}{unit[0]}") == pytest.approx(number * unit[1])


@given(st.one_of(st.integers(), st.floats(), st.none(), st.booleans(), st.text(max_size=12)))
def test_anything_is_a_duration_in_range_or_a_clear_refusal(value: object) -> None:
    try:
        seconds = parse_duration(value)
    except PydanticCustomError as error:
        refusal: str | None = error.type
    else:
        refusal = None
        assert 0 < seconds <= 3650 * 86400
    assert refusal in (None, "bad_duration", "duration_out_of_range")


def test_titles_and_labels_show_arguments_but_no_secret_ones() -> None:
    tool = ToolSpec.model_validate(
        {
            "name": "login",
            "python": "acme:login",
            "title": "Log {user} in with {password}",
            "arguments": {"password": {"secret": True}},
        }
    )
    assert tool.title_for({"user": "dana", "password": "hunter2"}) == "Log dana in with •••"
    assert tool.label_for({}) == "Log … in with •••"
    assert ToolSpec(name="login", python="acme:login").label_for({}) == "login"


@given(st.text("{}ab_0.!:[ ", max_size=20), st.dictionaries(st.text("ab", max_size=2), st.text(max_size=80)))
def test_a_template_fills_in_and_never_raises(text: str, arguments: dict[str, str]) -> None:
    filled = fill_template(text, arguments)
    if is_template(text) and not arguments:
        assert "{" not in filled


def test_the_known_providers_are_those_of_the_model_library_and_our_own() -> None:
    from langchain.chat_models import base  # noqa: PLC0415  # slow to import, and only needed here

    assert {*base._BUILTIN_PROVIDERS, "demo"} == PROVIDERS
