"""``python:`` references are followed without running any of the code they name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from workspace.workspace_folder import GOOD, NO_VARIABLES, check, codes, good, only

RUNTIME = "kind: Runtime\ntool_packages: [shop_tools, shop_single]\n"


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on Python's path with a package that must not be imported."""
    root = tmp_path / "python"
    package = root / "shop_tools"
    (package / "deep").mkdir(parents=True)
    (package / "data").mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')\n")
    (package / "deep" / "__init__.py").write_text("raise SystemExit('imported')\n")
    (package / "deep" / "stock.py").write_text(
        "raise SystemExit('imported')\n"
        "try:\n    from a import b as count\nexcept ImportError:\n    count = None\n"
        "async def order(): inner = 1\nclass Tool: pass\nlimit: int = 3\n"
    )
    (package / "open.py").write_text("from os.path import *\n")
    (package / "broken.py").write_text("def (:\n")
    (root / "shop_single.py").write_text("def ask(): ...\n")
    monkeypatch.syspath_prepend(str(root))
    return root


def tool(reference: str) -> str:
    return f"kind: Tool\nname: t\npython: {reference}\nidempotent: true\napproval: never\n"


@pytest.mark.parametrize(
    "reference",
    [
        "shop_tools.deep.stock:order",
        "shop_tools.deep.stock:Tool",
        "shop_tools.deep.stock:limit",
        "shop_tools.deep.stock:count",
        "shop_tools.open:join",
        "shop_tools.broken:anything",
        "shop_single:ask",
    ],
)
@pytest.mark.usefixtures("packages")
def test_a_reference_is_found_and_its_code_is_not_run(tmp_path: Path, reference: str) -> None:
    workspace = good(tmp_path, a=GOOD, r=RUNTIME, t=tool(reference))
    assert workspace.tools["t"].python == reference
    assert not [name for name in sys.modules if name.startswith("shop_")]


@pytest.mark.parametrize(
    ("reference", "code", "nearest"),
    [
        ("shop_tools.deep.stok:order", "module-not-found", "shop_tools.deep.stock"),
        ("shop_tools.deep.stock.more:order", "module-not-found", None),
        ("shop_tools.data:order", "module-not-found", None),
        ("shop_tools.deep.stock:ordr", "function-not-found", "order"),
        ("shop_tools.deep.stock:inner", "function-not-found", None),
        ("shop_tool.deep.stock:order", "python-not-allowed", "shop_tools"),
        ("os:system", "python-not-allowed", None),
        ("__main__:x", "python-not-allowed", None),
        ("../shop:order", "bad-python-reference", None),
        ("shop_tools.deep.stock", "bad-python-reference", None),
        ("shop_tools.deep.stock:Tool.run", "bad-python-reference", None),
        ("shop_tools..stock:run", "bad-python-reference", None),
    ],
)
@pytest.mark.usefixtures("packages")
def test_a_reference_that_leads_nowhere_is_refused(
    tmp_path: Path, reference: str, code: str, nearest: str | None
) -> None:
    finding = only(check(tmp_path, a=GOOD, r=RUNTIME, t=tool(f"'{reference}'")))
    assert (finding.code, finding.file, finding.line, finding.found) == (code, "t.yaml", 3, reference)
    if nearest is not None:
        assert finding.nearest == nearest


def test_a_module_that_appears_while_running_is_found(tmp_path: Path, packages: Path) -> None:
    files = {"a": GOOD, "r": RUNTIME, "t": tool("shop_tools.fresh:run")}
    assert codes(check(tmp_path, NO_VARIABLES, **files)) == ["module-not-found"]
    (packages / "shop_tools" / "fresh.py").write_text("def run(): ...\n")
    assert codes(check(tmp_path, NO_VARIABLES, **files)) == []


def test_without_tool_packages_no_python_is_allowed(tmp_path: Path) -> None:
    finding = only(check(tmp_path, a=GOOD, t=tool("json:loads")))
    assert (finding.code, finding.allowed) == ("python-not-allowed", "none")


def test_the_main_module_can_be_allowed_and_is_not_found(tmp_path: Path) -> None:
    finding = only(
        check(tmp_path, a=GOOD, r="kind: Runtime\ntool_packages: [__main__]\n", t=tool("__main__:x"))
    )
    assert finding.code in ("module-not-found", "function-not-found")
