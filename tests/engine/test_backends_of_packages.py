"""Files of a deep agent lie where a Python package of the workspace puts them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sealing import SEAL

from harness_core import Harness, RunState, Store, WorkspaceHolder, check_runtime, check_workspace

PACKAGE = '''
"""A disk that several agents share, as a team would ship it."""

import threading

from deepagents.backends import FilesystemBackend

BUILT_IN = []


class Disk(FilesystemBackend):
    def __init__(self, root: str, *, token: str = "") -> None:
        BUILT_IN.append(threading.current_thread() is threading.main_thread())
        super().__init__(root_dir=root, virtual_mode=True)


def locked(token: str) -> Disk:
    raise PermissionError(f"the disk does not know {token}")


async def later() -> Disk:
    return Disk("/")


def number() -> int:
    return 7
'''

WORKSPACE = """
kind: Runtime
routing: {{default_agent: ops}}
tool_packages: [acme_disks]
---
kind: Model
name: fast
provider: demo
model: demo
params: {{delay: 0}}
---
kind: Agent
name: ops
model: fast
mode: deepagent
backend: {backend}
"""

DISK = '{kind: python, python: "acme_disks.shared:Disk", params: {root: "${ROOT}", token: "${TOKEN}"}}'
TOKEN = "token-0123456789"


def call(name: str, **arguments: Any) -> str:
    return f"call {name} {json.dumps(arguments)}"


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mapping[str, str]]:
    """The variables of the workspace; the package is on Python's path meanwhile."""
    package = tmp_path / "python" / "acme_disks"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "shared.py").write_text(PACKAGE, encoding="utf-8")
    (tmp_path / "disk").mkdir()
    monkeypatch.syspath_prepend(str(package.parent))
    yield {"ROOT": str(tmp_path / "disk"), "TOKEN": TOKEN}
    for name in [each for each in sys.modules if each.startswith("acme_disks")]:
        del sys.modules[name]


def workspace(folder: Path, backend: str) -> Path:
    (folder / "workspace").mkdir(exist_ok=True)
    (folder / "workspace" / "all.yaml").write_text(WORKSPACE.format(backend=backend), encoding="utf-8")
    return folder / "workspace"


async def test_what_an_agent_writes_is_on_the_packages_disk_and_there_in_another_conversation(
    tmp_path: Path, redis_url: str, environ: Mapping[str, str]
) -> None:
    holder = await asyncio.to_thread(WorkspaceHolder, workspace(tmp_path, DISK), environ)
    store = await Store.open(redis_url, seal=SEAL)
    async with Harness(store, holder, seal=SEAL) as harness:
        work = call("write_file", file_path="/plan.md", content="first the database")
        wrote = await harness.run(work)
        nested = call("task", subagent_type="general-purpose", description=call("ls", path="/"))
        read = await harness.run(f"{call('read_file', file_path='/plan.md')}; {nested}")
    await store.close()

    assert (wrote.state, read.state) == (RunState.COMPLETED,) * 2
    assert wrote.thread_id != read.thread_id
    assert "first the database" in read.output
    assert "/plan.md" in read.output.replace("first the database", "")
    assert (tmp_path / "disk" / "plan.md").read_text(encoding="utf-8") == "first the database"


async def test_a_backend_is_built_beside_the_event_loop_and_once_for_an_agent(
    tmp_path: Path, redis_url: str, environ: Mapping[str, str]
) -> None:
    holder = await asyncio.to_thread(WorkspaceHolder, workspace(tmp_path, DISK), environ)
    store = await Store.open(redis_url, seal=SEAL)
    async with Harness(store, holder, seal=SEAL) as harness:
        await harness.run("say 1 word")
    await store.close()

    assert sys.modules["acme_disks.shared"].BUILT_IN == [False]


@pytest.mark.parametrize(
    ("reference", "params", "why"),
    [
        ("locked", "{token: '${TOKEN}'}", "gives no backend: PermissionError: the disk does not know •••"),
        ("Disk", "{}", "gives no backend: TypeError: Disk.__init__() missing 1 required"),
        ("Disk", "{root: '/tmp', size: 3}", "gives no backend: TypeError: Disk.__init__() got an unexpected"),
        ("number", "{}", "gives a int, not a backend of deepagents"),
        ("later", "{}", "is async: a backend is given by a plain function or a class"),
    ],
)
def test_a_check_says_why_a_reference_gives_no_backend_and_shows_no_secret(
    tmp_path: Path, environ: Mapping[str, str], reference: str, params: str, why: str
) -> None:
    backend = f'{{kind: python, python: "acme_disks.shared:{reference}", params: {params}}}'
    checked = check_workspace(workspace(tmp_path, backend), environ)
    assert checked.workspace is not None, checked.findings

    (finding,) = check_runtime(checked.workspace)

    assert (finding.code, finding.severity, finding.path) == ("backend-unusable", "error", "Agent ops")
    assert finding.message.startswith(f"acme_disks.shared:{reference} {why}")
    assert TOKEN not in str(finding)


@pytest.mark.parametrize(
    ("reference", "code", "nearest"),
    [
        ("acme_disk.shared:Disk", "python-not-allowed", "acme_disks"),
        ("acme_disks.shard:Disk", "module-not-found", "acme_disks.shared"),
        ("acme_disks.shared:Disc", "function-not-found", "Disk"),
        ("shutil:rmtree", "python-not-allowed", None),
        ("acme_disks.shared", "bad-python-reference", None),
    ],
)
@pytest.mark.usefixtures("environ")
def test_a_reference_that_leads_nowhere_is_told_with_its_line_and_the_nearest_name(
    tmp_path: Path, reference: str, code: str, nearest: str | None
) -> None:
    backend = f'\n  kind: python\n  python: "{reference}"'

    (finding,) = check_workspace(workspace(tmp_path, backend), {}).findings

    assert (finding.code, finding.line, finding.found, finding.nearest) == (code, 18, reference, nearest)
    assert finding.path == "backend.python"
