"""Imports run one way. The two tables are the whole rule; whoever adds a room adds its row."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

from architecture.source_tree import Import, Module, ours

import harness_core

RECORDS = frozenset(
    {
        "approvals",
        "canonical",
        "daemon_thread",
        "errors",
        "events",
        "foreign_schemas",
        "grants",
        "memory_places",
        "models",
        "patterns",
        "redaction",
        "states",
        "tool_call",
    }
)

#: Room of harness_core → the rooms it may import, apart from itself.
CORE = {
    "errors": frozenset[str](),
    **dict.fromkeys(RECORDS - {"errors"}, RECORDS),
    "workspace": RECORDS,
    "arguments": RECORDS,
    "policy": RECORDS | {"workspace"},
    "preview": RECORDS | {"workspace"},
    "store": RECORDS | {"workspace"},
    "routing": RECORDS | {"workspace"},
    "runtime": RECORDS | {"arguments", "workspace", "policy", "preview", "store"},
    "tools": RECORDS | {"runtime"},
    "engine": RECORDS | {"arguments", "workspace", "policy", "preview", "store", "routing", "runtime"},
}

#: The web process lives on `engine.control`, so that one is held to more than its room is.
CONTROL = RECORDS | {"store"}

#: Room of bot → the rooms it may import, apart from itself. A room without a row joins others together and
#: may import any but the playground, which is a peer of Slack, and the commands.
BOT = {
    "settings": frozenset[str](),
    "view": frozenset[str](),
    "delivery": frozenset({"view"}),
    "people": frozenset({"delivery"}),
    "approvers": frozenset({"people"}),
    "listeners": frozenset({"access", "approvers", "delivery", "ingress", "metrics", "people", "view"}),
    "playground": frozenset[str](),
}


def reached(found: Import, package: str) -> str | None:
    """The room of ``package`` that the import reaches ("" is the package itself), or None when it goes elsewhere."""
    if found.target != package and not found.target.startswith(f"{package}."):
        return None
    return (found.target.split(".")[1:] or [""])[0]


def room(module: Module) -> str:
    return (module.name.split(".")[1:] or [""])[0]


def test_every_room_of_harness_core_imports_only_rooms_below_it() -> None:
    wrong = []
    for module in ours().values():
        if not module.within("harness_core") or module.name == "harness_core":
            continue
        assert room(module) in CORE, f"{module.where}: give its room a row in CORE"
        for found in module.imports:
            target = reached(found, "harness_core")
            below = target is None or target in CORE[room(module)] | {room(module)}
            if not below or reached(found, "bot") is not None:
                wrong.append(f"{module.where}:{found.line} imports {found.target}")
    assert not wrong, "\n".join(wrong)


def test_control_reaches_no_further_than_the_store() -> None:
    control = ours()["harness_core.engine.control"]
    targets = {reached(found, "harness_core") for found in control.imports}
    assert "store" in targets
    assert targets - {None} <= CONTROL


def test_every_room_of_bot_imports_only_what_its_row_allows() -> None:
    wrong = []
    for module in ours().values():
        if not module.within("bot"):
            continue
        for found in module.imports:
            target = reached(found, "bot")
            if not target or target == room(module):
                continue
            allowed = (
                target in BOT[room(module)]
                if room(module) in BOT
                else target not in {"playground", "__main__"}
            )
            if not allowed and not (room(module) == "__main__" and target == "playground"):
                wrong.append(f"{module.where}:{found.line} imports {found.target}")
    assert not wrong, "\n".join(wrong)


def test_bot_uses_only_what_harness_core_exports() -> None:
    """`harness_core.__all__` names objects, and a few modules whose every name is public."""
    wrong = [
        f"{module.where}:{found.line} imports {found.target} {found.name or ''}"
        for module in ours().values()
        for found in module.imports
        if module.within("bot")
        and (target := reached(found, "harness_core")) is not None
        and (found.target.count(".") > 1 or (target or found.name) not in harness_core.__all__)
    ]
    assert not wrong, "\n".join(wrong)


def test_no_module_takes_part_in_an_import_cycle() -> None:
    """Imports inside functions count too: a cycle that is only postponed is one."""
    graph = {
        module.name: {found.target for found in module.imports if found.target in ours()} - {module.name}
        for module in ours().values()
    }
    # `harness_core` itself exports lazily what everything below it defines.
    graph["harness_core"] = set()
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" → ".join(error.args[1])) from error


def test_no_import_is_relative() -> None:
    wrong = [
        f"{module.where}:{found.line}"
        for module in ours().values()
        for found in module.imports
        if found.level
    ]
    assert not wrong, wrong
