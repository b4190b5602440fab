"""Whatever stands in a workspace, a check answers; and what is unknown about a person is never to their advantage."""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Iterator
from itertools import chain, combinations
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from workspace.test_workspace_schema import EVERYTHING
from workspace.workspace_folder import GOOD

from harness_core.workspace import (
    Caller,
    PolicySpec,
    Workspace,
    call_rule,
    check_workspace,
    load_workspace,
    refusals,
)
from harness_core.workspace.assembly import assemble

PAGE = Path(__file__).resolve().parents[2] / "docs" / "workspace.md"
BLOCKS = PAGE.read_text(encoding="utf-8").split("```yaml\n")[2:]
TEXT = "---\n".join([GOOD, textwrap.dedent(EVERYTHING), *(block.split("```")[0] for block in BLOCKS)])
DOCUMENTS = [each for each in yaml.safe_load_all(TEXT) if each]

JUNK: list[Any] = [
    None, "", "x", "ops", "*", "/", "../x", "{", "[a", "${", "${NO}", "always", "kind", 0, -1, 3.5, 10**30, True,
    [], ["ops"], [["x"]], [None], {}, {"x": {}}, {"type": "pii"}, {"except_when": {}}, {"kind": "Agent"}, "é" * 70,
]  # fmt: skip


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything inside ``node``."""
    if path:
        yield path
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


PLACES = list(places(DOCUMENTS))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    changes=st.lists(
        st.tuples(st.sampled_from(PLACES), st.sampled_from(range(len(JUNK) + 2))), min_size=1, max_size=3
    )
)
def test_a_check_answers_whatever_is_put_in_whatever_place(
    tmp_path: Path, changes: list[tuple[tuple[Any, ...], int]]
) -> None:
    documents = copy.deepcopy(DOCUMENTS)
    for path, choice in changes:
        holder: Any = documents
        try:
            for key in path[:-1]:
                holder = holder[key]
            if choice < len(JUNK):
                holder[path[-1]] = copy.deepcopy(JUNK[choice])
            elif choice == len(JUNK):
                del holder[path[-1]]
            else:
                holder["extra"] = 1
        except (KeyError, IndexError, TypeError, ValueError):
            continue  # an earlier change took the place away
    (tmp_path / "all.yaml").write_text(yaml.safe_dump_all(documents, allow_unicode=True), encoding="utf-8")
    checked = check_workspace(tmp_path, {"TOKEN": "t"})
    assert (checked.workspace is None) == any(each.severity == "error" for each in checked.findings)
    assert all(each.line > 0 or each.file == "." for each in checked.findings)


# Unknown groups

GROUPS = ("G1", "G2")
APPROVALS: list[Any] = ["always", "never", {"except_when": {"argument": "env", "equals": "x"}}]

rules = st.fixed_dictionaries(
    {},
    optional={
        "use": st.sampled_from(["allow", "deny"]),
        "approval": st.sampled_from(APPROVALS),
        "quorum": st.integers(1, 3),
        "approvers": st.just({"users": ["A", "B", "C"]}),
        "expire_after": st.sampled_from(["1m", "2m"]),
        "grants": st.just({"allowed": True}),
    },
).filter(bool)

policies = st.fixed_dictionaries(
    {"tools": st.dictionaries(st.sampled_from(["*", "t*", "tool", "other"]), rules, min_size=1, max_size=2)},
    optional={
        "users": st.just(["U1"]),
        "usergroups": st.lists(st.sampled_from(GROUPS), min_size=1, max_size=2, unique=True),
        "channels": st.just(["C1"]),
        "use": st.sampled_from(["allow", "deny"]),
    },
)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("bare")
    (folder / "all.yaml").write_text(GOOD, encoding="utf-8")
    return load_workspace(folder, {})


@settings(max_examples=150, deadline=None)
@given(
    drawn=st.lists(policies, min_size=1, max_size=3),
    user=st.sampled_from(["U1", "U2"]),
    channel=st.sampled_from(["C1", None]),
)
def test_somebody_whose_groups_are_unknown_may_nothing_that_some_member_may_not(
    bare: Workspace, drawn: list[dict[str, Any]], user: str, channel: str | None
) -> None:
    specs = [PolicySpec.model_validate({"name": f"p{n}", **each}) for n, each in enumerate(drawn)]
    space = assemble([*bare.models.values(), *bare.agents.values(), *specs], bare.folder)
    assert isinstance(space.policies, MappingProxyType)

    def caller(groups: frozenset[str] | None) -> Caller:
        return Caller(agents=("ops",), user=user, channel=channel, usergroups=groups)

    unknown = call_rule(space, caller(None), "tool", "tool")
    runs = refusals(space, caller(None))
    members = chain.from_iterable(combinations(GROUPS, size) for size in range(3))
    for groups in map(frozenset, members):
        known = call_rule(space, caller(groups), "tool", "tool")
        assert runs or not refusals(space, caller(groups))
        if not unknown.denied:
            assert not known.denied
            assert known.approval in (unknown.approval, "never")
            assert (known.approvers, known.quorum, known.expire_after) == (
                unknown.approvers,
                unknown.quorum,
                unknown.expire_after,
            )
            assert known.grants.allowed or not unknown.grants.allowed
