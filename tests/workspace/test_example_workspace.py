"""The example team that ships with the project: loads clean, needs no key, and its tools tell one story."""

from __future__ import annotations

import importlib
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from pydantic import TypeAdapter

from bot.playground import Cast
from harness_core import ToolCall
from harness_core.workspace import Workspace, check_workspace, python_reference

EXAMPLE = Path(__file__).resolve().parents[2] / "workspace"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    checked = check_workspace(EXAMPLE, {})
    assert checked.findings == ()
    assert checked.workspace is not None
    return checked.workspace


@pytest.fixture
def services(example: Workspace) -> ModuleType:
    assert "service_status" in example.tools
    return importlib.import_module("acme_tools.services")


@pytest.fixture
def operations(example: Workspace) -> ModuleType:
    assert "restart_service" in example.tools
    return importlib.import_module("acme_tools.operations")


@pytest.fixture
def runbooks(example: Workspace) -> ModuleType:
    assert "search_runbooks" in example.tools
    return importlib.import_module("acme_tools.runbooks")


def test_the_example_loads_without_a_finding_and_without_a_key(example: Workspace) -> None:
    assert list(example.agents) == ["ops", "guide"]
    assert example.runtime.routing.default_agent == "ops"
    assert {model.provider for model in example.models.values()} == {"demo"}


def test_the_commented_examples_are_correct_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    for path in EXAMPLE.glob("*.yaml"):
        (tmp_path / path.name).write_text(path.read_text())
    models = (EXAMPLE / "models.yaml").read_text()
    head, _, commented = models.partition("# ---\n")
    (tmp_path / "models.yaml").write_text(
        head + "---\n" + "\n".join(line[2:] for line in commented.splitlines())
    )
    channels = (EXAMPLE / "channels.yaml").read_text().splitlines()
    (tmp_path / "channels.yaml").write_text("\n".join(line[2:] for line in channels[2:]))
    workspace = check_workspace(tmp_path, {"OPENAI_API_KEY": "k"}).workspace
    assert workspace is not None
    assert workspace.models["fast"].base_url is None
    assert workspace.channels["C012ABCDEF"].follow == "mention"


def test_every_example_tool_can_be_imported_and_says_what_it_does(example: Workspace) -> None:
    for tool in example.tools.values():
        reference = python_reference(tool.python or "")
        assert reference is not None
        function = getattr(importlib.import_module(reference.module), reference.attribute)
        assert len(function.__doc__) > 60
        assert tool.title
        assert tool.label
        # What changes something asks people, and what asks nobody can be repeated.
        assert (tool.approval == "always") is (not tool.idempotent) is tool.destructive
    assert [tool.name for tool in example.tools.values() if tool.approval == "always"] == ["restart_service"]


def test_the_approver_is_that_of_the_playground_until_another_one_is_named(
    example: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    assert example.runtime.approvals.approvers is not None
    assert example.runtime.approvals.approvers.users == (Cast().approver,)
    other = check_workspace(EXAMPLE, {"ACME_APPROVER": "U012ABCDEF"}).workspace
    assert other is not None
    assert other.runtime.approvals.approvers is not None
    assert other.runtime.approvals.approvers.users == ("U012ABCDEF",)


CALL = ToolCall(key="k1", run_id="run_1", requester="U1")


def test_a_restart_is_one_request_with_the_key_of_its_call(
    operations: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Taking) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        monkeypatch.setenv("ACME_RESTART_URL", f"http://127.0.0.1:{server.server_port}/effects")
        assert operations.restart_service("checkout", "prod", CALL) == "Restarted checkout in prod."
    assert asked == [{"key": "k1", "what": "restart", "service": "checkout", "env": "prod"}]


def test_a_restart_that_nobody_listens_for_says_so(
    operations: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ACME_RESTART_URL", raising=False)
    for _ in range(2):
        assert "only noted down" in operations.restart_service("search", "staging", CALL)
    assert operations.noted == {"k1": ("search", "staging")}
    assert "search in staging" in operations.preview_restart("search", "staging")


def test_the_services_of_the_arguments_are_those_of_the_facts(services: ModuleType) -> None:
    schema = TypeAdapter(services.Service).json_schema()
    facts = yaml.safe_load((EXAMPLE / "acme_tools" / "data" / "services.yaml").read_text())
    assert schema["enum"] == list(facts)


def test_checkout_is_slow_since_its_last_deploy(services: ModuleType) -> None:
    status = services.service_status("checkout")
    assert status["latency_p95_ms"] > 10 * status["usual_latency_p95_ms"]
    newest = services.recent_deploys("checkout")[0]
    assert newest["version"] == status["version"]
    assert "in use" in services.service_logs("checkout", 50)
    assert len(services.service_logs("checkout", 3).splitlines()) == 3
    assert services.service_status("search")["state"] == services.service_status("payments")["state"] == "ok"


def test_the_runbook_that_fits_comes_first(runbooks: ModuleType) -> None:
    assert runbooks.search_runbooks("why is checkout slow?").startswith("# Checkout is slow")
    assert runbooks.search_runbooks("search results are stale").startswith("# Search shows old results")
    assert runbooks.search_runbooks("What can the bot do?").startswith("# About the bot")
    assert "There are: about-the-bot, checkout-slow" in runbooks.search_runbooks("zeppelin")
