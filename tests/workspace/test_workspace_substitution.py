"""``${NAME}`` in values, and that what it stands for is never shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from workspace.workspace_folder import AGENT, GOOD, MODEL, check, good, only

SECRET = "sk-tell-nobody-4711"

OPENAI = f"""\
kind: Model
name: fast
provider: openai
model: ${{MODEL:-gpt-5-mini}}
base_url: ${{BASE:-}}
api_key: ${{KEY}}
params: {{temperature: 0, max_tokens: 5, default_headers: {{Authorization: "Bearer ${{KEY}}"}}, user: "${{USER}}"}}
---
{AGENT}"""


def test_values_come_from_the_given_variables(tmp_path: Path) -> None:
    model = good(tmp_path, {"KEY": SECRET, "USER": "u1", "MODEL": ""}, a=OPENAI).models["fast"]
    assert (model.model, model.base_url) == ("gpt-5-mini", None)
    assert model.api_key is not None
    assert model.api_key.get_secret_value() == SECRET
    assert model.clear_params() == {
        "temperature": 0,
        "max_tokens": 5,
        "default_headers": {"Authorization": f"Bearer {SECRET}"},
        "user": "u1",
    }
    assert [type(value) for value in model.clear_params().values()] == [int, int, dict, str]


def test_a_secret_is_in_no_repr_of_a_workspace(tmp_path: Path) -> None:
    environ = {"KEY": SECRET, "USER": SECRET, "BASE": f"https://{SECRET}@example.com/v1", "MODEL": SECRET}
    workspace = good(tmp_path, environ, a=OPENAI)
    model = workspace.models["fast"]
    assert model.base_url == f"https://{SECRET}@example.com/v1"
    for thing in (
        workspace,
        workspace.models,
        model,
        model.params,
        model.api_key,
        workspace.agents,
        workspace.digest,
    ):
        assert SECRET not in repr(thing)
        assert SECRET not in str(thing)


@pytest.mark.parametrize(
    "line",
    [
        "mode: ${KEY}",
        "model: ${KEY}",
        "tools: ['${KEY}']",
        "tools: ${KEY}",
        "subagents: ['${KEY}']",
        "description: [${KEY}]",
        "nmae: ${KEY}",
        "kind: ${KEY}",
        "model: 'x${KEY}${UNSET}'",
        "model: '${KEY} ${'",
    ],
)
def test_a_mistake_shows_the_name_of_a_variable_and_never_its_value(tmp_path: Path, line: str) -> None:
    checked = check(tmp_path, {"KEY": SECRET}, a=f"{GOOD}---\nname: two\n{line}\nkind: Agent\n")
    assert checked.workspace is None
    for finding in checked.findings:
        assert SECRET not in repr(finding)
        assert SECRET not in str(finding)
        assert "sk-" not in repr(finding)


def test_a_secret_written_in_the_file_is_not_shown_either(tmp_path: Path) -> None:
    finding = only(check(tmp_path, a=GOOD.replace("model: demo", f"model: demo\napi_key: [{SECRET}]", 1)))
    assert (finding.code, finding.found) == ("wrong-type", "a list")
    finding = only(check(tmp_path, a=GOOD.replace("model: demo", "model: demo\napi_key: 4711", 1)))
    assert (finding.code, finding.found) == ("wrong-type", "(hidden)")


def test_an_unset_variable_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    finding = only(
        check(
            tmp_path,
            {"OPENAI_API_KEY": SECRET, "KEY": SECRET, "USER": "u1"},
            a=OPENAI.replace("${KEY}", "${OPEN_AI_KEY}", 1),
        )
    )
    assert finding.code == "unset-variable"
    assert (finding.line, finding.path, finding.found) == (6, "api_key", "${OPEN_AI_KEY}")
    assert finding.nearest == "OPENAI_API_KEY"
    assert "${OPEN_AI_KEY:-default}" in finding.allowed


def test_an_empty_value_counts_as_absent(tmp_path: Path) -> None:
    workspace = good(
        tmp_path,
        {"EMPTY": ""},
        a=GOOD + 'description: ${EMPTY}\ntools: ["${EMPTY}"]\n',
        b="kind: Runtime\nadmins: ['${ADMIN:-}', U1]\nlimits:\nconcurrency: {per_user: '${PER_USER:-}'}\n",
    )
    assert (workspace.agents["ops"].description, workspace.agents["ops"].tools) == ("", ())
    assert workspace.runtime.admins == ("U1",)
    assert workspace.runtime.concurrency.per_user == 5


POLICY = "kind: Policy\nname: staff\nuse: allow\n"
SERVER = "kind: Tool\nname: tickets\napproval: never\nmcp:\n  transport: http\n  url: https://mcp.example.com/mcp\n"
NOBODY = "# - U012ABCDEF"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        *(
            (f"{POLICY}{key}:\n{NOBODY}\n", ("empty-scope", 4, key))
            for key in ("agents", "users", "usergroups", "channels")
        ),
        (f"{POLICY}users: '${{BOSSES:-}}'\n", ("empty-scope", 4, "users")),
        (f"{POLICY}users: ['${{BOSS:-}}']\n", ("empty-scope", 4, "users")),
        (f"{SERVER}  allow:\n{NOBODY}\n", ("empty-value", 7, "mcp.allow")),
        (
            f"{AGENT}middleware: [m]\n---\nkind: Middleware\nname: m\ntype: tool_error\ntools:\n",
            ("empty-value", 9, "tools"),
        ),
        (f"{AGENT}middleware:\n- {{type: tool_error, tools: }}\n", ("empty-value", 5, "middleware[0].tools")),
    ],
)
def test_a_list_that_narrows_must_not_come_out_empty(
    tmp_path: Path, document: str, expected: tuple[str, int, str]
) -> None:
    finding = only(check(tmp_path, a=MODEL if document.startswith(AGENT) else GOOD, b=document))
    assert (finding.code, finding.line, finding.path) == expected


def test_a_required_value_that_comes_out_empty_is_missing(tmp_path: Path) -> None:
    finding = only(check(tmp_path, {"M": ""}, a=GOOD.replace("provider: demo", "provider: ${M}")))
    assert (finding.code, finding.path) == ("missing-key", "provider")


def test_numbers_flags_durations_words_and_references_may_come_from_variables(tmp_path: Path) -> None:
    runtime = """\
        kind: Runtime
        concurrency: {per_user: "${N}", while_running: "${Q:-queue}"}
        recovery: {enabled: "${FLAG}", lease: "${LEASE:-3s}"}
        routing: {default_agent: "${AGENT:-ops}"}
        """
    spec = good(tmp_path, {"N": "7", "FLAG": "False"}, a=GOOD, b=runtime).runtime
    assert (spec.concurrency.per_user, spec.concurrency.while_running) == (7, "queue")
    assert (spec.recovery.enabled, spec.recovery.lease) == (False, 3.0)
    assert only(check(tmp_path, {"N": "seven", "FLAG": "true"}, a=GOOD, b=runtime)).found == "${N}"


def test_two_dollars_stand_for_a_literal_variable(tmp_path: Path) -> None:
    workspace = good(tmp_path, {"A": "1"}, a=GOOD + "instructions: 'Write $${A}, costs $5, ${A} $A'\n")
    assert workspace.agents["ops"].instructions == "Write ${A}, costs $5, 1 $A"


@pytest.mark.parametrize("text", ["${", "${1A}", "${A", "${A:b}", "${A B}", "${}"])
def test_a_malformed_variable_is_an_error(tmp_path: Path, text: str) -> None:
    finding = only(check(tmp_path, {"A": SECRET}, a=GOOD + f"instructions: 'x {text}'\n"))
    assert (finding.code, finding.path, finding.line) == ("malformed-variable", "instructions", 9)


def test_a_variable_without_quotes_in_a_flow_mapping_is_told_about_quotes(tmp_path: Path) -> None:
    finding = only(check(tmp_path, {"A": SECRET}, a=GOOD, b="kind: Runtime\nlimits: {run: ${A}}\n"))
    assert (finding.code, finding.line) == ("yaml-syntax", 2)
    assert "in quotes" in finding.allowed


def test_a_name_or_kind_is_written_out(tmp_path: Path) -> None:
    finding = only(
        check(tmp_path, {"A": SECRET}, a=GOOD, b="kind: Model\nname: ${A}\nprovider: demo\nmodel: demo\n")
    )
    assert (finding.code, finding.found) == ("variable-in-name", "${A}")


def test_a_variable_that_is_not_unicode_is_refused_without_being_shown(tmp_path: Path) -> None:
    finding = only(check(tmp_path, {"A": "x\udcff"}, a=GOOD + "description: ${A}\n"))
    assert (finding.code, finding.found) == ("not-unicode", "${A}")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    value=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30),
    before=st.text("ab ", max_size=4),
    after=st.text("ab ", max_size=4),
)
def test_any_value_arrives_exactly_and_is_never_expanded_again(
    tmp_path: Path, value: str, before: str, after: str
) -> None:
    workspace = good(tmp_path, {"A": value}, a=GOOD + f"instructions: '{before}${{A}}{after}'\n")
    assert workspace.agents["ops"].instructions == f"{before}{value}{after}"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(value=st.from_regex(re.compile(r"[!-~]{12,40}"), fullmatch=True))
def test_no_value_of_a_variable_reaches_any_finding(tmp_path: Path, value: str) -> None:
    lines = "model: ${A}\ntools: ['${A}']\nmode: ${A}\nsubagents: ${A}\n"
    checked = check(tmp_path, {"A": value}, a=GOOD, b=f"kind: Agent\nname: two\n{lines}")
    shown = "".join(map(repr, checked.findings)) + "".join(map(str, checked.findings))
    assert len(checked.findings) >= 4
    assert value not in shown
