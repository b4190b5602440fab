"""The example team that ships with the project: loads clean, needs no key, and its tools tell one story."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from pydantic import TypeAdapter

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
        assert tool.idempotent
        assert tool.approval == "never"
        assert tool.title
        assert tool.label


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
